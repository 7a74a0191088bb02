"""Kernel: kernos inside any asyncio program.

`async with Kernel("desk.kernos", agents=[desk]) as kernel: run = await kernel.start(desk, ticket); answer = await run.result()`
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.adapters.system.clock import SystemChance, SystemClock
from kernos.app.budgets import caps_of, checked_budget
from kernos.app.in_force import InForce
from kernos.app.listed import over_handles
from kernos.app.people import People
from kernos.app.revert import check_may_be_reverted, revert_agent
from kernos.app.run import Run
from kernos.app.stores import open_store, open_tokens, open_vault
from kernos.authoring.codec import codec_of
from kernos.control.administrator import Administrator
from kernos.control.assignment import migrated
from kernos.control.authority import Authority
from kernos.control.circumstances import Circumstances
from kernos.control.dispatch import Dispatch
from kernos.control.engine import Engine
from kernos.control.gate import Gate, digest_of
from kernos.control.line import Line
from kernos.control.raising import Raises
from kernos.control.reconciler import Reconciler, Reconciliation
from kernos.control.registry import Registry
from kernos.control.replay import rebuild
from kernos.control.scheduler import Scheduler
from kernos.control.surroundings import Surroundings
from kernos.control.tenant_store import TenantStore
from kernos.control.treasury import Treasury
from kernos.control.undo_plan import Planner
from kernos.execution.seals import Seals
from kernos.execution.worker import InProcessWorker
from kernos.ports.approvals import ApprovalTokens
from kernos.ports.clock import Chance, Clock
from kernos.ports.journal import Row, Store
from kernos.ports.model import Model
from kernos.ports.plane import Worker
from kernos.ports.policy import Policy
from kernos.ports.vault import Vault
from kernos.vocabulary.administration import EVERY_TENANT, Scope
from kernos.vocabulary.budget import Budget, Caps, EnterCaps
from kernos.vocabulary.commands import (
    CancelRun,
    ResumeRun,
)
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import (
    BadConfiguration,
    ContractBroken,
    InvalidInput,
    KernosError,
    NotAllowed,
    StaleRunNumber,
)
from kernos.vocabulary.events import RunRequested
from kernos.vocabulary.ids import (
    DEFAULT_TENANT,
    KERNEL,
    EpochMs,
    PrincipalId,
    RunId,
    TenantId,
    run_for_key,
)
from kernos.vocabulary.profile import PROFILES
from kernos.vocabulary.quantities import (
    ACTIVE_RUNS_MAX,
    APPROVAL_TOKEN_MS,
    APPROVAL_TTL_MS,
    QUEUE_RUNS_MAX,
    WAIT_MS_MAX,
    Json,
)
from kernos.vocabulary.undo import REVERT_AGENT, UndoPlan, UndoReport

In = TypeVar("In")
Out = TypeVar("Out")

DAY_MS = 86_400_000


class Kernel(People):
    """One store, and the right to run agents over it unless another process has that."""

    def __init__(
        self,
        path: str | Path,
        *,
        agents: Sequence[AgentContract[Any, Any]] = (),
        models: Mapping[str, Model] | None = None,
        policies: str | Path | Policy | None = None,
        budgets: str | Path | Caps | None = None,
        works: bool = True,
        token: str = "",
        clock: Clock | None = None,
        chance: Chance | None = None,
        active_max: int = ACTIVE_RUNS_MAX,
        queue_max: int = QUEUE_RUNS_MAX,
        approval_ttl_ms: int = APPROVAL_TTL_MS,
        approval_token_ms: int = APPROVAL_TOKEN_MS,
    ) -> None:
        """Say what to run and where; `async with` opens it.

        `policies`: a Cedar file, a folder of them, or Cedar text; without, reads and models are allowed and every other tool asks a
        person. `budgets`: the file with the caps (docs/budgets.md), `budgets.toml` in the folder of policies if None. `works=False` opens a kernel that only sends commands. `token`: the credential of whoever gives the commands, where the store asks
        for one (docs/access.md); one that is not for the whole deployment runs no agents. `approval_ttl_ms`: how long a question to a person stands.
        `approval_token_ms`: how long a yes may be used. Raises BadConfiguration.
        """
        for name, ms in (("approval_ttl_ms", approval_ttl_ms), ("approval_token_ms", approval_token_ms)):
            if not 1 <= ms <= WAIT_MS_MAX:
                message = f"{name}={ms} is not within 1 and {WAIT_MS_MAX} (a hundred years)"
                raise BadConfiguration(message, hint="Say in milliseconds how long the question, or the yes, stands.")
        self.path = Path(path)
        self.registry = Registry(agents, models or {}, (revert_agent(self._tool),))
        self.in_force = InForce(policies, self.registry)
        self._caps = caps_of(budgets, policies)
        self._models = models or {}
        self._works = works
        self._credential = token
        self._clock = clock or SystemClock()
        self._chance = chance or SystemChance()
        self._bounds = (active_max, queue_max, approval_ttl_ms, approval_token_ms)
        self._lock: WorkerLock | None = None
        self._destroyed: frozenset[str] = frozenset()

    def _tool(self, name: str) -> ToolContract[Any, Any] | None:
        return self.registry.tool(name)

    async def __aenter__(self) -> Self:
        """Open the store, take up what is unfinished if this process is to run agents."""
        active_max, queue_max, approval_ttl_ms, approval_token_ms = self._bounds
        store = self._open_store()
        self.vault = self._open_vault()
        self.administrator = Administrator(store, self._clock)
        try:
            await self.administrator.follow()
            self._destroy_erased()
            self.administrator.on_change(self._destroy_erased)
            self.journal = self._seen(store)
        except KernosError:
            await store.close()
            raise
        gate = Gate(self.registry, self.in_force.policy)
        circumstances = Circumstances(self.in_force.declared, self.journal, self._clock, self.administrator)
        self.in_force.attach(gate, circumstances, self.administrator)
        tokens = self._open_tokens()
        self.raises = Raises(tokens, lambda: self.administrator.state, self._clock.now, lambda: self.caps)
        treasury = Treasury(lambda: self.caps, self.registry, self.journal, self.raises.amounts)
        shared = Surroundings(
            self._clock,
            self._chance,
            self.registry,
            gate,
            approval_ttl_ms,
            approval_token_ms,
            tokens,
            circumstances,
            self.administrator,
            treasury,
            Line(treasury, self.registry, self.administrator, self._clock),
            Dispatch(self.registry, self._clock),
        )
        self.planner = Planner(self.journal, self.journal, self.registry, self._clock)
        self.engine = Engine(
            self.journal, shared, self._new_worker(), self.planner.plan, active_max=active_max, queue_max=queue_max
        )
        self._scheduler = Scheduler(self.engine, self.journal)
        if self.journal.projections_changed:
            await rebuild(self.journal, self.journal, lambda _: None)
        if self._works:
            self._lock = self._try_lock()
        self.engine.works = self._lock is not None
        if self._lock is not None:
            await self.administrator.command(EnterCaps(self._caps), KERNEL)
        await self.in_force.begin(works=self._lock is not None)
        await self._scheduler.start()
        return self

    def _seen(self, store: Store) -> Store:
        """Return the store as whoever gives the commands may see it. Raises NotAllowed."""
        self.authority = Authority(self._credential, lambda: self.administrator.state, self._clock.now)
        self._works = self._works and self.authority.may_run_agents
        tenant = self.authority.caller.tenant
        return store if tenant == EVERY_TENANT else TenantStore(store, tenant)

    def _open_store(self) -> Store:
        """Open what keeps the journal; the kernel for tests keeps it elsewhere."""
        return open_store(self.path, self._clock)

    def _open_tokens(self) -> ApprovalTokens:
        """Open what signs people's answers; the kernel for tests has a key of its own."""
        return open_tokens(self.path)

    def _destroy_erased(self) -> None:
        """Destroy what is to be erased, also where the process that recorded it died before it had."""
        news = self.administrator.state.erased - self._destroyed
        if news:
            self.vault.destroy(news)
            self._destroyed |= news

    def _open_vault(self) -> Vault:
        """Open what keeps labelled values; the kernel for tests keeps them in memory."""
        return open_vault(self.path)

    def _try_lock(self) -> WorkerLock | None:
        """Take the right to run agents; the kernel for tests has no file to lock."""
        return WorkerLock.try_lock(self.path)

    def _new_worker(self) -> Worker:
        """Make what runs agents' code; the kernel for tests puts stand-ins in the places of tools."""
        return InProcessWorker(self._models, codec_of, vault=self.vault)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let attempts under way end, then close; what is unfinished goes on at the next start."""
        await self._scheduler.stop()
        await self.in_force.end()
        await self.engine.stop()
        await self.journal.close()
        self.vault.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def caps(self) -> Caps:
        """The caps that count: those of the process that runs agents, as it recorded them; before one has, those that this kernel was given."""
        recorded = None if self._lock is not None else self.administrator.state.caps_in_force
        return self._caps if recorded is None else recorded

    @property
    def policy(self) -> Policy:
        """The policy set in force."""
        return self.in_force.policy

    async def reload_policies(self, policies: str | Path | None = None, *, by: str = "") -> str:
        """Put changed policies in force without a restart; return their digest once they are. See `InForce.propose`."""
        who = self.authority.whole(by, Scope.ADMINISTER, "which policies are in force")
        return await self.in_force.propose(policies, who, self.path)

    @property
    def works(self) -> bool:
        """Whether this process runs agents over the store."""
        return self.engine.works

    # --- runs ----------------------------------------------------------------------------------------------------

    async def start(
        self,
        agent: AgentContract[In, Out] | str,
        value: In,
        *,
        intent: str = "",
        key: str = "",
        by: str = "",
        tenant: str = "",
        deadline_ms: int = 0,
        profile: str = "standard",
        grant: Iterable[ToolContract[Any, Any]] | None = None,
        budget: Budget | None = None,
    ) -> Run[Out]:
        """Ask an agent; return its run once the request is durable.

        `key`: the same start key gives the same run, however often it is asked for. `deadline_ms`: from now, a hundred years at most; the
        contract's wall time if 0. `grant`: the only tools that it and all below it may call, of those that their agents declare.
        `budget`: what it and all below it may use of models together (docs/budgets.md). `profile`: how soon it is wanted: `interactive`, `standard` or
        `batch` (docs/scheduling.md); all below it are wanted as soon.
        Raises InvalidInput, QueueFull, UnknownAgent.
        """
        who, mine = self.authority.who(by, Scope.START), self.authority.tenant(tenant)
        contract: AgentContract[In, Out] = self.registry.agent(agent if isinstance(agent, str) else agent.name)
        if contract.name == REVERT_AGENT:
            message = f"{REVERT_AGENT} is not started like other agents"
            raise InvalidInput(message, hint="Take a run's actions back with `kernos revert RUN`.")
        try:
            asked = intent or contract.description.split("\n", 1)[0] or contract.name
            text, words = Seals(self.vault, mine).begun(contract.input, value, asked)
        except ContractBroken as broken:
            message = f"agent {contract.name} was not started: {broken}"
            raise InvalidInput(message, hint="See what it takes with `kernos config`.") from broken
        if type(deadline_ms) is not int or not 0 <= deadline_ms <= WAIT_MS_MAX:
            message = f"agent {contract.name} was not started: deadline_ms={deadline_ms!r} is no time from now"
            raise InvalidInput(message, hint=f"Give whole milliseconds, at most {WAIT_MS_MAX} (a hundred years).")
        if profile not in PROFILES:
            message = f"agent {contract.name} was not started: no profile is named {profile!r}"
            raise InvalidInput(message, hint=f"Name one of {', '.join(PROFILES)}.")
        now = self._clock.now()
        requested = RunRequested(
            agent=contract.name,
            agent_version=contract.version,
            code_digest=contract.code_digest,
            intent=words,
            input=text,
            tenant=mine,
            limits=contract.limits,
            deadline_at=EpochMs(now + (deadline_ms or contract.limits.wall_time_ms)),
            profile=profile,
            start_key=key,
            on_failure=contract.on_failure,
            grant=None if grant is None else tuple(tool.name for tool in grant),
            budget=checked_budget(budget),
        )
        run = run_for_key(mine, contract.name, key) if key else self.engine.new_run()
        try:
            await self.engine.request(run, requested, who)
        except StaleRunNumber:
            before = (await self.engine.state(run)).request()
            if migrated(contract, before.agent_version, "input", before.input) != text:
                message = f"the start key {key!r} was used for another input before (run {run})"
                raise InvalidInput(message, hint="Use a key of its own for each piece of work.") from None
        return Run(self.engine, run, contract, self.authority, self.vault)

    async def run(self, name: str) -> Run[Any]:
        """Return the run whose id begins with `name`. Raises NotFound, Ambiguous."""
        self.authority.who("", Scope.LOOK)
        run = await self.find(name)
        state = await self.engine.state(run)
        return Run(self.engine, run, self.registry.known_agent(state.request().agent), self.authority, self.vault)

    async def runs(self, *, status: str = "", limit: int = 1_000) -> Sequence[Row]:
        """Return runs, newest first, optionally of one status."""
        self.authority.who("", Scope.LOOK)
        where = {"status": status} if status else {}
        return await self.journal.select("runs", where, descending=True, limit=limit)

    async def waiting(self, *, kind: str = "", limit: int = 1_000) -> Sequence[Row]:
        """Return what runs wait for, oldest run first: kind is approval, question, signal, timer, room or child."""
        self.authority.who("", Scope.LOOK)
        return await self.journal.select("waiting", {"kind": kind} if kind else {}, limit=limit)

    async def actions(self, *, status: str = "", limit: int = 1_000) -> Sequence[Row]:
        """Return actions, optionally of one status (`in_doubt` are those that a person must settle)."""
        self.authority.who("", Scope.LOOK)
        return await self.journal.select("actions", {"status": status} if status else {}, limit=limit)

    # --- what others say -----------------------------------------------------------------------------------------

    async def signal(self, run: str, topic: str, data: Any = None, *, key: str = "", by: str = "") -> None:
        """Send a signal to a run; a `key` makes it arrive once, however often it is sent.

        What the principal says besides the intent is one with a topic of its own: only a person's. Raises NotAllowed.
        """
        self.authority.who(by, Scope.START)
        found = await self.find(run)
        agent = self.registry.known_agent((await self.engine.state(found)).request().agent)
        await Run[Any](self.engine, found, agent, self.authority, self.vault).signal(topic, data, key=key, by=by)

    async def cancel(self, run: str, reason: str, *, by: str = "") -> None:
        """Stop a run and everything below it."""
        who = self.authority.who(by, Scope.OPERATE)
        await self.engine.command(await self.find(run), CancelRun(reason), who)

    async def resume(self, run: str, *, by: str = "") -> None:
        """Send a blocked run on."""
        who = self.authority.who(by, Scope.OPERATE)
        await self.engine.command(await self.find(run), ResumeRun(), who)

    # --- taking back ---------------------------------------------------------------------------------------------

    async def plan_revert(self, run: str, *, to: str = "") -> UndoPlan:
        """Return how the actions of a run that has ended, and of the runs below it, would be taken back, newest first.

        `to`: only what came after its checkpoint of that name. Actions that are taken back already are not in it. Raises NotFound,
        NotAllowed when the run goes on, when it has no such checkpoint, and when it is itself a run that takes back.
        """
        self.authority.who("", Scope.LOOK)
        return await self._plan_revert(run, to)

    async def _plan_revert(self, run: str, to: str) -> UndoPlan:
        found = await self.find(run)
        state = await self.engine.state(found)
        check_may_be_reverted(state, to)
        return await self.planner.plan(found, to)

    async def revert(self, plan: UndoPlan, *, by: str = "") -> Run[UndoReport]:
        """Take back what `plan` says, in a run of its own; a person who gives the command has seen the plan and thereby approves each of its calls.

        The same plan started twice is one run. Raises NotAllowed when the plan is no longer what would be done now.
        """
        who = self.authority.who(by, Scope.OPERATE)
        now = await self._plan_revert(plan.run, plan.to)
        reverted = (await self.engine.state(RunId(plan.run))).request()
        earlier = await self.journal.select("runs", {"reverts": plan.run})
        run = run_for_key(reverted.tenant, REVERT_AGENT, f"{plan.run}/{sum(1 for row in earlier if row['ended_at'])}")
        if now.digest != plan.digest and not any(row["run"] == run for row in earlier):
            message = f"the plan to revert run {plan.run} is no longer what would be done"
            raise NotAllowed(message, hint=f"Look at it anew: `kernos revert {plan.run}`.")
        return await self._take_back(run, plan, reverted.intent, reverted.tenant, who, seen=True)

    async def reconcile(self, *, since_ms: int = DAY_MS) -> Reconciliation:
        """Compare the actions of the last `since_ms` milliseconds with the services' own lists (tools with `listed=`)."""
        self.authority.whole("", Scope.LOOK, "what services list")
        now = self._clock.now()
        reconciler = Reconciler(
            self.journal, self.planner, [over_handles(tool, self.vault) for tool in self.registry.tools]
        )
        return await reconciler.sweep(EpochMs(max(0, now - since_ms)), EpochMs(now + 1))

    async def take_back(self, found: Reconciliation, *, by: str = "", seen: bool = False) -> Run[UndoReport] | None:
        """Take back what a sweep found to be there too much, where its tool has an undo; None when there is nothing.

        Each call goes through the gate. `seen`: `by` has looked at the findings and approves the calls that policy asks a person about.
        """
        who = self.authority.whole(by, Scope.OPERATE, "taking back what a sweep found")
        undos = tuple(one.undo for one in found.differences if one.undo is not None and not one.undo.obstacle)
        if not undos:
            return None
        intent = "what nobody intended, or not so often"
        plan = UndoPlan("", "", undos, "")
        return await self._take_back(self.engine.new_run(), plan, intent, DEFAULT_TENANT, who, seen=seen)

    async def _take_back(
        self, run: RunId, plan: UndoPlan, intent: str, tenant: TenantId, by: PrincipalId, *, seen: bool
    ) -> Run[UndoReport]:
        asked = self.engine.family.undo_request(intent, codec_of(UndoPlan).encode(plan), tenant)
        digests = (digest_of(Json(undo.args.encode())) for undo in plan.undos if not undo.obstacle)
        is_yes = seen and by.startswith("person:")  # Who is no person says yes to nothing: each call asks for itself.
        requested = replace(
            asked, reverts=RunId(plan.run), approved=tuple(digests) if is_yes else (), start_key=plan.run or run
        )
        try:
            await self.engine.request(run, requested, by)
        except StaleRunNumber:  # Somebody was faster; with the same plan it is the same run.
            before = codec_of(UndoPlan).decode((await self.engine.state(run)).request().input)
            if (before.to, before.digest) != (plan.to, plan.digest):
                message = f"run {run} is taking back run {plan.run} just now, by another plan"
                raise NotAllowed(
                    message, hint=f"Follow it with `kernos trace {run}`; what is left then takes a new plan."
                ) from None
        return Run(self.engine, run, self.registry.agent(REVERT_AGENT), self.authority, self.vault)
