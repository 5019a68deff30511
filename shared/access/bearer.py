"""The challenge of an API that takes Bearer only, for doors that do not give `challenge` the call's own header."""

from shared.access.challenges import challenge

__all__ = ["challenge"]
