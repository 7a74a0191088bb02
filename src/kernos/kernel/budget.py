"""Budget: which accounts a run and its calls is held against, how much it may use at most, and what was used in the end. All sums are exact integers."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from kernos.kernel.state import Decide, Evolve, Held, Phase, RunState
from kernos.vocabulary.budget import (
    PLACE,
    Account,
    Budget,
    BudgetReserved,
    BudgetSpent,
    Cap,
    Cost,
    Over,
    Prices,
    ReserveBudget,
    SettleReservation,
    Spending,
    Unit,
)
from kernos.vocabulary.errors import InvalidInput, NotAllowed
from kernos.vocabulary.events import (
    ActionFailed,
    ActionIntended,
    ActionPerformed,
    ActionSettled,
    Event,
    EventData,
    RunCancelled,
    RunCompleted,
    RunExpired,
    RunFailed,
    RunRequested,
)
from kernos.vocabulary.ids import EVERY, RunId, StepName, TenantId
from kernos.vocabulary.quantities import NULL, Json, Usage

PROMPT_TOKENS_EXTRA = 256
"""Tokens that an endpoint may put around a prompt: marks of roles, names of forms."""

_MILLION = 1_000_000

SETTLED_AS = ("done", "not_done", "unknown")
"""What a person may say of a call that a crash cut off; `unknown` counts as used."""

AMOUNT_MAX = 10**15
"""A billion dollars, and sums of many calls stay within 64 bits."""

Raised = Mapping[tuple[TenantId, Over, str, Unit], int]
"""Caps as persons raised them."""


def accounts(
    caps: Iterable[Cap], raised: Raised, requested: RunRequested, run: RunId, day: str
) -> tuple[tuple[Account, int], ...]:
    """Return the accounts that a run and its calls are held against, each with its cap as it stands."""
    names = {
        Over.RUN: requested.root or run,
        Over.AGENT: requested.agent,
        Over.WORKFLOW: requested.workflow or requested.agent,
        Over.TENANT: requested.tenant,
        Over.STORE: "",
    }
    found: dict[tuple[Over, Unit], int] = {}
    for cap in sorted(caps, key=lambda cap: cap.name != ""):  # One by name comes after the one for each, and counts.
        if cap.name in ("", names[cap.over]):
            found[cap.over, cap.unit] = cap.amount
    for unit, amount in own_caps(requested.budget).items():
        found[Over.RUN, unit] = amount
    made: list[tuple[Account, int]] = []
    for (over, unit), amount in found.items():
        tenant = EVERY if over is Over.STORE else requested.tenant
        is_for_good = over is Over.RUN or unit is Unit.RUNS
        account = Account(tenant, over, names[over], "" if is_for_good else day, unit)
        made.append((account, max(amount, raised.get((tenant, over, account.name, unit), 0))))
    return tuple(made)


def own_caps(budget: Budget | None) -> Mapping[Unit, int]:
    """Return what a run's own budget caps."""
    if budget is None:
        return {}
    given = {Unit.MICROUSD: budget.microusd, Unit.TOKENS: budget.tokens, Unit.CALLS: budget.calls}
    return {unit: amount for unit, amount in given.items() if amount is not None}


def bound(prices: Prices | None, prompt_bytes: int, completion_tokens_max: int) -> Mapping[Unit, int | None]:
    """Return what one call can use at most; None where nobody knows. A token is at least one byte of text."""
    if prices is not None and not prices.has_tokens:
        return {Unit.CALLS: 1, Unit.TOKENS: 0, Unit.MICROUSD: 0}
    prompt = prompt_bytes + PROMPT_TOKENS_EXTRA
    tokens = prompt + completion_tokens_max
    each = (prices.prompt_microusd, prices.completion_microusd) if prices is not None else (None, None)
    if each[0] is None or each[1] is None or min(each[0], each[1]) < 0:  # Less than nothing is no price.
        return {Unit.CALLS: 1, Unit.TOKENS: tokens, Unit.MICROUSD: None}
    total = prompt * each[0] + completion_tokens_max * each[1]
    return {Unit.CALLS: 1, Unit.TOKENS: tokens, Unit.MICROUSD: -(-total // _MILLION)}


def passed(used: int, amount: int, cap: int, shares: Iterable[int]) -> tuple[int, ...]:
    """Return the shares (percent) of a cap that are passed when `amount` comes to what is used."""
    return tuple(share for share in shares if used * 100 < share * cap <= (used + amount) * 100)


def spent(state: RunState, step: StepName, usage: Usage | None, *, is_known: bool) -> tuple[BudgetSpent, ...]:
    """Say what was used of a reservation; nothing where there is none.

    `is_known` False: the call was made and nobody knows what came of it, so all that was reserved counts. Without a usage that is known,
    nothing was used but the call itself.
    """
    held = state.held.get(step)
    if held is None:
        return ()
    spendings = (
        Spending(one.account, one.amount, _used(one.account.unit, one.amount, usage, is_known=is_known))
        for one in held.bookings
    )
    return (BudgetSpent(step, tuple(spendings), held.n),)


def cost_of(cost: Cost | None, args: Json) -> int | None:
    """Return what one call of a tool can cost at most, in micro-dollars; None where nobody knows."""
    if cost is None or not cost.argument:
        return cost.microusd_max if cost is not None else None
    return _number_in(args, cost.argument)


def _number_in(value: Json | None, name: str) -> int | None:
    """Return the amount that stands in a field of a JSON object; None where there is none."""
    fields = json.loads(value.text) if value is not None and name else None
    amount = fields.get(name) if isinstance(fields, dict) else None
    return amount if type(amount) is int and 0 <= amount <= AMOUNT_MAX else None


def spent_by_tool(
    state: RunState, step: StepName, result: Json | None, *, is_known: bool = True
) -> tuple[BudgetSpent, ...]:
    """Say what a call of a tool used of its reservation, nothing where there is none.

    Without a result it was refused or did not happen, which counts as the call alone; unless nobody knows, which counts as all.
    """
    held = state.held.get(step)
    if held is None:
        return ()
    spendings: list[Spending] = []
    for one in held.bookings:
        amount = one.amount
        if one.account.unit is Unit.MICROUSD and is_known:
            reported = _number_in(result, one.reported)
            amount = 0 if result is None else one.amount if reported is None else reported
        spendings.append(Spending(one.account, one.amount, amount))
    return (BudgetSpent(step, tuple(spendings), held.n),)


def accounted(state: RunState, command: object, datas: tuple[EventData, ...]) -> tuple[EventData, ...]:
    """Put what happens to budgets beside the events that a command leads to: in the same commit, so that neither is without the other.

    An intent takes its reservation; an action whose outcome is known, and a run that ends, give back what they did not use.
    """
    held = getattr(command, "held", None)
    if held is not None and any(isinstance(data, ActionIntended) for data in datas):
        return (BudgetReserved(held.step, held.bookings, held.warnings, held.warned), *datas)
    if not state.held:
        return datas
    more = tuple(spent for data in datas for spent in _spent_with(state, data))
    return (*more, *datas) if more else datas


def _given_back(held: Held, verdict: str = "", note: str = "") -> BudgetSpent:
    spendings = tuple(Spending(one.account, one.amount, 0) for one in held.bookings)
    return BudgetSpent(held.step, spendings, held.n, verdict, note)


def standing(state: RunState) -> tuple[Held, ...]:
    """Return the reservations that only a person can close: of calls that a crash cut off, and whose outcome nothing will tell any more."""
    left = [
        held
        for step, held in state.held.items()
        if state.ended and step != PLACE and (step not in state.steps or state.steps[step].phase is Phase.DONE)
    ]
    return (*state.cut_off.values(), *left)


def _spent_with(state: RunState, data: EventData) -> tuple[BudgetSpent, ...]:
    match data:
        case RunCompleted() | RunFailed() | RunCancelled() | RunExpired():
            place = state.held.get(PLACE)
            return (_given_back(place),) if place is not None else ()
        case ActionPerformed(step, result):
            return spent_by_tool(state, step, result)
        case ActionFailed(step):
            return spent_by_tool(state, step, None)
        case ActionSettled(step, verdict, _, result, late):
            if verdict == "not_done":
                return spent_by_tool(state, step, None) if late else ()  # Else it is tried again.
            return spent_by_tool(state, step, result or NULL, is_known=verdict == "done")
        case _:
            return ()


def _used(unit: Unit, reserved: int, usage: Usage | None, *, is_known: bool) -> int:
    if unit is Unit.CALLS or (usage is None and not is_known):
        return reserved
    if usage is None:
        return 0
    tokens = usage.prompt_tokens + usage.completion_tokens
    if tokens <= 0:  # Not reported: what has no tokens reserved none.
        return max(reserved, usage.cost_microusd) if unit is Unit.MICROUSD else reserved
    if unit is Unit.TOKENS:
        return tokens
    return usage.cost_microusd if usage.cost_microusd >= 0 else reserved


def _reserve(state: RunState, command: ReserveBudget) -> tuple[EventData, ...]:
    assert command.step not in state.steps, command.step
    return (BudgetReserved(command.step, command.bookings, command.warnings, command.warned),)


def _settle(state: RunState, command: SettleReservation) -> tuple[EventData, ...]:
    found = [held for held in standing(state) if held.n == command.reservation]
    if not found:
        message = f"nothing of run {state.run} stands reserved under the number {command.reservation}"
        hint = "See what does with `kernos budget show`; what is in doubt is settled with `kernos settle`."
        raise NotAllowed(message, hint=hint)
    if command.verdict not in SETTLED_AS or not command.note:
        message = f"{command.verdict!r} with the note {command.note!r} settles nothing"
        raise InvalidInput(message, hint=f"Say one of {', '.join(SETTLED_AS)}, and how you know.")
    (held,) = found
    if command.verdict == "not_done":
        return (_given_back(held, command.verdict, command.note),)
    spendings = tuple(Spending(one.account, one.amount, one.amount) for one in held.bookings)
    return (BudgetSpent(held.step, spendings, held.n, command.verdict, command.note),)


DECIDE: Mapping[type, Decide] = {ReserveBudget: _reserve, SettleReservation: _settle}


def _reserved(state: RunState, event: Event, data: BudgetReserved) -> RunState:
    """Hold for the step; what was held for an attempt that a crash cut off stands apart, since nobody knows what came of it."""
    before = state.held.get(data.step)
    if data.step in state.queued:
        state = replace(state, queued={name: one for name, one in state.queued.items() if name != data.step})
    now = replace(state, held={**state.held, data.step: Held(data.step, event.n, data.bookings)})
    return now if before is None else replace(now, cut_off={**state.cut_off, before.n: before})


def _spent(state: RunState, event: Event, data: BudgetSpent) -> RunState:
    del event
    if data.reservation in state.cut_off:
        return replace(state, cut_off={n: held for n, held in state.cut_off.items() if n != data.reservation})
    return replace(state, held={step: held for step, held in state.held.items() if step != data.step})


EVOLVE: Mapping[type, Evolve] = {BudgetReserved: _reserved, BudgetSpent: _spent}
