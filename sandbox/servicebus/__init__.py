"""A Service Bus on this machine, for any client that speaks to Azure's over AMQP 1.0."""

from sandbox.servicebus.clock import ManualClock
from sandbox.servicebus.service import Service, serve

__all__ = ["ManualClock", "Service", "serve"]
