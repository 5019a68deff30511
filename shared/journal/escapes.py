"""A finished note inside formats in which some characters command: what is written must be read as text.

Each of these comes last, once. For HTML and FHIR narratives see `shared.journal.xhtml`.
"""

from typing import Final

_RTF: Final = str.maketrans({"\\": r"\\", "{": r"\{", "}": r"\}", "\n": "\\line\n"})
_HL7: Final = str.maketrans({
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "~": "\\R\\",
    "&": "\\T\\",
    "\n": "\\.br\\",
    "\r": None,
})  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rtf(text: str) -> str:
    """For the body of an RTF 1.9 document. Other letters than ASCII as `\\u`, with no substitute (`\\uc0`)."""
    return "{\\uc0 " + "".join(map(_rtf, text.translate(_RTF))) + "}"


def hl7_v2(text: str) -> str:
    """For an FT or TX field of HL7 v2 (2.7) with the usual separators; line feeds as `\\.br\\`."""
    return text.translate(_HL7)


def csv_cell(text: str) -> str:
    """For a cell that a spreadsheet opens: what would begin a formula gets an apostrophe before it (OWASP, CSV
    injection). Quotation marks and separators are the csv writer's."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _rtf(char: str) -> str:
    if char.isascii():
        return char
    units = char.encode("utf-16-le", "surrogatepass")
    return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'little', signed=True)} " for at in range(0, len(units), 2))
