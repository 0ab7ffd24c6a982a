"""A person's real name, as a card prints it."""

import unicodedata
from typing import Final

from payments.kernel.errors import Invalid

LONGEST_NAME: Final = 50
_JOINING: Final = frozenset("· '’.-")  # 买买提·艾力, O'Neill, Jean-Luc.


class NameInvalid(Invalid):
    """No card prints a name like this."""

    code = "real-name-invalid"
    zh = "姓名不正确"
    en = "The name is not valid"


def read_name(text: str) -> str:
    """Return a name in one spelling: no outer spaces, one form of every character.

    Letters of any script with the marks that join them; 50 at most. Raises NameInvalid.
    """
    name = " ".join(unicodedata.normalize("NFKC", text).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise NameInvalid(f"a name has 1 to {LONGEST_NAME} characters")
    if not all(unicodedata.category(sign)[0] in "LM" or sign in _JOINING for sign in name):
        raise NameInvalid("a name has letters and the marks that join them")
    if unicodedata.category(name[0])[0] != "L":
        raise NameInvalid("a name starts with a letter")
    return name


def mask_name(name: str) -> str:
    """Return the name with all but its last character hidden: 王小明 is **明, 王 is *."""
    return "*" * (len(name) - 1) + name[-1] if len(name) > 1 else "*"
