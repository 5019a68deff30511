"""What verification can find: every kind of tampering has a name, and a sentence that says what it means."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """A finding's name."""

    BODY_EDITED = "body-edited"
    HEADER_EDITED = "header-edited"
    INDEX_EDITED = "index-edited"
    ENTRY_UNREADABLE = "entry-unreadable"
    ENTRY_MISSING = "entry-missing"
    ENTRY_DUPLICATE = "entry-duplicate"
    ENTRY_MOVED = "entry-moved"
    LINK_BROKEN = "link-broken"
    TAIL_REMOVED = "tail-removed"
    CHAIN_MISSING = "chain-missing"
    CHAIN_REWRITTEN = "chain-rewritten"
    PURGE_UNLAWFUL = "purge-unlawful"
    CLOCK_BACK = "clock-back"
    NEVER_WRITTEN = "never-written"
    CHECKPOINT_INVALID = "checkpoint-invalid"
    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_LINK = "checkpoint-link"
    CHECKPOINT_BACKDATED = "checkpoint-backdated"
    CHECKPOINTS_STOPPED = "checkpoints-stopped"
    CHECKPOINTS_ABSENT = "checkpoints-absent"
    WITNESS = "witness-contradicts"

    @property
    def sentence(self) -> str:
        """What it means."""
        return _SENTENCES[self]


_SENTENCES = {
    Fault.BODY_EDITED: "the body is not the one that its header commits to",
    Fault.HEADER_EDITED: "the header is not the one that was hashed",
    Fault.INDEX_EDITED: "what the entry is found by differs from what it says",
    Fault.ENTRY_UNREADABLE: "the document is no entry of a form that this hub writes",
    Fault.ENTRY_MISSING: "numbers are missing in the chain",
    Fault.ENTRY_DUPLICATE: "two entries have the same number",
    Fault.ENTRY_MOVED: "the entry stands in another chain or under another number than its header says",
    Fault.LINK_BROKEN: "the entry does not follow the one before it",
    Fault.TAIL_REMOVED: "the chain is shorter than a signed checkpoint says",
    Fault.CHAIN_MISSING: "a signed checkpoint names a chain that is not there",
    Fault.CHAIN_REWRITTEN: "the chain holds together but is not the one that a checkpoint signed for",
    Fault.PURGE_UNLAWFUL: "something was taken away that no purge entry and policy allow",
    Fault.CLOCK_BACK: "an entry was recorded before the one that it follows",
    Fault.NEVER_WRITTEN: "something is kept in the hub's stores that has no entry",
    Fault.CHECKPOINT_INVALID: "a checkpoint is not validly signed",
    Fault.CHECKPOINT_MISSING: "numbers are missing in a month's checkpoints, or a whole month's",
    Fault.CHECKPOINT_LINK: "a checkpoint does not follow the one before it",
    Fault.CHECKPOINT_BACKDATED: "a checkpoint is dated before what it follows or signs for",
    Fault.CHECKPOINTS_STOPPED: "no checkpoint was written for longer than is allowed",
    Fault.CHECKPOINTS_ABSENT: "there are entries and no checkpoint at all",
    Fault.WITNESS: "a checkpoint that was told to a witness is not there, or says something else",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where. `chain` may be a month when it is about checkpoints."""

    fault: Fault
    chain: str
    seq: int | None = None
    detail: str = ""

    def document(self) -> dict[str, object]:
        """For programs."""
        return {
            "fault": self.fault.value, "chain": self.chain, "seq": self.seq, "detail": self.detail,
            "text": self.fault.sentence,
        }  # fmt: skip
