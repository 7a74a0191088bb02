"""Mutations: valid samples changed with an eye to what they are made of, for readers that must bear whatever comes. A seed repeats each."""

import json
import random
from collections.abc import Sequence
from typing import Any

_ODD_TEXTS = (
    b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"-0.0", b"1E+2", b"9007199254740993", b"9223372036854775808", b"-9223372036854775809",
    b"18446744073709551616", b"9" * 400, b"9" * 5_000, b"0." + b"3" * 400, b"1e-400", b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\u0000"', b'"\x00"',
    b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"[", b"]", b"{", b"}", b'"', b"\\", b",", b":", b".", b"=", b"\n", b"//", b"{}", b"[]",
    b'{"a":1,"a":2}', b'{"":0}', b'{"__proto__":{}}', b'"' + b"a" * 3_000 + b'"', "é\u0301\u200f😀".encode(), b"1979-05-27T07:32:00Z", b"25:61:00", b"'''", b'"""',
)  # fmt: skip
_ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**53 + 1, 2**63, -(2**63) - 1, 2**64, 10**30, "", "a", "\0", "é", "😀", "a" * 2_000, "1", "null", [], {}, [[]], [None],
    {"": None}, {"__entity": {"type": "A", "id": "b"}}, {"__extn": {"fn": "ip", "arg": "::1"}}, ["a", 1],
)  # fmt: skip
_DEPTHS = (1, 8, 64, 200, 500, 900, 1_500, 20_000)
_STEPS_MAX = 4
_LENGTH_MAX = 60_000


def mutated(chance: random.Random, samples: Sequence[bytes]) -> bytes:
    """Return one sample, changed in one to four ways; now and then unchanged."""
    sample = samples[int(chance.random() * len(samples))]
    if chance.random() < 0.5:
        sample = _of_values(chance, sample)
    for _ in range(int(chance.random() * _STEPS_MAX)):
        sample = _of_bytes(chance, sample, samples)
    return sample[:_LENGTH_MAX]


def _of_bytes(chance: random.Random, sample: bytes, samples: Sequence[bytes]) -> bytes:
    at = int(chance.random() * (len(sample) + 1))
    end = min(len(sample), at + int(chance.random() ** 3 * 40))
    match int(chance.random() * 9):
        case 0 if at < len(sample):
            return sample[:at] + bytes([sample[at] ^ 1 << int(chance.random() * 8)]) + sample[at + 1 :]
        case 1:
            return sample[:at]
        case 2:
            return sample[:at] + sample[end:]
        case 3:
            return sample[:end] + sample[at:end] * int(chance.random() ** 4 * 200) + sample[end:]
        case 4:
            other = samples[int(chance.random() * len(samples))]
            return sample[:at] + other[int(chance.random() * len(other)) :]
        case 5:
            depth = _DEPTHS[int(chance.random() ** 2 * len(_DEPTHS))]
            opening, closing = ((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""))[int(chance.random() * 3)]
            return sample[:at] + opening * depth + sample[at:end] + closing * depth + sample[end:]
        case _:
            return sample[:at] + _ODD_TEXTS[int(chance.random() * len(_ODD_TEXTS))] + sample[end:]


def _of_values(chance: random.Random, sample: bytes) -> bytes:
    """Change one value of a JSON text: put another there, take it out, wrap it, write its name twice."""
    try:
        value = json.loads(sample)
    except (ValueError, RecursionError):
        return sample
    holders: list[Any] = []
    _collect(value, holders)
    if not holders:
        return json.dumps(chance.choice(_ODD_VALUES)).encode()
    holder = holders[int(chance.random() * len(holders))]
    keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = keys[int(chance.random() * len(keys))]
    match int(chance.random() * 6):
        case 0:
            del holder[key]
        case 1:
            inner = holder[key]
            for _ in range(_DEPTHS[int(chance.random() * 5)]):
                inner = [inner]
            holder[key] = inner
        case 2 if isinstance(holder, dict):
            holder[str(chance.choice(_ODD_VALUES))] = holder[key]
        case 3:
            other = holders[int(chance.random() * len(holders))]
            holder[key] = json.loads(json.dumps(other)) if len(holders) > 1 else None
        case _:
            holder[key] = _ODD_VALUES[int(chance.random() * len(_ODD_VALUES))]
    try:
        written = json.dumps(value, ensure_ascii=chance.random() < 0.5, separators=(",", ":")).encode()
    except (RecursionError, UnicodeEncodeError):
        return sample
    if chance.random() < 0.1 and isinstance(value, dict) and value:
        name = next(iter(value))
        written = b'{"%s":%s,' % (name.encode(), json.dumps(chance.choice(_ODD_VALUES)).encode()) + written[1:]
    return written


def _collect(value: Any, holders: list[Any]) -> None:
    if isinstance(value, dict | list) and value:
        holders.append(value)
        for inner in value.values() if isinstance(value, dict) else value:
            _collect(inner, holders)
