"""What is done to signed answers: every claim and every byte changed, and one yes used by a thousand runs at once."""

import asyncio
import random
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import DecodeError, json

from kernos import CallRefused, Context, Kernel, agent, tool
from kernos.adapters.joserfc.tokens import JoseTokens
from kernos.control.gate import digest_of
from kernos.vocabulary.approval import ApprovalClaims
from kernos.vocabulary.commands import GrantApproval
from kernos.vocabulary.errors import BadToken, KernosError
from kernos.vocabulary.ids import EpochMs, PrincipalId, RunId, StepName, TenantId
from kernos.vocabulary.quantities import Json

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CLAIMS = ApprovalClaims(
    token_id="8d4b1b3c-5a67-4d0b-9a53-1f2e3d4c5b6a",  # noqa: S106 - the id of a token, no secret
    by=PrincipalId("person:ana"),
    tenant=TenantId("default"),
    issued_at=EpochMs(1_790_000_000_123),
    expires_at=EpochMs(1_790_000_900_123),
    tool="shop.refund",
    tool_digest="0123456789abcdef",
    args_digest="ab" * 32,
    run=RunId("5r0kd7v3m2axq"),
    step=StepName("4.1.2"),
    checkpoint="found",
    head_size=1_234,
    head_root="cd" * 32,
    policy_set="fedcba9876543210",
    rules=("cap", "refunds"),
    shown_digest="ef" * 32,
)
ARGUMENTS = Json(
    b'{"order":"A1","amount_cents":4990,"to":"ana@example.com","note":"as said, \xc3\xa9","lines":[1,2.5,null,true]}'
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ "


@dataclass(frozen=True)
class Order:
    """What is paid back."""

    id: str


def mutated(token: str, chance: random.Random) -> str:
    """Return the token with one letter changed, left out, put in or exchanged with another."""
    while True:
        at = chance.randrange(len(token))
        letter = chance.choice(_LETTERS)
        changed = chance.choice(
            [
                token[:at] + letter + token[at + 1 :],
                token[:at] + token[at + 1 :],
                token[:at] + letter + token[at:],
                token[:at],
            ]
        )
        if changed != token:
            return changed


def mutated_claims(claims: ApprovalClaims, chance: random.Random) -> tuple[str, ApprovalClaims]:
    """Return the name of one claim, and the claims with that one changed."""
    name = chance.choice([column.name for column in fields(claims)])
    changed: dict[str, Any] = {name: _other(getattr(claims, name), chance)}
    return name, replace(claims, **changed)


def mutated_arguments(chance: random.Random) -> Json:
    """Return the arguments with one byte changed, such that they are still JSON and mean something else."""
    before = json.decode(ARGUMENTS.text)
    while True:
        text = bytearray(ARGUMENTS.text)
        text[chance.randrange(len(text))] = chance.randrange(256)
        try:
            if json.decode(bytes(text)) != before:
                return Json(bytes(text))
        except (DecodeError, UnicodeDecodeError):
            continue


def _other(value: Any, chance: random.Random) -> Any:
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 60_000, 86_400_000])
    if isinstance(value, tuple):
        return chance.choice([value[:-1], (*value, "more"), tuple(reversed(value))])
    at = chance.randrange(len(value))
    letter = chance.choice("0123456789abcdef".replace(value[at], ""))
    return value[:at] + letter + value[at + 1 :]


def accepted_of(count: int, seed: int) -> int:
    """Return how many of `count` changed answers are accepted.

    In turn: a byte of the token is changed; a claim is changed and the old signature kept; a byte of the arguments about to be sent is changed.
    """
    tokens, chance = JoseTokens(KEY), random.Random(seed)  # noqa: S311 - chance by a seed, no secret
    token = tokens.seal(replace(CLAIMS, args_digest=digest_of(ARGUMENTS)))
    head, _, signature = token.split(".")
    accepted = 0
    for number in range(count):
        if number % 3 == 2:
            accepted += digest_of(mutated_arguments(chance)) == tokens.read(token).args_digest
            continue
        if number % 3:
            changed = mutated(token, chance)
        else:
            _, claims = mutated_claims(CLAIMS, chance)
            changed = f"{head}.{tokens.seal(claims).split('.')[1]}.{signature}"
        try:
            tokens.read(changed)
        except BadToken:
            continue
        accepted += 1
    return accepted


async def race(folder: Path, runs: int) -> tuple[int, int]:
    """Return how many actions came of one signed yes that `runs` runs used at once, and of `runs` people who approved one call at once."""
    effects: list[str] = []

    @tool("shop.refund", effect="once")
    async def refund(order: Order) -> str:
        effects.append(order.id)
        return order.id

    @agent(tools=[refund])
    async def desk(ctx: Context, order: Order) -> str:
        try:
            return await ctx.call(refund, order)
        except CallRefused as refused:
            return str(refused)

    async with Kernel(folder / "race.kernos", agents=[desk]) as kernel:
        started = [await kernel.start(desk, Order("A1")) for _ in range(runs)]
        while len(await kernel.waiting(kind="approval", limit=runs + 1)) < runs:
            await asyncio.sleep(0.01)
        step = StepName("1")
        state = await kernel.engine.state(started[0].id)
        now = kernel.engine.shared.clock.now()
        await kernel.approve(started[0].id)
        granted = [event.data async for event in started[0].events() if hasattr(event.data, "token")]
        await started[0].result()
        command = GrantApproval(step, state.steps[step].digest, now, "", granted[0].token)
        others = (kernel.engine.command(run.id, command, PrincipalId("person:eve")) for run in started[1:])
        await asyncio.gather(*others)
        while len(await kernel.waiting(kind="approval", limit=runs + 1)) < runs - 1:
            await asyncio.sleep(0.01)
        by_one_token = len(effects)
        effects.clear()
        people = (kernel.approve(started[1].id, by=f"person:p{number}") for number in range(runs))
        await asyncio.gather(*people, return_exceptions=True)
        await started[1].result()
        for run in started[2:]:
            try:
                await kernel.cancel(run.id, "the race is over")
            except KernosError:
                continue
        return by_one_token, len(effects)
