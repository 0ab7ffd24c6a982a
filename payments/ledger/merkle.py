"""Merkle trees as in Certificate Transparency (RFC 9162, section 2.1), over SHA-256. Pure.

A leaf is hashed after a zero byte and a node after a one, so neither can pass for the other.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

EMPTY_ROOT: Final = hashlib.sha256().digest()


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf's content."""
    return hashlib.sha256(b"\x00" + content).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return _node(root(leaves[:middle]), root(leaves[middle:]))


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root, from the bottom up."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*path(leaves[:middle], index), root(leaves[middle:])]
    return [*path(leaves[middle:], index - middle), root(leaves[:middle])]


def root_of_path(leaf: bytes, *, index: int, count: int, hashes: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf and its path lead to, or None when they do not fit (2.1.3.2)."""
    if not 0 <= index < count:
        return None
    position, last, reached = index, count - 1, leaf
    for sibling in hashes:
        if last == 0:
            return None
        if position % 2 or position == last:
            reached = _node(sibling, reached)
            while position % 2 == 0 and position:
                position, last = position // 2, last // 2
        else:
            reached = _node(reached, sibling)
        position, last = position // 2, last // 2
    return reached if last == 0 else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
