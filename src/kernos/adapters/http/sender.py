"""Sender: what services and models are reached through; the library behind it is imported when it is first needed."""

from kernos.adapters.http.egress import Egress
from kernos.adapters.http.wire import Sender


def open_sender(response_bytes_max: int, connections_max: int, egress: Egress) -> Sender:
    """Return a sender; it opens no connection before it is used."""
    # Not above: aiohttp takes a quarter of a second to import, and most commands never send anything.
    from kernos.adapters.http.exchange import Exchange

    return Exchange(response_bytes_max, connections_max, egress)
