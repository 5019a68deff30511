"""Azure on one machine, as far as the hub needs it. Never imported by `functions/` or `shared/`."""
