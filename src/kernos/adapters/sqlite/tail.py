"""Tail: where the journal ends, as the store has it and the newest signed head vouches for it."""

from dataclasses import dataclass
from pathlib import Path

import apsw

from kernos.adapters.sqlite.heads import COLUMNS, ChainedHead, Notary, head_of_row
from kernos.adapters.sqlite.keyring import hand_overs_in
from kernos.adapters.sqlite.tree import Frontier, frontier_positions
from kernos.vocabulary.errors import BadConfiguration, Tampered


@dataclass(frozen=True, slots=True)
class Tail:
    """The right edge of the tree, and what the next head is chained to. Never changed, only replaced."""

    frontier: Frontier
    link: bytes
    head: ChainedHead | None = None


def load_tail(connection: apsw.Connection, notary: Notary, path: Path) -> Tail:
    """Read the end and check it against the newest head. Call inside a transaction, so that both are of one moment.

    Raises Tampered when the head is not this store's, or the entries are not those that it was signed over, and BadConfiguration when the key
    was rotated since the notary was made.
    """
    _check_key(connection, notary, path)
    last = connection.execute("SELECT max(pos) FROM events").get
    size = last + 1 if isinstance(last, int) else 0
    row = connection.execute(f"SELECT {COLUMNS} FROM heads ORDER BY size DESC LIMIT 1").fetchone()
    if row is None:
        if size:
            raise Tampered(f"{path} holds {size} entries and no tree head")
        return Tail(Frontier(), notary.link_of(None)[0])
    try:
        head = head_of_row(row)
    except ValueError as error:
        raise Tampered(f"the newest tree head of {path} (size {row[0]}) is damaged") from error
    if not notary.is_ours(head):
        raise Tampered(f"the newest tree head of {path} (size {head.size}) is not signed by this store's key")
    if head.size != size:
        what = "was cut" if size < head.size else "has entries that no tree head covers"
        raise Tampered(f"{path} {what}: it holds {size} entries, and its newest tree head is of size {head.size}")
    nodes: list[bytes] = []
    for _, position in frontier_positions(size):
        node = connection.execute("SELECT node FROM events WHERE pos=?", (position,)).get
        nodes.append(node if isinstance(node, bytes) else b"")
    frontier = Frontier(size, nodes)
    if frontier.root() != head.root:
        raise Tampered(
            f"{path} was rewritten: its {size} entries are not those that its newest tree head was signed over"
        )
    return Tail(frontier, notary.digest(head), head)


def _check_key(connection: apsw.Connection, notary: Notary, path: Path) -> None:
    try:
        hand_overs = hand_overs_in(connection)
    except ValueError as error:
        raise Tampered(f"{path} has a damaged hand-over") from error
    known = len(notary.hand_overs)
    if hand_overs[:known] != notary.hand_overs:
        raise Tampered(f"{path} was rewritten while in use: a hand-over of its key is gone")
    if len(hand_overs) > known:
        message = (
            f"the key of {path} was rotated at {hand_overs[known].size} entries; this process holds the one before"
        )
        raise BadConfiguration(message, hint="Start it again: then it uses the key in force.")
