"""The function app: registers the doors, nothing else."""

import gc

import azure.functions as func

# Loading makes hundreds of thousands of objects that stay; looking through them for garbage again and again took a
# tenth of the time. `loading` turns it on again.
gc.disable()

from functions import (  # noqa: E402 - after the line above
    deliver,
    fan_out,
    ingest,
    loading,
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
loading.begin(wiring.load)
