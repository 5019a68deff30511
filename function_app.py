"""The function app: registers the doors, nothing else."""

import azure.functions as func

from functions import deliver, fan_out, ingest, public, status, upkeep

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for door in (ingest, status, fan_out, deliver, upkeep, public):
    app.register_functions(door.door)
