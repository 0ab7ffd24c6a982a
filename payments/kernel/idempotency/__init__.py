"""The same key and the same input give the same answer, for as long as the key is kept.

Two shapes. *One transaction*: `claim`, the effect, `store`, all in the caller's transaction; a
concurrent duplicate waits on the primary key until the first commits and is then given the stored
answer. A definite failure undoes the effect in a savepoint and stores its answer outside of it.
*Leased*, when the effect calls the network: `claim(…, lease=…)` commits first; `store` follows in a
later transaction and is fenced, so of two holders only the last may store. Neither makes a money
effect unique for ever: the effect's own unique constraints do that (a key is kept for 30 days).
A data key of the vault may go 30 days after another became current, when nothing else needs it.

It leans on the kernel's database, crypto and errors.
"""

from payments.kernel.idempotency.operations import (
    Claim,
    ClaimLost,
    IdempotencyKeyReused,
    RequestStillRunning,
    claim,
    purge,
    release,
    store,
)
from payments.kernel.idempotency.rules import Answer, IdempotencyKeyInvalid, fingerprint, read_key

__all__ = [
    "Answer",
    "Claim",
    "ClaimLost",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyReused",
    "RequestStillRunning",
    "claim",
    "fingerprint",
    "purge",
    "read_key",
    "release",
    "store",
]
