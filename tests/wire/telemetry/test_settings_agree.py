"""What says how telemetry goes says the same everywhere: host.json, the sandbox's settings and the page about it."""

import json
from pathlib import Path

from sandbox.hub_parts import TELEMETRY, app_settings
from shared.tracing import Stage

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")


def test_the_host_is_in_the_mode_that_the_page_describes() -> None:
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    assert host["telemetryMode"] == "OpenTelemetry"
    assert '"telemetryMode": "OpenTelemetry"' in PAGE
    # Sampling of the classic mode: it would do nothing, and look as if it did.
    assert "applicationInsights" not in host["logging"]


def test_the_sandbox_gives_the_app_what_azure_gives_it(tmp_path: Path) -> None:
    facts = {
        "servicebus": {"connectionString": ""}, "cosmos": {"connectionString": "", "appConnectionString": ""},
        "helseid": {"issuer": "", "audience": ""}, TELEMETRY: {"url": "http://127.0.0.1:1"},
    }  # fmt: skip
    given = app_settings(tmp_path, 1, facts, {"Telemetry__sampling": "20", "OTEL_SDK_DISABLED": "true"}, {})
    assert given["PYTHON_ENABLE_OPENTELEMETRY"] == "true"
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:1"
    assert given["Telemetry__sampling"] == "20"
    assert "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY" not in given
    assert "OTEL_SDK_DISABLED" not in given
    assert all(name in PAGE for name in given if name.startswith(("OTEL_", "PYTHON_", "Telemetry__")))


def test_the_page_names_every_span() -> None:
    assert all(f"| `{stage}` |" in PAGE for stage in Stage)
