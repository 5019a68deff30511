"""Sender's text made plain, and what was done to it written down for the sender's quality report."""

import re
from dataclasses import dataclass, field
from typing import Final

from shared.journal.model import NoteChoices
from shared.journal.plain import Plain, plain_line, plain_text
from shared.journal.terms import terms

KEY_CODE: Final = "key-code"
KEY_CODE_MASKED: Final = "key-code-masked"
_KEY: Final = re.compile(
    r"(?P<before>\b(?:nøkkelboks|nøkkelskap|nøkkelsafe|kodelås|dørkode|portkode|inngangskode|alarmkode|låskode)\w*"
    r"[^\d\n]{0,25}|\bkode[nr]?\s*(?:til|for|er|på|:)[^\d\n]{0,25})(?P<code>\d(?:[ -]?\d){2,7})",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Cleaner:
    """Cleans every text of one message."""

    choices: NoteChoices
    remarks: set[str] = field(default_factory=set)

    def line(self, text: str) -> str:
        """A display, a title or a text, on one line."""
        return self._noted(plain_line(text, self.choices.language))

    def block(self, text: str) -> str:
        """A narrative, or a text that may have lines."""
        return self._noted(plain_text(text, self.choices.language, links=self.choices.links))

    def _noted(self, plain: Plain) -> str:
        self.remarks.update(plain.actions)
        text = plain.text
        # Codes for key boxes and doors: kept and remarked on, or hidden when the municipality wants it.
        if _KEY.search(text) is None:
            return text
        if not self.choices.mask_key_codes:
            self.remarks.add(KEY_CODE)
            return text
        self.remarks.add(KEY_CODE_MASKED)
        masked = terms(self.choices.language).word("masked-code")
        return _KEY.sub(lambda found: found["before"] + masked, text)
