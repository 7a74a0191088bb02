"""Names of things: distinct types for ids, and the two-way map between a run's id and its number.

A run is stored under a number that grows with time, so that the journal's index stays local however long it gets.
People see the same number scrambled, so that ids differ from the first character on and shorten as in git.
"""

import hashlib
from functools import lru_cache
from typing import NewType

RunId = NewType("RunId", str)
"""13 characters of lower-case Crockford base 32, such as `5r0kd7v3m2axq`; stands for a 64-bit run number."""

StepName = NewType("StepName", str)
"""A step's place in its run: `4`, or `4.1.2` for the second step in branch 1 of the fork at step 4."""

PrincipalId = NewType("PrincipalId", str)
"""Who acts, as `kind:name`: `person:ana`, `agent:refund_desk@3`, `service:kernos`."""

TenantId = NewType("TenantId", str)
ApprovalId = NewType("ApprovalId", str)
"""`RUN.STEP`: the step that waits for a person's yes."""

IdempotencyKey = NewType("IdempotencyKey", str)
"""`RUN.STEP`: the same over every retry, restart and replay of one action."""

EpochMs = NewType("EpochMs", int)
"""Milliseconds since 1970-01-01 UTC; 0 means never."""

KERNEL = PrincipalId("service:kernos")
LOCAL_PERSON = PrincipalId("person:local")
"""Who acts when nobody says otherwise: whoever started this program."""

EVERY = TenantId("*")
"""Stands for all tenants together where one is named."""

DEFAULT_TENANT = TenantId("default")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUE = {letter: value for value, letter in enumerate(_ALPHABET)}
_SPACE = 1 << 64
_SPREAD = 0x9E3779B97F4A7C15  # Odd, so that multiplying by it is a permutation of 64-bit numbers.
_GATHER = pow(_SPREAD, -1, _SPACE)
RUN_ID_LENGTH = 13
_REMEMBERED = 8_192  # Conversions kept: more than the runs in memory at once; a miss costs some 2 µs.

RUN_RANDOM_BITS = 20
"""Chance in the low bits of a run number: runs of one millisecond differ, in this process and in others."""


def run_number(at: int, chance: int) -> int:
    """Make a run number from `at` (milliseconds since 1970, up to 2**43) and `chance` (0 <= chance < 2**20)."""
    assert 0 <= chance < 1 << RUN_RANDOM_BITS, chance
    assert 0 <= at < 1 << 43, at
    return at << RUN_RANDOM_BITS | chance


@lru_cache(maxsize=_REMEMBERED)
def run_id(number: int) -> RunId:
    """Write a run number (0 <= number < 2**63) the way people see it."""
    spread = number * _SPREAD % _SPACE
    letters = [_ALPHABET[spread >> shift & 31] for shift in range(60, -1, -5)]
    return RunId("".join(letters))


def run_for_key(tenant: str, agent: str, key: str) -> RunId:
    """Return the one run that a start key stands for: the same for every process, so that the journal's fence decides who was first."""
    named = f"{tenant}\0{agent}\0{key}"
    digest = hashlib.sha256(named.encode(errors="surrogatepass")).digest()  # What is no text is refused by the journal.
    return run_id(int.from_bytes(digest[:8], "big") >> 1)


@lru_cache(maxsize=_REMEMBERED)
def number_of(run: str) -> int:
    """Read a whole run id back. Raises ValueError when `run` is not one."""
    if len(run) != RUN_ID_LENGTH or any(letter not in _VALUE for letter in run):
        message = f"{run!r} is not a run id: it has {RUN_ID_LENGTH} characters of {_ALPHABET}"
        raise ValueError(message)
    spread = 0
    for letter in run:
        spread = spread << 5 | _VALUE[letter]
    number = spread * _GATHER % _SPACE
    if spread >= _SPACE or number >= 1 << 63:
        message = f"{run!r} is not a run id: no run number belongs to it"
        raise ValueError(message)
    return number


def is_run_id(text: str) -> bool:
    """Tell whether `text` is a whole run id, of a run that may or may not exist."""
    try:
        number_of(text)
    except ValueError:
        return False
    return True


def step_key(run: RunId, step: StepName) -> str:
    """Name a step among all runs, as `RUN.STEP`; it serves as idempotency key and as approval id."""
    return f"{run}.{step}"


def split_step_key(key: str) -> tuple[RunId, StepName]:
    """Take `RUN.STEP` apart. Raises ValueError when there is no dot in it."""
    run, dot, step = key.partition(".")
    if not dot or not step:
        message = f"{key!r} does not name a step: it should look like RUN.STEP, for example 5r0kd7v3m2axq.4"
        raise ValueError(message)
    return RunId(run), StepName(step)


UUID_BITS = 122
"""Random bits in a UUID of version 4."""


def uuid4(bits: int) -> str:
    """Write random bits (0 <= bits < 2**122) as a version 4 UUID (RFC 9562, section 5.4)."""
    high, middle, low = bits >> 74, bits >> 62 & 0xFFF, bits & (1 << 62) - 1
    number = high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
