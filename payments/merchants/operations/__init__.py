"""What can be done to merchants, their keys and their callback endpoints; each in a transaction."""

from payments.merchants.operations.endpoints import (
    add_endpoint,
    change_endpoint,
    disable_endpoint,
    enable_endpoint,
    rotate_secret,
    set_secret,
)
from payments.merchants.operations.keys import (
    add_key,
    forget_nonces,
    remember_nonce,
    revoke_key,
)
from payments.merchants.operations.onboarding import add_device, change_status, register

__all__ = [
    "add_device",
    "add_endpoint",
    "add_key",
    "change_endpoint",
    "change_status",
    "disable_endpoint",
    "enable_endpoint",
    "forget_nonces",
    "register",
    "remember_nonce",
    "revoke_key",
    "rotate_secret",
    "set_secret",
]
