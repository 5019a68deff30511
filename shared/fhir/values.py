"""The JSON values every layer of the check passes on: what was in the message, with decimals kept exactly."""

from decimal import Decimal

type JsonValue = bool | int | Decimal | str | list[JsonValue] | dict[str, JsonValue] | None
type JsonObject = dict[str, JsonValue]

type Path = tuple[str | int, ...]
"""Where a value is: member names and array indices from the top of the message."""
