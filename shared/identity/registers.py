"""Numbers from registers that publish no check digit: only their shape can be judged.

HPR (health personnel), HER-id (parties in Norsk helsenett's address register), RESH-id (units of the specialist health
service). Numbers seen: HPR of seven digits in the register and of nine among Norsk helsenett's test users, HER-ids of
three to seven digits.
"""

import re
from typing import Final

_HPR: Final = re.compile(r"[1-9][0-9]{0,8}")
# A 32-bit integer in the address register's own interface.
_INTEGER: Final = re.compile(r"[1-9][0-9]{0,9}")


def is_hpr_number(text: str) -> bool:
    """Whether it may be an HPR number: one to nine ASCII digits, the first not 0."""
    return _HPR.fullmatch(text) is not None


def is_her_id(text: str) -> bool:
    """Whether it may be a HER-id: a positive integer of at most ten digits."""
    return _INTEGER.fullmatch(text) is not None


def is_resh_id(text: str) -> bool:
    """Whether it may be a RESH-id: a positive integer of at most ten digits."""
    return _INTEGER.fullmatch(text) is not None
