"""Budgets: what may be used at most over a run's tree, an agent, a workflow, a tenant or the whole store, and what was used of it.

Before a model is called an upper bound is *reserved*; afterwards what was used takes its place. An *account* is what one cap is counted in.
"""

from dataclasses import dataclass
from enum import StrEnum

from kernos.vocabulary.ids import EpochMs, PrincipalId, StepName, TenantId


class Over(StrEnum):
    """What a cap is over."""

    RUN = "run"
    """A run and all below it, for as long as they live."""
    AGENT = "agent"
    """All runs of one agent in a tenant, each day (UTC); so are the ones below."""
    WORKFLOW = "workflow"
    """All runs below and with the runs of one agent that nobody else's run asked for."""
    TENANT = "tenant"
    STORE = "store"
    """Everything, of all tenants together."""


class Unit(StrEnum):
    """What is counted."""

    MICROUSD = "microusd"
    TOKENS = "tokens"
    """Of prompts and answers together."""
    CALLS = "calls"
    """Attempts at models and reads, and actions, however often they are tried."""
    RUNS = "runs"
    """Runs that are open at once: from the request to the end, also while they wait."""


PLACE = StepName("")
"""Stands for the run itself where a reservation is not for one of its steps: its place among the runs that may be open at once."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one run and all below it may use together; None: no cap. All are whole numbers from 0."""

    microusd: int | None = None
    tokens: int | None = None
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be used of a unit; `name` is the agent's or tenant's, empty for each that has no cap of its own."""

    over: Over
    unit: Unit
    amount: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Caps:
    """All caps that were declared, who may raise them, and at which shares (percent) of a cap people are told."""

    caps: tuple[Cap, ...] = ()
    raised_by: tuple[str, ...] = ()
    """Roles; empty: any person who may administer."""
    warn_at: tuple[int, ...] = (50, 80)
    is_raised_with_own_key: bool = False
    """A raise counts only if its person's own key signed it, too."""
    is_asked_by_another: bool = False
    """A raise counts only if somebody else asked for it."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one call of a tool costs, in micro-dollars: at most `microusd_max`, or the whole number in its argument `argument`.

    `reported`: the field of its result that says what it did cost; without, a call that was made costs all of that.
    """

    microusd_max: int | None = None
    argument: str = ""
    reported: str = ""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a model costs, in micro-dollars per million tokens; None is unknown. `has_tokens`: False where nothing is counted."""

    prompt_microusd: int | None
    completion_microusd: int | None
    has_tokens: bool = True


@dataclass(frozen=True, slots=True)
class Account:
    """What one cap is counted in; `period` is the day as `2026-01-31`, empty where it is for good or, of runs, for now."""

    tenant: TenantId
    over: Over
    name: str
    period: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Booking:
    """An amount reserved on an account, and the cap that it was held against."""

    account: Account
    amount: int
    cap: int
    reported: str = ""
    """The field of a tool's result that says what it did cost."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What was used of a reservation, which may be more: then the model or the tool used more than it said it would."""

    account: Account
    reserved: int
    amount: int


@dataclass(frozen=True, slots=True)
class Warned:
    """A share (percent) of an account's cap that was passed, and the highest one that people were told of before; once in each period."""

    account: Account
    share: int
    before: int


# --- events ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BudgetReserved:
    """A model or a tool is about to be called, and this much may be used by it; or, with the step PLACE, the run has a place among the open ones.

    `warnings`: shares of caps that were passed with it.
    """

    step: StepName
    bookings: tuple[Booking, ...]
    warnings: tuple[str, ...] = ()
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class BudgetSpent:
    """The call or, with the step PLACE, the run is over, and this much was used of what was reserved for it."""

    step: StepName
    spendings: tuple[Spending, ...]
    reservation: int = -1
    """Number of the event that reserved it."""
    verdict: str = ""
    """What a person said of a call that a crash cut off: `done`, `not_done` or `unknown`."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class CapsEntered:
    """From now on these caps count, for every process."""

    caps: Caps


@dataclass(frozen=True, slots=True)
class EnterCaps:
    """Let these caps count."""

    caps: Caps


@dataclass(frozen=True, slots=True)
class CapRaised:
    """A person lets more be used of an account's unit, from now on; `old` is what held before."""

    tenant: TenantId
    over: Over
    name: str
    unit: Unit
    old: int
    new: int
    reason: str
    token: str = ""
    """The person's signed word for exactly this, as approvals are signed."""
    own_signature: str = ""
    """The same, signed with their own key; empty without."""
    until: EpochMs = EpochMs(0)
    """When it ends, and what held before holds again; 0: never."""
    asked_by: PrincipalId = PrincipalId("")
    """Who asked for it; empty where nobody else did."""


@dataclass(frozen=True, slots=True)
class RaiseAsked:
    """Somebody wants a cap to be raised, up to `new`; another person does it or not."""

    tenant: TenantId
    over: Over
    name: str
    unit: Unit
    new: int
    reason: str


# --- commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReserveBudget:
    """Hold an upper bound of what a call may use."""

    step: StepName
    bookings: tuple[Booking, ...]
    warnings: tuple[str, ...]
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class SettleReservation:
    """Say what came of a call that a crash cut off: all that was reserved for it was used, or nothing was.

    `reservation`: the number of the event that reserved it. `verdict`: `done`, `not_done` or `unknown`, which counts as done.
    """

    reservation: int
    verdict: str
    note: str


@dataclass(frozen=True, slots=True)
class RaiseCap:
    """Let more be used. `old`: the cap that whoever says so has seen."""

    tenant: TenantId
    over: Over
    name: str
    unit: Unit
    old: int
    new: int
    reason: str
    token: str = ""
    own_signature: str = ""
    after: str = ""
    """The token of this cap's newest raise, as far as whoever says so has seen."""
    until: EpochMs = EpochMs(0)
    asked_by: PrincipalId = PrincipalId("")


@dataclass(frozen=True, slots=True)
class AskRaise:
    """Ask for a cap to be raised; a later wish for the same cap takes the place of an earlier one."""

    tenant: TenantId
    over: Over
    name: str
    unit: Unit
    new: int
    reason: str
