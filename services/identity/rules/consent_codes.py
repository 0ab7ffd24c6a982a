"""One-time codes that one person shows another: twelve characters that survive being typed."""

import hashlib
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U. 60 bits in all.
LENGTH: Final = 12
GROUP: Final = 4
LONGEST_TYPED: Final = 32

_ALIKE: Final = str.maketrans("OIL", "011", " -")


def grouped(code: str) -> str:
    """Return a code as it is shown: `7K3M-90QX-VA2D`."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def code_hash(typed: str) -> bytes:
    """Return what is stored of a code, from however it is typed."""
    return hashlib.sha256(typed.upper().translate(_ALIKE).encode("utf-8", "replace")).digest()
