"""The function app: registers the doors, nothing else."""

import azure.functions as func

from functions import (
    deliver,
    fan_out,
    ingest,
    operations,
    public,
    registry,
    retention,
    status,
    summary,
    trail,
    trail_upkeep,
    upkeep,
    watch,
    wiring,
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for door in (ingest, status, fan_out, deliver, upkeep, public):
    app.register_functions(door.door)
app.register_functions(registry.blueprint(wiring.registry_desk, wiring.person))
app.register_functions(trail.blueprint(wiring.trail_desk, wiring.person))
app.register_functions(trail_upkeep.blueprint(wiring.trail_parts))
app.register_functions(summary.blueprint(wiring.summary_desk, wiring.person))
app.register_functions(operations.blueprint(wiring.replay_desk, wiring.handling, wiring.person))
app.register_functions(retention.blueprint(wiring.replaying, wiring.expiry))
app.register_functions(watch.blueprint(wiring.watch_parts))
