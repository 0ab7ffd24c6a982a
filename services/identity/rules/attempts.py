"""How often something may be tried before the door stays shut for a while."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import Final

NETWORK_BITS: Final = 64  # One subscriber has a whole IPv6 network of this length.


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `tries` in a window that begins with the first; `action` names the bucket."""

    action: str
    tries: int
    window: timedelta


# Many subscribers share one address of a mobile network, and a code cannot be guessed.
SIGN_IN_PER_ADDRESS: Final = Limit(action="sign-in-address", tries=600, window=timedelta(minutes=1))
STAFF_PER_ADDRESS: Final = Limit(action="staff-address", tries=20, window=timedelta(minutes=5))
STAFF_PER_USERNAME: Final = Limit(action="staff-username", tries=5, window=timedelta(minutes=15))
LINK_PER_CITIZEN: Final = Limit(action="link", tries=10, window=timedelta(hours=1))
REAL_NAME_PER_CITIZEN: Final = Limit(action="real-name", tries=5, window=timedelta(days=1))
PHONE_PER_CITIZEN: Final = Limit(action="phone", tries=10, window=timedelta(days=1))
DECLARE_PER_CITIZEN: Final = Limit(action="declare", tries=5, window=timedelta(days=1))
REDEEM_PER_CITIZEN: Final = Limit(action="redeem", tries=10, window=timedelta(hours=1))
OFFER_PER_CITIZEN: Final = Limit(action="offer", tries=10, window=timedelta(hours=1))
SEARCH_PER_STAFF: Final = Limit(action="search", tries=100, window=timedelta(hours=1))


def subscriber_of(address: str) -> str:
    """Return what of an address stays the same for one subscriber; the text itself if no address.

    An IPv6 host changes its last 64 bits at will; an IPv4 one written as IPv6 is that IPv4 one.
    """
    try:
        host = ip_address(address)
    except ValueError:
        return address
    if isinstance(host, IPv6Address):
        if host.ipv4_mapped is not None:
            return str(host.ipv4_mapped)
        return f"{int(host) >> (128 - NETWORK_BITS):x}"
    return str(host)
