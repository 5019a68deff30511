"""Under which of a patient's pseudonyms a message is stored while the key is changed (`shared.access.rotation`)."""

from shared.access.rotation import Place, Pseudonym, Pseudonyms, chosen
from shared.messages import lanes
from shared.messages.deliveries import DeliveryStore
from shared.messages.events import EventStore
from shared.messages.lanes import Lane
from shared.registry.register import Register


class Placing:
    """Finds the place. With one key, which is nearly always, it is known without a look."""

    def __init__(
        self, *, pseudonyms: Pseudonyms, events: EventStore, deliveries: DeliveryStore, register: Register
    ) -> None:
        self._pseudonyms = pseudonyms
        self._events = events
        self._deliveries = deliveries
        self._register = register

    async def pseudonym(self, patient: tuple[str, str], sender: str, orgnr: str, resource: str, sha256: str,
                        business_identifier: tuple[str, str] | None) -> str:  # fmt: skip
        """The pseudonym of the patient (system and value) that this message belongs under. Raises Unreachable."""
        if not self._pseudonyms.others:
            return self._pseudonyms.of(*patient).text
        places = []
        for each in self._pseudonyms.every(*patient):
            lane = lanes.inbound(orgnr, each.text)
            event = lanes.event_id(
                lane,
                sender=sender,
                orgnr=orgnr,
                resource=resource,
                business_identifier=business_identifier,
                sha256=sha256,
            )
            known = await self._events.find(event, lane) is not None
            places.append(Place(each, known, not known and await self._has_work(lane, each, orgnr)))
        return chosen(places).text

    async def _has_work(self, lane: Lane, patient: Pseudonym, orgnr: str) -> bool:
        if await self._events.pending(lane):
            return True
        municipality = await self._register.municipality(orgnr)
        for receiver in municipality.receivers if municipality is not None else ():
            if await self._deliveries.has_work(lanes.outbound(orgnr, receiver.id, patient.text)):
                return True
        return False
