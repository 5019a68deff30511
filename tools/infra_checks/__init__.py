"""Checks of what the hub becomes in Azure, offline: what Bicep evaluates to, held to rules and to the code.

`python -m tools.infra_checks` runs them all; `--write` renews the snapshots in `infra/evaluated`.
"""
