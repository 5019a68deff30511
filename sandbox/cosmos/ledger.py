"""What was charged so far, by container and by kind of operation: the sandbox's bill."""

from dataclasses import dataclass

from sandbox.cosmos.values import Json


@dataclass(slots=True)
class _Booked:
    requests: int = 0
    units: float = 0.0


class Ledger:
    """Request units (RU) since the process began."""

    def __init__(self) -> None:
        self._booked: dict[tuple[str, ...], dict[str, _Booked]] = {}

    def book(self, parts: tuple[str, ...], kind: str, units: float) -> None:
        """Book a request to the container that its path names; what names none is the account's."""
        container = (parts[1], parts[3]) if len(parts) > 4 and parts[4] == "docs" else ()
        kinds = self._booked.setdefault(container, {})
        booked = kinds.get(kind)
        if booked is None:
            booked = kinds[kind] = _Booked()
        booked.requests += 1
        booked.units += units

    def shown(self) -> dict[str, Json]:
        """By `database/container` (empty: the account itself) and kind: how many requests, how many units."""
        return {
            "/".join(container): {
                kind: {"requests": booked.requests, "units": round(booked.units, 2)}
                for kind, booked in sorted(kinds.items())
            }
            for container, kinds in sorted(self._booked.items())
        }
