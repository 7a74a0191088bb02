"""Make a corpus: a small store with every event kind in it, twice: with all fields, and with those only that have no default.

`python -m tests.corpus.make v2` writes tests/corpus/v2 from the project's root. A corpus is kept as it is: every later build must open it.
The key is made from fixed bytes, here and in the test, so that no private key lies among the files.
"""

import asyncio
import enum
import json
import sys
import types
from collections import Counter
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, NewType, get_args, get_origin, get_type_hints

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kernos.adapters.ed25519.signer import FileSigner
from kernos.adapters.sqlite.journal import SqliteJournal
from kernos.control.codec import encode_event
from kernos.control.projections import TABLES, project
from kernos.vocabulary.events import KINDS, Event, EventData
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, run_id, run_number
from kernos.vocabulary.journal import Append
from kernos.vocabulary.quantities import PAYLOAD_INLINE_BYTES_MAX, Json

HERE = Path(__file__).parent
KEY = bytes(range(32, 64))
_BEGIN = 1_795_000_000_000
_RUNS_MAX = 8


class SteadyClock:
    """A clock that shows the same second, so that a corpus made twice is the same."""

    def now(self) -> EpochMs:
        return EpochMs(_BEGIN)

    def call_at(self, at: EpochMs, call: object) -> Any:
        raise NotImplementedError


def open_key(path: Path, *, may_make: bool) -> FileSigner:
    """Return the corpus's key, wherever it should lie."""
    return FileSigner(Ed25519PrivateKey.from_private_bytes(KEY))


def run_of(number: int) -> RunId:
    return run_id(run_number(_BEGIN + number, number))


def sample(hint: Any, name: str) -> Any:
    """Return some value of a type that an event's field may have."""
    if hint is RunId:
        return run_of(_RUNS_MAX)
    if isinstance(hint, NewType):
        return sample(hint.__supertype__, name)
    if hint is Json:
        return Json(b'{"order": "A-1", "amount": 1250, "note": "\xc3\xa9t\xc3\xa9"}')
    if hint is bool:
        return True
    if hint is int:
        return 7
    if hint is str:
        return f"{run_of(0)}.4" if name == "undone" else f"some {name}"
    if get_origin(hint) is types.UnionType:
        return sample(get_args(hint)[0], name)
    if get_origin(hint) is tuple:
        return tuple(sample(inner, name) for inner in get_args(hint) if inner is not Ellipsis)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if get_origin(hint) is Mapping:
        return {"key": sample(get_args(hint)[1], name)}
    if is_dataclass(hint):
        return _made(hint, whole=True)
    message = f"say in tests/corpus/make.py what a {hint} looks like"
    raise TypeError(message)


def _made(kind: Any, *, whole: bool) -> Any:
    hints = get_type_hints(kind)
    wanted = [column for column in fields(kind) if whole or not _has_default(column)]
    return kind(**{column.name: sample(hints[column.name], column.name) for column in wanted})


def _has_default(column: Field[Any]) -> bool:
    return column.default is not MISSING or column.default_factory is not MISSING


def events() -> list[Event]:
    """Return the corpus's events: some runs, one after the other."""
    datas: list[EventData] = [_made(kind, whole=whole) for whole in (True, False) for kind in KINDS]
    made: list[Event] = []
    numbers: Counter[int] = Counter()
    for index, data in enumerate(datas):
        run = index % _RUNS_MAX
        by = PrincipalId("agent:desk@3")
        made.append(Event(run_of(run), numbers[run], EpochMs(_BEGIN + index), by, f"n{index}", data))
        numbers[run] += 1
    return made


async def make(folder: Path) -> None:
    """Write a corpus."""
    folder.mkdir()
    journal = SqliteJournal(folder / "desk.kernos", TABLES, SteadyClock(), open_key=open_key)
    kinds: Counter[str] = Counter()
    for event in events():
        body = encode_event(event)
        name, version = KINDS[type(event.data)]
        kinds[f"{name} {version}"] += 1
        await journal.append([Append(event.run, event.n, (body,), project(event))]).durable()
    large = b'{"kind":"value.recorded","v":1,"at":1,"by":"agent:desk@3","cause":"","data":{"step":"9","what":"now","value":"%s"}}'
    await journal.append([Append(run_of(_RUNS_MAX), 0, (large % (b"x" * PAYLOAD_INLINE_BYTES_MAX),))]).durable()
    kinds["value.recorded 1"] += 1
    head = await journal.head()
    await journal.close()
    assert head is not None
    said = {"entries": head.size, "root": head.root.hex(), "kinds": dict(sorted(kinds.items()))}
    (folder / "corpus.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(make(HERE / sys.argv[1]))
