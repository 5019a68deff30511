"""Notes made by hand, for tests of what comes after the templates."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from shared.fhir.findings import Findings
from shared.fhir.json_text import parse
from shared.fhir.repairing.repair import repair
from shared.fhir.values import JsonObject
from shared.journal.model import Block, Check, Fact, HumanText, Language, Note, NoteContext, Row, Statement, Table
from tests.data import REPOSITORY

EXAMPLES: Final = tuple(sorted((REPOSITORY / "sandbox" / "data" / "examples").glob("*.json")))
RECEIVED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CONTEXT = NoteContext("Trygghetsvakt", RECEIVED, "03083502")
GAP = "… {count} loggoppføringer er utelatt her. Hele loggen: notat del {parts}."


def message_in(path: Path) -> JsonObject:
    """A file, read and repaired as the hub does it."""
    findings = Findings()
    return repair(parse(path.read_bytes(), findings), findings).message


def note(*blocks: Block, heading: str = "Trygghetsalarm 20.11.2026 kl.\u00a021.09") -> Note:
    """A note with these blocks."""
    footer = "Automatisk notat fra Trygghetsvakt via Knutepunkt. Ref. 03083502."
    return Note(heading, blocks, footer, Language.BOKMAL, "test-1", RECEIVED)


def log(count: int, *, essential: int | None = None, run_on: bool = True) -> Table:
    """A treatment log with numbered rows."""
    rows = tuple(
        Row(
            f"steg {n} kl.\u00a008.{n:03}",
            f"Steg {n}",
            f"kl.\u00a008.{n:03}",
            (f"08.{n:03}", f"Steg {n}", "Kari"),
            n == essential,
        )
        for n in range(count)
    )
    return Table("Behandlingslogg", ("Kl.", "Hendelse", "Utført av"), rows, run_on, GAP)


STATEMENT = Statement(
    "Årsak: «Sklei». Tiltak: «Hjulpet opp».", (Fact("Årsak", "«Sklei»"), Fact("Tiltak", "«Hjulpet opp»"))
)
QUOTE = HumanText("Notat fra Kari Syntetisk", "Notat (Kari Syntetisk)", "Alt bra.\nKontroller: <b>ingen</b> & «slutt»")
CHECK = Check("Kontroller: Enheten er oppgitt både som kg og g.")
SAMPLE = note(STATEMENT, log(2), QUOTE, CHECK)

texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Co", "Zs", "Zl", "Zp"]), min_size=1, max_size=12
)
sentences = st.lists(texts, min_size=1, max_size=30).map(" ".join)
quotes = st.builds(
    HumanText, st.just("Notat"), st.just("Notat"), st.lists(sentences, min_size=1, max_size=5).map("\n".join)
)
statements = sentences.map(lambda text: Statement(f"{text}.", (Fact("Årsak", text),)))
tables = st.builds(log, st.integers(0, 40), essential=st.integers(0, 40), run_on=st.booleans())
notes = st.lists(statements | quotes | tables | st.just(CHECK), max_size=6).map(lambda blocks: note(*blocks))
