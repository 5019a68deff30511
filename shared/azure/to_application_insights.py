"""Exporters to Application Insights. Imported when there is first something to export: that takes a while.

What cannot be sent is not put on a disk. By whose identity it is sent, the library reads from the app's settings itself
(`APPLICATIONINSIGHTS_AUTHENTICATION_STRING`).
"""

import os
from typing import Final

from azure.monitor.opentelemetry.exporter import (
    AzureMonitorLogExporter,
    AzureMonitorMetricExporter,
    AzureMonitorTraceExporter,
)

_TO_MICROSOFT: Final = ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_SDKSTATS_DISABLED")
"""What else the exporters would send, to Microsoft's own endpoints in other countries."""

for _name in _TO_MICROSOFT:
    os.environ[_name] = "true"


def spans(connection: str) -> AzureMonitorTraceExporter:
    """Of spans. `connection` is the resource's connection string."""
    return AzureMonitorTraceExporter(connection_string=connection, disable_offline_storage=True)


def lines(connection: str) -> AzureMonitorLogExporter:
    """Of log lines."""
    return AzureMonitorLogExporter(connection_string=connection, disable_offline_storage=True)


def numbers(connection: str) -> AzureMonitorMetricExporter:
    """Of metrics."""
    return AzureMonitorMetricExporter(connection_string=connection, disable_offline_storage=True)
