"""fuzz: whatever is put before the readers of tokens, arguments, calls, declarations and events, they answer or refuse in their own words.

Each reader gets so many inputs: valid samples, changed (`mutations.py`). What it accepts must also hold together; an error of another type than the
reader's own ends the benchmark with the seed that repeats it.
"""

import random
import sqlite3
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel

from benchmarks.contestant import ProgramFailed
from benchmarks.mutations import mutated
from benchmarks.row import FOLDER, Options, Row
from benchmarks.subject.approvals import CLAIMS, KEY
from kernos.adapters.cedar.policy import CedarPolicy
from kernos.adapters.joserfc.tokens import JoseTokens
from kernos.app.context_file import look_at_context
from kernos.authoring.agent import agent
from kernos.authoring.tool import tool
from kernos.control.codec import decode_entry, encode_event
from kernos.control.gate import digest_of
from kernos.control.registry import Registry
from kernos.execution.context import Context
from kernos.vocabulary.circumstances import Declared
from kernos.vocabulary.errors import BadToken, ForeignStore
from kernos.vocabulary.gate import Answer, Request
from kernos.vocabulary.ids import PrincipalId, RunId, TenantId
from kernos.vocabulary.journal import Entry
from kernos.vocabulary.outcome import Effect
from kernos.vocabulary.quantities import Json

_INPUTS = 1_000_000
_INPUTS_SMALL = 1_000
_PROGRESS = 100_000
_SAID_MAX = 10
_SEED = 20_262

Read = Callable[[bytes, random.Random], str]
"""Gives the reader one input; returns what came of it: `accepted`, or the name of the reader's own refusal."""


class Item(BaseModel):
    """Something ordered."""

    sku: str
    count: int = 1
    note: str | None = None


class Order(BaseModel):
    """An argument with something of every shape."""

    id: str
    amount_cents: int
    items: list[Item]
    tags: Annotated[list[str], "free"] = []
    urgent: bool = False
    weight: float = 0.5
    more: Any = None


@tool("shop.order", effect="idempotent")
async def order(value: Order) -> str:
    """Order it."""
    return value.id


@agent(tools=[order])
async def buyer(ctx: Context, value: Order) -> str:
    """Order what is given."""
    return await ctx.call(order, value)


ORDER = b'{"id":"A-1","amount_cents":4000,"items":[{"sku":"TEE","count":2,"note":"blue"},{"sku":"CAP"}],"tags":["a","b"],"urgent":true,"weight":1.25,"more":{"x":[1,{"y":null}]}}'
TEXTS = (
    ORDER,
    b'{"b":1,"a":[1.5,-0.0,1e21,0.000001,"\xc3\xa9\\n\\u2028"],"\xf0\x9f\x98\x80":"","":{}}',
    b"[]",
    b"7",
    b'"x"',
)
CONTEXT = b"""zone = "Europe/Berlin"

[count]
of_customer = { tools = ["shop.order"], by = "id", within = "24h" }
in_run = { tools = ["shop.order"], by = { "shop.order" = ["id", "urgent"] }, within = "run", since = ["model"] }

[sum.paid]
tools = ["shop.order"]
by = "id"
of = "amount_cents"
within = "30d"
"""
RULES = """
@id("small") permit (principal, action, resource is shop::order) when { resource.amount_cents < 5000 };
@id("few") forbid (principal, action, resource is shop::order) when { context.of_customer > 3 || context.paid > 10000 };
@id("listed") forbid (principal, action, resource is shop::order)
when { resource has tags && resource.tags.contains("never") || resource has urgent && resource.urgent && resource.id like "Z*" };
"""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader, the samples that its inputs are made of, and what it is given."""

    name: str
    samples: tuple[bytes, ...]
    read: Read


def run(options: Options) -> list[Row]:
    """Give every reader its inputs."""
    inputs = options.inputs or (_INPUTS if options.full else _INPUTS_SMALL)
    rows: list[Row] = []
    crashes: list[str] = []
    for target in targets():
        begin = time.process_time()
        came, found = campaign(target, inputs, lambda line, name=target.name: options.say(f"{name}: {line}"))  # type: ignore[misc]
        seconds = time.process_time() - begin
        said = ", ".join(f"{count:,} {what}" for what, count in sorted(came.items()))
        rows.append(
            Row(f"{target.name}: {inputs:,} inputs ({said})", len(found), "uncaught", target="= 0", met=not found)
        )
        rows.append(Row(f"{target.name}: time of {inputs:,} inputs", seconds, "CPU s"))
        crashes += found
    options.say("webhook body: there is no reader of webhooks yet")
    if crashes:
        raise ProgramFailed("; ".join(crashes[:_SAID_MAX]))
    return rows


def campaign(target: Target, inputs: int, say: Callable[[str], None]) -> tuple[Counter[str], list[str]]:
    """Return how often what came of an input, and the errors that nobody caught, with the seeds that repeat them."""
    came = Counter[str]()
    found: list[str] = []
    for number in range(inputs):
        if number % _PROGRESS == 0:
            say(f"{number:,} of {inputs:,} ...")
        seed = f"{_SEED} {target.name} {number}"
        try:
            came[attempt(target, seed)] += 1
        except Exception as error:
            found.append(f"seed {seed!r}: {type(error).__name__}: {str(error)[:200]}")
            if len(found) <= _SAID_MAX:
                say(found[-1])
    return came, found


def attempt(target: Target, seed: str) -> str:
    """Make one input from its seed and give it to the reader."""
    chance = random.Random(seed)  # noqa: S311 - a seed repeats a failure
    return target.read(mutated(chance, target.samples), chance)


def targets() -> tuple[Target, ...]:
    """Return all readers."""
    return _tokens(), Target("canonical form of arguments", TEXTS, _digested), _policy(), _context(), _events()


# --- tokens ----------------------------------------------------------------------------------------------------------


def _tokens() -> Target:
    tokens = JoseTokens(KEY)
    token = tokens.seal(CLAIMS).encode()
    head, payload, _ = (_unpacked(part) for part in token.split(b"."))

    def read(given: bytes, chance: random.Random) -> str:
        if given[:1] == b"{" and chance.random() < 0.9:  # Rightly signed, whatever it says.
            is_head = chance.random() < 0.3
            parts = (given, payload) if is_head else (head, given)
            signed = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
            given = b".".join((signed, urlsafe_b64encode(KEY.sign(signed)).rstrip(b"=")))
        text = given.decode("utf-8", "surrogateescape")
        try:
            claims = tokens.read(text)
        except BadToken:
            return "BadToken"
        assert tokens.seal(claims) == text, "a second text is the same token"
        return "accepted"

    return Target("token parser", (token, payload, payload, head), read)


def _unpacked(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


# --- arguments -------------------------------------------------------------------------------------------------------


def _digested(given: bytes, chance: random.Random) -> str:
    try:
        value = msgspec.json.decode(given)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return type(error).__name__  # Whoever hands arguments over has read them before.
    digest = digest_of(Json(given))
    assert digest == digest_of(Json(msgspec.json.encode(_turned(value)))), "the order of names changes the digest"
    return "accepted"


def _turned(value: Any) -> Any:
    return dict(reversed(value.items())) if isinstance(value, dict) else value


# --- policy ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    """What the kernel is said to know: whatever the input says."""

    values: Any

    def value(self, name: str) -> object:
        return self.values.get(name) if isinstance(self.values, dict) else self.values


def _registry() -> Registry:
    return Registry([buyer], {})


def _declared() -> Declared:
    declared, faults = look_at_context(CONTEXT.decode(), _registry())
    assert not faults, faults
    return declared


def _policy() -> Target:
    policy, other = (
        CedarPolicy(RULES, [order], [buyer.name], ["default"], _declared(), engine) for engine in ("cedarpy", "python")
    )
    plain = Request(
        buyer.name, "1", PrincipalId("person:ana"), TenantId("default"), order.name, Effect.IDEMPOTENT, Json(ORDER)
    )
    known = b'{"of_customer":1,"paid":400,"in_run":0,"hour":7}'

    def read(given: bytes, chance: random.Random) -> str:
        request = replace(plain, args=Json(given), known=_Said({"of_customer": 1, "paid": 1}))
        if chance.random() < 0.4:
            try:
                request = replace(plain, known=_Said(msgspec.json.decode(given)))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                request = replace(plain, depth=len(given) << 60, args=Json(given))
        decision = policy.decide(request)
        second = other.decide(request)
        assert (decision.answer, decision.rules) == (second.answer, second.rules), "the two engines differ"
        assert decision.answer is not Answer.ALLOW or decision.rules == ("small",), "allowed by no rule that allows"
        return decision.answer.value

    return Target("policy context", (ORDER, ORDER, known), read)


def _context() -> Target:
    registry = _registry()

    def read(given: bytes, chance: random.Random) -> str:
        declared, faults = look_at_context(given.decode("utf-8", "replace"), registry)
        assert faults or type(declared) is Declared
        return "Fault" if faults else "accepted"

    return Target("context file", (CONTEXT,), read)


# --- events ----------------------------------------------------------------------------------------------------------


def _events() -> Target:
    samples: dict[str, bytes] = {}
    for store in sorted((FOLDER / "tests" / "corpus").glob("v*/desk.kernos")):
        connection = sqlite3.connect(f"file:{store}?mode=ro&immutable=1", uri=True)
        for (body,) in connection.execute("SELECT body FROM events"):
            if body[:1] == b"{":
                envelope = msgspec.json.decode(body)
                samples.setdefault(f"{envelope['kind']} {envelope['v']}", body)
        connection.close()
    assert samples

    def read(given: bytes, chance: random.Random) -> str:
        try:
            event = decode_entry(Entry(RunId("r1"), 0, given))
        except ForeignStore:
            return "ForeignStore"
        again = decode_entry(Entry(RunId("r1"), 0, encode_event(event)))
        assert again == event, "an event that was read is written as another"
        return "accepted"

    return Target("event decoder", tuple(samples.values()), read)
