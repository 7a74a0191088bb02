"""What is asked over the suites, written down: `python -m tests.flow.asked` writes `tests/flow/asked/*.txt` anew, and the difference shows what a change of rules changes.

One letter a call: `a` it may be made, `y` and `n` a person was asked and said yes or no, `d` it was denied. The reasons stand below. Each case is told
three times: as it is (and how its calls would be judged once more after it, if they came from the operator's code), after the words of the case before it, and with every text that a call sends spelled in another way.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import json

from kernos import Guests, Kernel
from kernos.control.deciding import Standing
from kernos.control.provenance import Provenance
from kernos.control.registry import Registry
from kernos.kernel.state import RunState
from kernos.vocabulary.gate import Answer
from kernos.vocabulary.ids import RunId
from kernos.vocabulary.quantities import Json
from tests.flow.cases import Attack, Call, Domain, Task
from tests.flow.suite import (
    ABUSES,
    ATTACKS,
    HELD_OUT_ATTACKS,
    HELD_OUT_TASKS,
    SECOND_ATTACKS,
    SECOND_TASKS,
    TASKS,
    THIRD_ATTACKS,
    THIRD_TASKS,
    perform,
    world_of,
)

FOLDER = Path(__file__).with_name("asked")
CASES: tuple[tuple[Domain, Task | Attack], ...] = (
    *(*TASKS, *HELD_OUT_TASKS, *SECOND_TASKS, *THIRD_TASKS),
    *(*ATTACKS, *HELD_OUT_ATTACKS, *SECOND_ATTACKS, *THIRD_ATTACKS, *ABUSES),
)
DOMAINS = tuple({domain.name: domain for domain, _ in CASES}.values())


async def told(domain: Domain, folder: Path) -> str:
    """Return what is asked over all cases of a domain."""
    cases = [case for at, case in CASES if at is domain]
    guests = Guests(domain.name, [tool.declared for tool in domain.tools.values()])
    lines: list[str] = []
    async with Kernel(folder / f"{domain.name}.kernos", agents=[guests.agent]) as kernel:
        for before, case in zip([cases[-1], *cases], cases, strict=False):
            lines.append(f"{case.kind}: {case.words}")
            for name, variant in (
                ("", case),
                ("other words", replace(case, words=before.words)),
                ("respelled", replace(case, calls=tuple(map(_respelled, case.calls)))),
            ):
                letters, reasons, run = await _letters(kernel, guests, domain, variant)
                lines.append(f"  {name or 'as it is'}: {letters}")
                lines += [f"    {reason}" for reason in reasons if not name]
                if not name:
                    lines += _afterwards(guests, case, await kernel.engine.state(run))
    return "\n".join(lines) + "\n"


async def _letters(kernel: Kernel, guests: Guests, domain: Domain, case: Task | Attack) -> tuple[str, list[str], RunId]:
    world, letters, reasons = world_of(domain, case), "", []
    async with guests.enter(kernel, case.words) as guest:
        for one in case.calls:
            if not one.tool:
                await guest.hear(one.words)
                continue
            proposal, letter = await guest.propose(one.tool, one.arguments), "a"
            while proposal.answer is Answer.ASK:
                letter = "n" if one.is_foreign else "y"
                reasons.append(f"{one.tool}: {proposal.reason}")
                proposal = await (guest.refuse("not asked for") if one.is_foreign else guest.approve())
            if proposal.is_allowed:
                result, error = perform(domain, world, one)
                await guest.report(result, error=error)
            elif letter == "a":
                letter = "d"
                reasons.append(f"{one.tool}: denied: {proposal.reason}")
            letters += letter
        return letters, reasons, guest.run.id


def _afterwards(guests: Guests, case: Task | Attack, state: RunState) -> list[str]:
    """Return what would be asked of the same calls after them all if the operator's code made them, and what another run would know of their arguments."""
    assert state.requested is not None
    code = Registry([replace(guests.agent, is_guest=False)], {}, ())
    nothing = replace(state, requested=replace(state.requested, input=Json(b"{}")))
    provenance = Provenance(Standing(nothing), code)
    letters, handed = "", []
    for one in case.calls:
        args = Json(json.encode(one.arguments))
        verdict = provenance.verdict(one.tool, args) if one.tool else None
        letters += _LETTERS[verdict.answer] if verdict is not None else ""
        heritage = provenance.handed(args)
        handed.append(f"{len(heritage.untrusted)}+{len(heritage.modelled)}" if heritage is not None else "-")
    return [f"  again, by code: {letters}; handed on: {' '.join(handed)}"]


_LETTERS = {Answer.ALLOW: "a", Answer.ASK: "y", Answer.DENY: "d"}


def _respelled(one: Call) -> Call:
    return replace(one, arguments={name: _other(value) for name, value in one.arguments.items()})


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return value.swapcase() + " "
    return [_other(one) for one in value] if isinstance(value, list) else value


def _all(domains: Sequence[Domain]) -> Iterator[tuple[Path, str]]:
    with TemporaryDirectory() as folder:
        for domain in domains:
            yield FOLDER / f"{domain.name}.txt", asyncio.run(told(domain, Path(folder)))


if __name__ == "__main__":
    for path, text in _all(DOMAINS):
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")
