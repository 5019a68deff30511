"""Groups of functions that one process serves, as on Azure's Flex Consumption plan.

There all HTTP functions share their instances and every Service Bus function has instances of its own
(azure-functions.md 4). On one machine all queue functions share one process; timers go with HTTP.
"""

from enum import StrEnum

from sandbox.host.functions import Function, ServiceBusTrigger


class Group(StrEnum):
    """Which functions a host serves. Whatever it serves, it indexes the whole app."""

    ALL = "all"
    HTTP = "http"
    """HTTP functions and timers."""
    QUEUES = "queues"
    """Service Bus functions."""

    def serves(self, function: Function) -> bool:
        """Whether a host of this group serves the function."""
        return self in (Group.ALL, group_of(function))


def group_of(function: Function) -> Group:
    """The group a function belongs to."""
    return Group.QUEUES if isinstance(function.trigger, ServiceBusTrigger) else Group.HTTP
