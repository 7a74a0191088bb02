"""Addresses: what kind of place an IP address is, for whoever decides whether to connect to it.

The tables are those of the IANA registries of special-purpose addresses, written out here: the lists in Python's `ipaddress` differ between versions.
An IPv6 address that carries an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) is the worst of what it carries and of what it is.
"""

from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Place(IntEnum):
    """Where an address lies, from harmless to worst."""

    PUBLIC = 0
    """On the internet, for everybody."""
    INNER = 1
    """This machine, its networks, those of its provider: loopback, private, shared, unique local."""
    SPECIAL = 2
    """Where no service for everybody is: link-local, metadata, unspecified, multicast, documentation, reserved."""


METADATA: frozenset[Address] = frozenset(
    {
        IPv4Address("169.254.169.254"),  # Most clouds: credentials of the machine for whoever asks.
        IPv4Address("169.254.170.2"),  # Amazon's containers.
        IPv4Address("169.254.170.23"),
        IPv4Address("100.100.100.200"),  # Alibaba.
        IPv4Address("192.0.0.192"),  # Oracle.
        IPv4Address("168.63.129.16"),  # Azure's wire server, among public addresses.
        IPv6Address("fd00:ec2::254"),  # Amazon.
        IPv6Address("fd00:ec2::23"),
        IPv6Address("fd20:ce::254"),  # Google.
        IPv6Address("fd00:42::42"),  # Scaleway.
    }
)

_V4 = [
    (IPv4Network(network), place, name)
    for network, place, name in (
        ("0.0.0.0/8", Place.SPECIAL, "unspecified"),
        ("10.0.0.0/8", Place.INNER, "private"),
        ("100.64.0.0/10", Place.INNER, "shared with a provider"),
        ("127.0.0.0/8", Place.INNER, "loopback"),
        ("169.254.0.0/16", Place.SPECIAL, "link-local"),
        ("172.16.0.0/12", Place.INNER, "private"),
        ("192.0.0.0/24", Place.SPECIAL, "reserved"),
        ("192.0.2.0/24", Place.SPECIAL, "documentation"),
        ("192.88.99.0/24", Place.SPECIAL, "a relay"),
        ("192.168.0.0/16", Place.INNER, "private"),
        ("198.18.0.0/15", Place.INNER, "for measuring networks"),
        ("198.51.100.0/24", Place.SPECIAL, "documentation"),
        ("203.0.113.0/24", Place.SPECIAL, "documentation"),
        ("224.0.0.0/4", Place.SPECIAL, "multicast"),
        ("240.0.0.0/4", Place.SPECIAL, "reserved"),
    )
]

_V6 = [
    (IPv6Network(network), place, name)
    for network, place, name in (
        ("::/128", Place.SPECIAL, "unspecified"),
        ("::1/128", Place.INNER, "loopback"),
        ("::ffff:0:0/96", Place.PUBLIC, "mapped"),  # The address that it carries says what it is.
        ("64:ff9b::/96", Place.PUBLIC, "translated"),  # As above.
        ("64:ff9b:1::/48", Place.INNER, "translated within a network"),
        ("fc00::/7", Place.INNER, "private"),
        ("fe80::/10", Place.SPECIAL, "link-local"),
        ("fec0::/10", Place.INNER, "site-local"),
        ("ff00::/8", Place.SPECIAL, "multicast"),
        ("2001::/32", Place.PUBLIC, "a tunnel"),  # As above.
        ("2001::/23", Place.SPECIAL, "reserved"),
        ("2001:db8::/32", Place.SPECIAL, "documentation"),
        ("2002::/16", Place.PUBLIC, "a tunnel"),  # As above.
        ("3ffe::/16", Place.SPECIAL, "reserved"),
        ("3fff::/20", Place.SPECIAL, "documentation"),
        ("2000::/3", Place.PUBLIC, "public"),
    )
]
"""The first that holds the address counts."""

_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)
_U32 = 0xFFFF_FFFF


def place_of(address: Address) -> tuple[Place, str]:
    """Return where an address lies, and the name of that for people."""
    if address in METADATA:
        return Place.SPECIAL, "metadata of a cloud"
    if isinstance(address, IPv4Address):
        return next(((place, name) for network, place, name in _V4 if address in network), (Place.PUBLIC, "public"))
    bare = IPv6Address(int(address))  # Without the scope, which `in` and `==` heed.
    if bare in METADATA:
        return Place.SPECIAL, "metadata of a cloud"
    own = next(((place, name) for network, place, name in _V6 if bare in network), (Place.SPECIAL, "reserved"))
    if own[0] is not Place.PUBLIC:
        return own
    worst = max((place_of(inner) for inner in carried(bare)), key=lambda found: found[0], default=own)
    return max(own, (worst[0], f"{own[1]} to an address that is {worst[1]}"), key=lambda found: found[0])


def carried(address: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that an IPv6 address carries, and to which it may lead."""
    value = int(address)
    found: list[IPv4Address] = []
    if address.ipv4_mapped is not None:
        found.append(address.ipv4_mapped)
    elif address in _NAT64 or address in _COMPATIBLE:
        found.append(IPv4Address(value & _U32))
    if address.sixtofour is not None:
        found.append(address.sixtofour)
    if address.teredo is not None:
        found.extend(address.teredo)
    if value >> 32 & _U32 in _ISATAP:
        found.append(IPv4Address(value & _U32))
    return tuple(found)
