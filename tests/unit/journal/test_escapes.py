"""Nothing in a note is a command to the format it is put into."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.journal.escapes import csv_cell, hl7_v2, rtf


def read_rtf(written: str) -> str:
    """What a reader of RTF makes of it."""
    body = written.removeprefix("{\\uc0 ").removesuffix("}")
    units = re.sub(
        r"\\u(-?[0-9]+) |\\line\n|\\([\\{}])",
        lambda found: chr(int(found[1]) % 65536) if found[1] else found[2] or "\n",
        body,
    )
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.just("\n") | st.sampled_from("\\{}|^~&=+-@"))


@given(texts)
def test_rtf_is_ascii_and_reads_back_as_the_text(text: str) -> None:
    written = rtf(text)
    assert written.isascii()
    assert read_rtf(written) == text
    bare = re.sub(r"\\[\\{}]", "", written)
    assert bare.count("{") == bare.count("}") == 1


@given(texts)
def test_hl7_has_no_separator_of_the_texts(text: str) -> None:
    written = hl7_v2(text)
    assert not set(written) & set("|^~&\r\n")
    meant = {"E": "\\", "F": "|", "S": "^", "R": "~", "T": "&", ".br": "\n"}
    assert re.sub(r"\\([EFSRT]|\.br)\\", lambda found: meant[found[1]], written) == text


def test_a_cell_is_no_formula() -> None:
    assert csv_cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert csv_cell(" -5") == "' -5"
    assert csv_cell("37,2 °C") == "37,2 °C"
