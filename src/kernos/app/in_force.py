"""In force: the policy set that a kernel decides under, and how another one takes its place while runs go on.

Whoever wants a changed set in force checks it first and records the proposal with its texts. The process that runs agents reads those texts
(not the files, which may have changed again), and either records that the set has entered, or that it refuses it and why: then the one
before stays. Every process goes by what has entered. Ordered: by the journal. Survives a crash: what has entered; but a process that starts
to run agents begins with the policies that it is given, whatever was in force or proposed before, and records that.
"""

import asyncio
from pathlib import Path

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.policies import PolicySet, load_policy, load_set, set_of
from kernos.control.administrator import Administrator
from kernos.control.circumstances import Circumstances
from kernos.control.gate import Gate
from kernos.control.registry import Registry
from kernos.ports.policy import Policy
from kernos.vocabulary.circumstances import NOTHING_DECLARED, Declared
from kernos.vocabulary.errors import BadConfiguration, NotAllowed, NotResponding
from kernos.vocabulary.gate import SET_DIGITS
from kernos.vocabulary.ids import KERNEL, PrincipalId
from kernos.vocabulary.policies import (
    BadPolicies,
    EnterPolicies,
    PoliciesEntered,
    PoliciesProposed,
    ProposePolicies,
    RefusePolicies,
    RuleText,
)

ANSWER_S = 10.0
"""How long a proposal waits for the process that runs agents; it looks ten times a second."""


class InForce:
    """The policies of one kernel."""

    def __init__(self, source: str | Path | Policy | None, registry: Registry) -> None:
        """Load what the kernel was given. Raises BadConfiguration."""
        self._source = source
        self._registry = registry
        self._set: PolicySet | None = None
        self.policy: Policy
        if source is None or isinstance(source, (str, Path)):
            self._set = load_set(source, registry)
            self.policy = self._set.policy
        else:
            self.policy = load_policy(source, registry)
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers = False
        self._news = asyncio.Event()

    @property
    def declared(self) -> Declared:
        """What rules may ask about besides."""
        return self._set.declared if self._set is not None else NOTHING_DECLARED

    def rules(self) -> tuple[RuleText, ...]:
        """Return the rules as they are written; none where the policies were given as an object."""
        return self._set.policy.rules() if self._set is not None else ()

    def attach(self, gate: Gate, circumstances: Circumstances, administrator: Administrator) -> None:
        """Take what decides, and where it is recorded which set is in force."""
        self._gate = gate
        self._circumstances = circumstances
        self._administrator = administrator
        administrator.on_change(self._changed)

    async def begin(self, *, works: bool) -> None:
        """Record the set that this process begins with, where it runs agents under one that somebody wrote."""
        own = self._set
        await self._administrator.follow()
        recorded = self._administrator.state.policies_in_force
        if works and own is not None and (self._source is not None or recorded is not None):
            await self._administrator.command(EnterPolicies(own.policy.digest(), own.files), KERNEL)
        self._answers = works
        self._changed()

    async def end(self) -> None:
        """Let go of answers under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def propose(self, source: str | Path | None, by: PrincipalId, store: Path) -> str:
        """Have policies put in force, those that this kernel was given unless others are named; return the digest once they are.

        Raises BadPolicies for what cannot be used, BadConfiguration when the process that runs agents refuses them, NotAllowed when there
        is no such process or somebody else wants others at the same time, NotResponding when it does not answer. What was in force stays so then.
        """
        if not self._answers and WorkerLock.holder(store) is None:
            message = f"no process runs agents over {store}, so no policies are in force"
            raise NotAllowed(message, hint="The next start begins with its policies as they are then.")
        named = source if source is not None else self._source
        if named is not None and not isinstance(named, (str, Path)):
            message = "the policies were given to this kernel as an object, so there is nothing to read anew"
            raise BadConfiguration(message, hint="Name a folder of policies.")
        wanted = load_set(named, self._registry)
        digest = wanted.policy.digest()
        await self._administrator.command(ProposePolicies(digest, wanted.files), by)
        try:
            async with asyncio.timeout(ANSWER_S):
                while not self._is_answered(digest):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            message = f"the process that runs agents did not answer for {ANSWER_S:g} s; policy set {digest[:SET_DIGITS]} is proposed"
            raise NotResponding(
                message, hint="Look at that process; at its next start it begins with its own folder."
            ) from None
        state = self._administrator.state
        refused, entered = state.policies_refused, state.policies_in_force
        if refused is not None and refused.digest == digest:
            message = f"the process that runs agents refuses policy set {digest[:SET_DIGITS]}: {refused.reason}"
            raise BadConfiguration(
                message, hint="The set before stays in force. Start that process with the same agents."
            )
        if entered is None or entered.digest != digest:
            message = (
                f"somebody else wanted other policies than set {digest[:SET_DIGITS]} at the same time, and those count"
            )
            raise NotAllowed(
                message, hint="Look at what is in force, then give the command again if it is still wanted."
            )
        return digest

    def _is_answered(self, digest: str) -> bool:
        pending = self._administrator.state.policies_proposed
        return pending is None or pending.digest != digest

    # --- what others recorded --------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._news.set()
        state = self._administrator.state
        entered = state.policies_in_force
        if entered is not None and self._set is not None and entered.digest != self._set.policy.digest():
            self._enter(entered)
        if self._answers and state.policies_proposed is not None:
            task = asyncio.get_running_loop().create_task(self._answer(state.policies_proposed))
            self._tasks.add(task)
            task.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Where nothing can be recorded the engine stops by itself, and whoever proposed waits in vain.

    def _enter(self, entered: PoliciesEntered) -> None:
        """Decide under the set that has entered; one that does not fit the agents here is for a process with others."""
        try:
            found = set_of(entered.files, self._registry)
        except BadConfiguration:
            return
        self._set, self.policy = found, found.policy
        self._circumstances.declare(found.declared)
        self._gate.enter(found.policy)

    async def _answer(self, proposed: PoliciesProposed) -> None:
        """Put a proposed set in force, or say why not; one that a later one has taken the place of is let be."""
        reason = self._fault(proposed)
        digest = proposed.digest
        command = RefusePolicies(digest, reason) if reason else EnterPolicies(digest, proposed.files, answers=True)
        await self._administrator.command(command, KERNEL)

    def _fault(self, proposed: PoliciesProposed) -> str:
        if self._set is None:
            return "the policies of this process were given as an object"
        try:
            digest = set_of(proposed.files, self._registry).policy.digest()
        except BadPolicies as bad:
            return str(bad)
        return "" if digest == proposed.digest else "it was checked against other agents or tools than run here"
