"""Odd bytes: what is read from arguments and entries is the same wherever it is read, and what is none is refused in words."""

import hashlib
from typing import Any

import pytest
import rfc8785

from kernos.control.codec import decode_entry, encode_event
from kernos.control.gate import digest_of
from kernos.vocabulary.errors import ForeignStore
from kernos.vocabulary.events import CancelRequested, Event
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.quantities import Json

WIDE = Json(b"[" + b",".join([b'{"b":[],"a":1.0}'] * 200) + b"]")


def deep(levels: int) -> Json:
    return Json(b"[" * levels + b"]" * levels)


def below(frames: int, args: Json) -> str:
    return below(frames - 1, args) if frames else digest_of(args)


@pytest.mark.parametrize("args", [deep(100), WIDE])
def test_a_digest_is_that_of_the_rfc_8785_form(args: Json) -> None:
    value: Any = [{"a": 1, "b": []}] * 200
    if args != WIDE:
        value = []
        for _ in range(99):
            value = [value]
    assert digest_of(args) == hashlib.sha256(rfc8785.dumps(value)).hexdigest()


@pytest.mark.parametrize("levels", [100, 101, 300])
def test_a_digest_does_not_depend_on_who_asks(levels: int) -> None:
    assert below(0, deep(levels)) == below(300, deep(levels))
    assert digest_of(deep(levels)) != digest_of(deep(levels + 1))


@pytest.mark.parametrize("cause", ['r1"', '","data":{}}', "\\", "\n", "\0", "é"])
def test_a_cause_is_written_so_that_it_is_read_again(cause: str) -> None:
    event = Event(RunId("r1"), 0, EpochMs(1), PrincipalId("person:ana"), cause, CancelRequested("why"))
    assert decode_entry(Entry(event.run, 0, encode_event(event))) == event


@pytest.mark.parametrize("version", [b"0", b"-1", b"99", b"1e3", b"null", b'"1"'])
@pytest.mark.parametrize("data", [b"[]", b"{}", b"null", b"7"])
def test_an_entry_of_a_version_or_form_that_never_was_is_refused(version: bytes, data: bytes) -> None:
    body = b'{"kind":"run.parked","v":%s,"at":1,"by":"person:ana","cause":"","data":%s}' % (version, data)
    with pytest.raises(ForeignStore):
        decode_entry(Entry(RunId("r1"), 0, body))
