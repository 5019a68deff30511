"""A note in parts, for journals whose fields hold less than the note: nothing is dropped, nothing is cut mid-sentence.

The first part has everything but the middle of long logs, and says how much of them is left out and where it is; the
whole logs follow in parts of their own. Each part has the heading with its number and the footer, and stands alone.
Counted in the receiver's own characters or bytes, after the character set.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.journal.charset import codec, fit
from shared.journal.model import Charset, Note, NoteChoices
from shared.journal.pieces import Piece, Pieces, Unit, halves, shortened, whole
from shared.journal.terms import terms
from shared.journal.text import as_text

LONGEST_TITLE: Final = 80
_LONGEST_CHARACTER: Final = 4
_SMALLEST_ROOM: Final = 40
"""Characters or bytes beside heading and footer that a part must have room for."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a field of the receiver's journal holds."""

    size: int
    in_bytes: bool = False

    def measure(self, charset: Charset) -> Callable[[str], int]:
        """How long a text is by this limit."""
        return (lambda text: len(text.encode(codec(charset)))) if self.in_bytes else len


@dataclass(frozen=True, slots=True)
class Part:
    """One note of a series: a title for the list of notes, and a body that ends with the footer."""

    title: str
    body: str

    @property
    def text(self) -> str:
        """Both, for a journal with one field."""
        return f"{self.title}\n{self.body}"


def parts(note: Note, choices: NoteChoices, limit: Limit | None = None) -> tuple[Part, ...]:
    """The note in the layout and character set of the choices, in as many parts as the limit on `Part.text` needs.

    Raises ValueError when the limit leaves no room beside heading and footer.
    """
    fitted = _Fitted(note, choices)
    full = fitted(as_text(note, choices.layout))
    title = fitted(note.heading)
    if limit is None or limit.measure(choices.charset)(full) <= limit.size:
        return (Part(title, full.removeprefix(f"{title}\n")),)
    return _Division(note, choices, limit, fitted).parts()


class _Fitted:
    def __init__(self, note: Note, choices: NoteChoices) -> None:
        self._charset = choices.charset
        self._language = note.language

    def __call__(self, text: str) -> str:
        return fit(text, self._charset, self._language).text


class _Division:
    """A note that does not fit into one part."""

    def __init__(self, note: Note, choices: NoteChoices, limit: Limit, fitted: _Fitted) -> None:
        self._note = note
        self._layout = choices.layout
        self._fitted = fitted
        self._measure = limit.measure(choices.charset)
        self._size = limit.size
        self._footer = fitted(note.footer)

    def parts(self) -> tuple[Part, ...]:
        for most in (9, 99, 999, 9_999, 99_999):
            bodies = self._bodies(most)
            if len(bodies) <= most:
                titles = (self._title(number, len(bodies)) for number in range(1, len(bodies) + 1))
                return tuple(
                    Part(title, f"{rest}{body}\n{self._footer}")
                    for (title, rest), body in zip(titles, bodies, strict=True)
                )
        raise ValueError("the note needs more parts than anybody reads")

    def _bodies(self, most: int) -> list[str]:
        """With room for part numbers up to `most`. The place of the logs is told in the first parts: it is found by
        trying, with ever fewer characters."""
        told = f"{most}–{most}"
        for _ in range(6):
            pieces = shortened(self._note.blocks, self._layout, told)
            main, logs = self._packed(pieces, most)
            first, last = len(main) + 1, len(main) + len(logs)
            found = f"{first}–{last}" if last > first else f"{first}"
            if found == told or not logs:
                return main + logs
            told = found
        main, logs = self._packed(whole(self._note.blocks, self._layout), most)
        return main + logs

    def _packed(self, pieces: Pieces, most: int) -> tuple[list[str], list[str]]:
        title, rest = self._title(most, most)
        room = self._size - self._measure(f"{title}\n{rest}\n{self._footer}")
        if room < _SMALLEST_ROOM:
            raise ValueError("the limit leaves no room beside heading and footer")
        return (
            _pack([piece.fitted(self._fitted) for piece in pieces.main], room, self._measure),
            _pack([piece.fitted(self._fitted) for piece in pieces.logs], room, self._measure),
        )

    def _title(self, number: int, count: int) -> tuple[str, str]:
        """The title with the part's number, and what the number takes of the body when the title has no room."""
        page = self._fitted(terms(self._note.language).word("page", part=number, parts=count))
        heading = self._fitted(self._note.heading)
        together = f"{heading} ({page})"
        if len(together) <= LONGEST_TITLE:
            return together, ""
        return heading, f"({page})\n"


def _pack(pieces: list[Piece], room: int, measure: Callable[[str], int]) -> list[str]:
    packing = _Packing(room, measure)
    for piece in pieces:
        packing.add(piece)
    return packing.bodies()


class _Packing:
    """Fills one part after the other."""

    def __init__(self, room: int, measure: Callable[[str], int]) -> None:
        self._room = room
        self._measure = measure
        self._done: list[str] = []
        self._lines: list[str] = []
        self._used = 0

    def bodies(self) -> list[str]:
        self._turn()
        return self._done

    def add(self, piece: Piece) -> None:
        """Add a piece, over as many parts as it needs. What it holds of one part is written when that is known."""
        waiting = list(reversed(piece.units))
        first = True
        while waiting:
            taken, used = self._fill(piece, waiting, first=first)
            if not taken and self._lines:
                self._turn()
                continue
            if not taken:
                waiting += self._halved(piece, waiting.pop(), first=first)
                continue
            self._lines.append(self._written(piece, taken, first=first, last=not waiting))
            self._used += used
            first = False
            if waiting:
                self._turn()

    def _fill(self, piece: Piece, waiting: list[Unit], *, first: bool) -> tuple[list[Unit], int]:
        """Take as many units as the part has room for, with the length they take."""
        used = self._frame(piece, first=first)
        taken: list[Unit] = []
        while waiting:
            unit = waiting[-1]
            cost = self._measure(unit.gap if taken else "") + self._measure(unit.text)
            if self._used + used + cost > self._room:
                break
            taken.append(waiting.pop())
            used += cost
        return taken, used

    def _frame(self, piece: Piece, *, first: bool) -> int:
        """What a piece takes of a part besides its units, at most: it may be broken off at both ends."""
        cuts = self._measure(f" {piece.cut}") * (1 if first else 2) if piece.cut else 0
        return self._measure(piece.before) + self._measure(piece.after) + cuts + 1

    def _halved(self, piece: Piece, unit: Unit, *, first: bool) -> list[Unit]:
        free = self._room - self._frame(piece, first=first)
        if free < _LONGEST_CHARACTER:
            raise ValueError("the limit leaves no room beside heading and footer")
        one, other = halves(unit, lambda text: self._measure(text) <= free)
        return [other, one]

    def _written(self, piece: Piece, taken: list[Unit], *, first: bool, last: bool) -> str:
        inside = "".join((unit.gap if index else "") + unit.text for index, unit in enumerate(taken))
        begun = f"{piece.cut} " if piece.cut and not first else ""
        broken = f" {piece.cut}" if piece.cut and not last else ""
        return f"{piece.before}{begun}{inside}{broken}{piece.after}"

    def _turn(self) -> None:
        """Begin the next part."""
        if self._lines:
            self._done.append("\n".join(self._lines))
            self._lines, self._used = [], 0
