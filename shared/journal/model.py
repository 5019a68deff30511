"""The journal note as facts, before any layout: what a template says once, and every layout shows in its own way.

All strings are finished text in the note's language: dates, clock times (Europe/Oslo), numbers, units and quotation
are written. Layouts add line breaks, separators and markup, never words. Text is Unicode with no-break spaces; the
receiver's character set comes last. The rules are our own, see docs; helsepersonelloven §§ 39, 40 and 42 are behind
them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shared.fhir.values import JsonObject


class Language(StrEnum):
    """The municipality's written standard."""

    BOKMAL = "nb"
    NYNORSK = "nn"


class Layout(StrEnum):
    """How a receiver's journal shows notes."""

    PROSE = "a"
    """Heading and body: for a title field and a free text field."""
    LIST = "b"
    """One fact per line, `label: value`."""
    TABLE = "c"
    """As prose, but logs and series of measurements are tables: for journals that show rich text."""


class Charset(StrEnum):
    """What characters the receiver's journal can hold."""

    UTF8 = "utf8"
    CP1252 = "cp1252"
    LATIN1 = "latin1"
    PLAIN = "plain"
    """Latin-1 without no-break spaces and dashes."""


class PatientWord(StrEnum):
    """What the municipality calls the person."""

    PATIENT = "patient"
    USER = "user"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value. The label begins with a capital letter and has no colon."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Statement:
    """Facts that our own words tell. As prose: `prose`, whole sentences on one line, or nothing when it is empty
    (the heading or the footer says it). As a list: each of `facts`."""

    prose: str
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class HumanText:
    """Text as its author wrote it, cleaned to plain text, not yet in quotation marks; it may have several lines.

    As prose `lead: «text»`, as a list `label: «text»`. Always inside « »: a quoted line cannot pose as one of ours.
    """

    lead: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step of a log or one measurement of a series."""

    prose: str
    """`kvittert ut kl. 10.36.23 av Kari Syntetisk`"""
    label: str
    """`Kvittert ut`"""
    value: str
    """`kl. 10.36.23 av Kari Syntetisk`"""
    cells: tuple[str, ...]
    """As many as the table's header; none is empty."""
    essential: bool = False
    """Stays when a log must be shortened."""


@dataclass(frozen=True, slots=True)
class Table:
    """A log or a series. As prose either one sentence `caption: row, row.` (`run_on`) or a line per row, with the
    caption above; as a list a line per row; as a table with caption and header."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    run_on: bool
    gap: str = ""
    """For shortening: the sentence that takes the place of rows left out, with `{count}` and `{parts}`."""


@dataclass(frozen=True, slots=True)
class Check:
    """A doubt, as a whole sentence that begins with `Kontroller:`. The same in every layout."""

    text: str


type Block = Statement | HumanText | Table | Check


class Omission(StrEnum):
    """Why something of the message is not in the note."""

    IDENTIFIER = "identifier"
    """An id of a person, a device or a message: kept in the archive only."""
    ADDRESS = "address"
    """An URL, a telephone number of an organisation, coordinates that the municipality has not asked for."""
    CODE = "code"
    """A code whose meaning the note tells in words."""
    NAME = "name"
    """The patient's name: the journal knows it."""
    EMPTY = "empty"
    """Nothing but an id, a dash or white space."""
    TECHNICAL = "technical"
    """About the transport, not about the patient."""
    REPEATED = "repeated"
    """The note has the same words elsewhere."""
    WITHDRAWN = "withdrawn"
    """The sender withdrew the message: its wrong content is not repeated."""
    SETTING = "setting"
    """The municipality's setting leaves it out."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the message that the note does not show: where it is, never what it is."""

    path: str
    why: Omission


@dataclass(frozen=True, slots=True)
class Note:
    """A note ready for layout."""

    heading: str
    """Stands alone in a list of notes: kind, time, state. At most 80 characters, no name, no id."""
    blocks: tuple[Block, ...]
    """In the order to be read."""
    footer: str
    """The last line: automatic mark, source, received, reference."""
    language: Language
    template: str
    """Id and version of the template; kept with the note, not shown."""
    occurred_at: datetime | None
    """UTC, when the message tells a moment."""
    left_out: tuple[LeftOut, ...] = ()
    remarks: tuple[str, ...] = ()
    """What was done to human text (`national-number-masked` ...), for the sender's quality report."""


class HeldReason(StrEnum):
    """Why a person must see a message before anything is written in a journal."""

    TWO_PATIENTS = "two-patients"
    NO_PATIENT = "no-patient"
    MEDICATION_CONTRADICTS = "medication-contradicts"
    """Code and text of a medication event say different things, or an old edition gives the code another meaning."""
    MEDICATION_UNKNOWN = "medication-unknown"
    """A medication event whose code no edition knows."""
    MEDICATION_FUTURE = "medication-future"
    """A medication event more than a day ahead."""
    WRONG_PATIENT = "wrong-patient"
    """A correction that names another patient than the note it corrects."""
    TRIAGE_EXPECTANT = "triage-expectant"
    """The triage code for those not expected to live: never unreviewed."""
    TEST_MESSAGE = "test-message"
    """The sender says that it is a test: not for any journal."""
    NOTHING_TO_TELL = "nothing-to-tell"
    """No kind of message that notes are written of."""


@dataclass(frozen=True, slots=True)
class Held:
    """No note: a person must see the message first."""

    reason: HeldReason


@dataclass(frozen=True, slots=True)
class NoteChoices:
    """What a municipality and its journal want. The defaults are safe anywhere."""

    language: Language = Language.BOKMAL
    layout: Layout = Layout.PROSE
    charset: Charset = Charset.UTF8
    patient_word: PatientWord = PatientWord.PATIENT
    daily_dispense_list: bool = False
    """Several ordinary dispenses of one day in one message become one list."""
    coordinates: bool = False
    """Show positions as coordinates."""
    mask_key_codes: bool = False
    """Hide digit groups beside words for key boxes and doors in human text."""
    links: bool = False
    """Show an URL that is itself the text of a link."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """The note that a correction corrects or withdraws."""

    occurred_at: datetime | None
    reference: str
    message: JsonObject | None = field(default=None, repr=False)
    """What it was made of; then the note can tell what changed."""


@dataclass(frozen=True, slots=True)
class NoteContext:
    """What the hub knows and the message does not."""

    sender_system: str
    received_at: datetime
    """UTC."""
    reference: str
    """Short: eight characters."""
    hub: str = "Knutepunkt"
    corrects: Earlier | None = None
