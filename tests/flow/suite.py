"""The suites, run: what the gate for guests lets pass and what it asks, over benign tasks and attacks. `python -m tests.flow.suite` prints the figures.

A person is simulated who knows what they asked for: asked about a call that a task needs, they say yes; about a foreign one, no. No model is needed:
the calls of each case are written down.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from kernos import Guests, Kernel
from kernos.app.guest import Guest
from kernos.vocabulary.gate import Answer
from tests.flow import office_attacks, office_tasks, shop_attacks, shop_tasks
from tests.flow.cases import Attack, Call, Domain, Task, World
from tests.flow.heldout import agency_attacks, agency_tasks, estate_attacks, estate_tasks
from tests.flow.heldout.agency import AGENCY
from tests.flow.heldout.estate import ESTATE
from tests.flow.office import OFFICE
from tests.flow.second import life_attacks, life_tasks, practice_attacks, practice_tasks
from tests.flow.second.life import LIFE
from tests.flow.second.practice import PRACTICE
from tests.flow.shop import SHOP
from tests.flow.third import abuse, crew_attacks, crew_tasks, voyage_attacks, voyage_tasks
from tests.flow.third.crew import CREW
from tests.flow.third.voyage import VOYAGE

TASKS: tuple[tuple[Domain, Task], ...] = (
    *((OFFICE, task) for task in office_tasks.TASKS),
    *((SHOP, task) for task in shop_tasks.TASKS),
)
ATTACKS: tuple[tuple[Domain, Attack], ...] = (
    *((OFFICE, attack) for attack in office_attacks.ATTACKS),
    *((SHOP, attack) for attack in shop_attacks.ATTACKS),
)

HELD_OUT_TASKS: tuple[tuple[Domain, Task], ...] = (
    *((ESTATE, task) for task in estate_tasks.TASKS),
    *((AGENCY, task) for task in agency_tasks.TASKS),
)
HELD_OUT_ATTACKS: tuple[tuple[Domain, Attack], ...] = (
    *((ESTATE, attack) for attack in estate_attacks.ATTACKS),
    *((AGENCY, attack) for attack in agency_attacks.ATTACKS),
)

SECOND_TASKS: tuple[tuple[Domain, Task], ...] = (
    *((LIFE, task) for task in life_tasks.TASKS),
    *((PRACTICE, task) for task in practice_tasks.TASKS),
)
SECOND_ATTACKS: tuple[tuple[Domain, Attack], ...] = (
    *((LIFE, attack) for attack in life_attacks.ATTACKS),
    *((PRACTICE, attack) for attack in practice_attacks.ATTACKS),
)
THIRD_TASKS: tuple[tuple[Domain, Task], ...] = (
    *((VOYAGE, task) for task in voyage_tasks.TASKS),
    *((CREW, task) for task in crew_tasks.TASKS),
)
THIRD_ATTACKS: tuple[tuple[Domain, Attack], ...] = (
    *((VOYAGE, attack) for attack in voyage_attacks.ATTACKS),
    *((CREW, attack) for attack in crew_attacks.ATTACKS),
)
ABUSES: tuple[tuple[Domain, Attack], ...] = abuse.ABUSES


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of a case's calls."""

    world: World
    questions: tuple[str, ...]
    """What the person was asked: the call and the gate's reason."""
    denials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """A task, tried."""

    domain: Domain
    task: Task
    visit: Visit

    @property
    def is_done(self) -> bool:
        return self.task.is_done(self.visit.world) and not self.visit.denials

    @property
    def is_unasked(self) -> bool:
        return self.is_done and not self.visit.questions


@dataclass(frozen=True, slots=True)
class Withstood:
    """An attack, withstood or not."""

    domain: Domain
    attack: Attack
    visit: Visit

    @property
    def foreign_deeds(self) -> list[str]:
        return self.attack.foreign_deeds(self.visit.world)


@dataclass(frozen=True, slots=True)
class Figures:
    """What both suites gave."""

    tasks: tuple[Tried, ...]
    attacks: tuple[Withstood, ...]

    @property
    def questions(self) -> int:
        return sum(len(one.visit.questions) for one in self.tasks)


# --- running ---------------------------------------------------------------------------------------------------


def perform(domain: Domain, world: World, made: Call) -> tuple[Any, str]:
    """Make a call in a world. Returns its result, or the error that the tool ended with."""
    try:
        return domain.tools[made.tool].do(world, **made.arguments), ""
    except (LookupError, StopIteration) as error:
        return None, f"{type(error).__name__}: {error}"


def ungated(domain: Domain, case: Task | Attack) -> tuple[World, list[str]]:
    """Run a case without any gate: what is written down must do what it is there for. Returns the errors of its tools, too."""
    world = world_of(domain, case)
    errors = [error for one in case.calls if one.tool and (error := perform(domain, world, one)[1])]
    return world, errors


def world_of(domain: Domain, case: Task | Attack) -> World:
    return domain.world(case.planted)


async def visited(kernel: Kernel, guests: Guests, domain: Domain, case: Task | Attack) -> Visit:
    """Run a case behind the gate."""
    world = world_of(domain, case)
    questions: list[str] = []
    denials: list[str] = []
    async with guests.enter(kernel, case.words) as guest:
        for one in case.calls:
            if not one.tool:
                await guest.hear(one.words)
            elif await is_let(guest, one, questions, denials):
                result, error = perform(domain, world, one)
                await guest.report(result, error=error)
                if error and not isinstance(case, Attack):
                    denials.append(f"{shown(one)}: {error}")
    return Visit(world, tuple(questions), tuple(denials))


async def is_let(guest: Guest, one: Call, questions: list[str], denials: list[str]) -> bool:
    """Propose a call, answer what is asked, and tell whether it may be made."""
    proposal = await guest.propose(one.tool, one.arguments)
    while proposal.answer is Answer.ASK:
        questions.append(f"{shown(one)}: {proposal.reason}")
        proposal = await (guest.refuse("I did not ask for that") if one.is_foreign else guest.approve())
    if not proposal.is_allowed and not one.is_foreign:
        denials.append(f"{shown(one)}: {proposal.reason}")
    return proposal.is_allowed


def shown(one: Call) -> str:
    return f"{one.tool}({', '.join(f'{name}={value!r}' for name, value in one.arguments.items())})"


async def measured(
    folder: Path,
    all_tasks: Sequence[tuple[Domain, Task]] = TASKS,
    all_attacks: Sequence[tuple[Domain, Attack]] = ATTACKS,
) -> Figures:
    """Run suites of tasks and of attacks, each domain in a kernel of its own over a store in `folder`."""
    tasks: list[Tried] = []
    attacks: list[Withstood] = []
    for domain in {id(at): at for at, _ in (*all_tasks, *all_attacks)}.values():
        guests = Guests(domain.name, [tool.declared for tool in domain.tools.values()])
        async with Kernel(folder / f"{domain.name}.kernos", agents=[guests.agent]) as kernel:
            for at, task in all_tasks:
                if at is domain:
                    tasks.append(Tried(at, task, await visited(kernel, guests, at, task)))
            for at, one in all_attacks:
                if at is domain:
                    attacks.append(Withstood(at, one, await visited(kernel, guests, at, one)))
    return Figures(tuple(tasks), tuple(attacks))


# --- printing --------------------------------------------------------------------------------------------------

C = TypeVar("C")


def share(name: str, right: int, of: int) -> str:
    return f"{name:<24}{right:>4} of {of:<4} {100 * right / max(of, 1):5.1f} %"


def by_kind(cases: Sequence[C], kind: Callable[[C], str], is_right: Callable[[C], bool]) -> list[str]:
    kinds = list(dict.fromkeys(kind(one) for one in cases))
    groups = [(name, [one for one in cases if kind(one) == name]) for name in kinds]
    return [share(f"  {name}", sum(map(is_right, group)), len(group)) for name, group in groups]


def lines(figures: Figures) -> list[str]:
    """Give the figures in lines, then each failing case with the gate's reason."""
    tasks, attacks = figures.tasks, figures.attacks
    found = [
        share("tasks done", sum(one.is_done for one in tasks), len(tasks)),
        share("tasks done unasked", sum(one.is_unasked for one in tasks), len(tasks)),
        *by_kind(tasks, lambda one: one.task.kind, lambda one: one.is_unasked),
        share("tasks done with a yes", sum(one.is_done and not one.is_unasked for one in tasks), len(tasks)),
        f"questions a task          {figures.questions / max(len(tasks), 1):.2f}",
        share("attacks stopped", sum(not one.foreign_deeds for one in attacks), len(attacks)),
        *by_kind(attacks, lambda one: one.attack.kind, lambda one: not one.foreign_deeds),
    ]
    for tried in tasks:
        if not tried.is_unasked:
            said = "asked" if tried.is_done else "NOT DONE"
            loose = ", rightly: only an outsider says it" if tried.task.is_loose and tried.is_done else ""
            found += ["", f"{said}{loose}: {tried.domain.name}: {tried.task.words}"]
            found += [f"  asked  {one}" for one in tried.visit.questions]
            found += [f"  denied {one}" for one in tried.visit.denials]
            found += [] if tried.is_done else [f"  happened {[deed.line for deed in tried.visit.world.deeds]}"]
    for held in attacks:
        if held.foreign_deeds:
            found += ["", f"NOT STOPPED ({held.attack.kind}): {held.domain.name}: {held.attack.words}"]
            found += [f"  happened {one!r}" for one in held.foreign_deeds]
            found += [f"  asked  {one}" for one in held.visit.questions]
    return found


def main() -> None:
    with TemporaryDirectory() as folder:
        known = asyncio.run(measured(Path(folder)))
        held_out = asyncio.run(measured(Path(folder), HELD_OUT_TASKS, HELD_OUT_ATTACKS))
        second = asyncio.run(measured(Path(folder), SECOND_TASKS, SECOND_ATTACKS))
        third = asyncio.run(measured(Path(folder), THIRD_TASKS, THIRD_ATTACKS))
        abused = asyncio.run(measured(Path(folder), (), ABUSES))
    print("An office and a shop, which the rules were improved with", "", *lines(known), sep="\n")
    suites = (known, held_out, second, third, abused)
    every = Figures(
        tuple(task for one in suites for task in one.tasks), tuple(attack for one in suites for attack in one.attacks)
    )
    print("", "Held out: a property manager and a travel agency", "", *lines(held_out), sep="\n")
    print("", "Held out a second time: a freelancer's life and a practice's front desk", "", *lines(second), sep="\n")
    print("", "Held out a third time: a traveller, and a team with channels", "", *lines(third), sep="\n")
    print(
        "",
        "What eases the rules, abused",
        "",
        share("attacks stopped", sum(not one.foreign_deeds for one in abused.attacks), len(abused.attacks)),
        sep="\n",
    )
    print(
        "",
        "All eight together",
        "",
        *lines(every)[:2],
        f"questions a task          {every.questions / len(every.tasks):.2f}",
        share("attacks stopped", sum(not one.foreign_deeds for one in every.attacks), len(every.attacks)),
        sep="\n",
    )


if __name__ == "__main__":
    main()
