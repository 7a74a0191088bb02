"""Egress: which addresses an outbound call may connect to, decided on the address that is connected to and no other.

A host is resolved once for each connection; every address that came back must be allowed, and one of them is connected to. Public addresses
are. Inner ones (loopback, private) are when somebody who runs this said so, by host and port or by network. Special ones (link-local, metadata,
multicast, reserved) are when exactly that address was said. Nothing here asks the network but `Resolve`.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import AddressValueError, IPv6Address, ip_address, ip_network

from kernos.adapters.http.addresses import Address, Network, Place, place_of
from kernos.vocabulary.errors import BadConfiguration

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses; raises OSError where there are none."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NAME_LENGTH_MAX = 253
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = "localhost"
_HOW = "Write HOST:PORT, HOST:* for every port, [ADDRESS]:PORT for IPv6, or a network such as 10.1.0.0/16."
_PORT_MAX = 65_535
_PASSED_MAX = 100_000
"""A wide network of inner hosts; beyond it connections are refused rather than memory filled."""


class Refused(Exception):
    """An address that may not be connected to; says which, and how to allow it. No OSError: nobody may try the next address instead."""


class Reach:
    """Which inner addresses outbound calls may reach: `Reach("127.0.0.1:8080", "shop:80", "10.1.0.0/16")`.

    Each place is a host with its port, `*` for any port (an IPv6 address stands in brackets), or a network. A host's name reaches whatever inner
    address it has; a special address is reached only where it is itself written as the host. Raises BadConfiguration for anything else.
    """

    __slots__ = ("_hosts", "_networks", "places")

    def __init__(self, *places: str) -> None:
        """Take the places."""
        self.places = places
        hosts: set[tuple[str, int | None]] = set()
        networks: list[Network] = []
        for place in places:
            if "/" in place:
                networks.append(_network(place))
            else:
                hosts.add(_place(place))
        self._hosts = frozenset(hosts)
        self._networks = tuple(networks)

    def __repr__(self) -> str:
        return f"Reach({', '.join(map(repr, self.places))})"

    def has_host(self, host: str, port: int) -> bool:
        """Tell whether a host, written as `host_of` writes it, may be reached at a port."""
        return (host, port) in self._hosts or (host, None) in self._hosts

    def has_network(self, address: Address) -> bool:
        """Tell whether an address lies in one of the networks."""
        return any(address.version == network.version and address in network for network in self._networks)


class Egress:
    """The decision, for one client."""

    def __init__(self, reach: Reach, resolve: Resolve | None = None) -> None:
        """Take what may be reached, and how names become addresses; by default as this machine does it."""
        self._reach = reach
        self._resolve = resolve or _ask_system
        self._named: set[tuple[str, int]] = set()
        self._passed: set[tuple[Address, int]] = set()
        """Addresses with their ports that were allowed without being public."""

    def name(self, host: str, port: int) -> None:
        """Allow an inner address that whoever runs this wrote out as where a service is: they said it by that. A name says nothing of its address."""
        host = host_of(host)
        address = literal(host)
        if host == _LOCAL or (address is not None and place_of(address)[0] is Place.INNER):
            self._named.add((host, port))

    def check_literal(self, host: str, port: int) -> None:
        """Check a host that is an address, and the spelling of one that is none. Raises Refused."""
        written = host_of(host)
        address = literal(written)
        if address is not None:
            self._check(written, port, address)

    async def resolve(self, host: str, port: int) -> tuple[Address, ...]:
        """Return the addresses of a host, each of which may be connected to. Raises Refused; OSError where there is none."""
        host = host_of(host)
        found = literal(host)
        if found is not None:
            addresses: tuple[Address, ...] = (found,)
        else:
            addresses = tuple(dict.fromkeys(_read(host, text) for text in await self._resolve(host, port)))
            if not addresses:
                raise OSError(f"{host} has no address")
        for address in addresses:  # All of them: a name that also leads inside is not one to trust with the others.
            self._check(host, port, address)
        return addresses

    def check_connection(self, address_text: str, port: int) -> None:
        """Check once more, from the address that the socket is about to be connected to. Raises Refused."""
        address = _read(address_text, address_text)
        if place_of(address)[0] is not Place.PUBLIC and (address, port) not in self._passed:
            raise Refused(f"{address} at port {port} was not checked before")

    def _check(self, host: str, port: int, address: Address) -> None:
        place, name = place_of(address)
        if place is Place.PUBLIC:
            return
        is_itself = literal(host) is not None
        if place is Place.SPECIAL:
            is_allowed = is_itself and self._reach.has_host(host, port)
        else:
            is_allowed = (
                self._reach.has_host(host, port)
                or self._reach.has_network(address)
                or ((host, port) in self._named and (is_itself or _is_loopback(address)))
            )
        if not is_allowed:
            place_text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            found = f"{address} is {name}" if is_itself else f"{host} is at {address}, which is {name}"
            advice = (
                f'if it is meant, allow it with Reach("{place_text}")'
                if is_itself or place is Place.INNER
                else "no name may lead there; if it is meant, write the address itself"
            )
            raise Refused(f"{found}, not public; {advice}")
        if len(self._passed) < _PASSED_MAX:
            self._passed.add((address, port))


def host_of(host: str) -> str:
    """Return a host in the one way it is written here: lower case, no final dot, no brackets. Raises Refused for what is no host."""
    written = host.lower().removesuffix(".")
    if literal(written) is not None:
        return str(literal(written))
    if ":" in written or "%" in written:
        raise Refused(f"the host {host!r} is no address")
    if _NUMBER.fullmatch(
        written.rpartition(".")[2]
    ):  # What systems read as an address: 2130706433, 0x7f.1, 0177.0.0.1.
        raise Refused(f"the host {host!r} is an address in a spelling that hides it; write it as four decimal numbers")
    if len(written) > _NAME_LENGTH_MAX or not _NAME.fullmatch(written):
        raise Refused(f"the host {host!r} is no name of a host")
    return written


def literal(host: str) -> Address | None:
    """Return the address that a host spells out, None for a name."""
    try:
        return ip_address(host) if "%" not in host else None
    except (AddressValueError, ValueError):
        return None


def _network(place: str) -> Network:
    try:
        return ip_network(place)
    except ValueError as error:
        raise BadConfiguration(f"{place!r} is no network: {error}", hint=_HOW) from error


def _place(place: str) -> tuple[str, int | None]:
    host, _, port = place.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    is_port = port == "*" or (port.isascii() and port.isdecimal() and 0 < int(port[:6]) <= _PORT_MAX)
    if not host or not is_port:
        raise BadConfiguration(f"{place!r} is no place that calls could reach", hint=_HOW)
    try:
        return host_of(host), None if port == "*" else int(port)
    except Refused as refused:
        raise BadConfiguration(f"{place!r} is no place that calls could reach: {refused}", hint=_HOW) from refused


def _read(host: str, text: str) -> Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise Refused(f"{host} was resolved to {text!r}, which is no address") from error


def _is_loopback(address: Address) -> bool:
    inner = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (inner or address).is_loopback


async def _ask_system(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for _, _, _, _, sockaddr in found]
