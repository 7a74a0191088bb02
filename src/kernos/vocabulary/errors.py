"""The catalogue of errors: stable codes, split by who must act.

Every message says what happened, where and why; `hint` says what to do next. The base class and the five groups cannot be
raised: an error without a code would leave its reader alone.
"""

from typing import ClassVar


class KernosError(Exception):
    """Anything kernos reports. `code` is stable over releases; `retry_helps` says whether the same call may succeed later."""

    code: ClassVar[str] = ""
    retry_helps: ClassVar[bool] = False
    hint: str

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Take the sentence for people and, unless the class has a fixed one, what to do next."""
        if not type(self).code:
            refusal = f"{type(self).__name__} names who must act, not what happened: raise one of its subclasses"
            raise TypeError(refusal)
        super().__init__(message)
        self.hint = hint or self.usual_hint()

    @classmethod
    def usual_hint(cls) -> str:
        """Return the class's own advice: the second paragraph of its docstring, unwrapped."""
        paragraphs = (cls.__doc__ or "").split("\n\n")
        return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


class CallerError(KernosError):
    """Whoever called kernos must change the call."""


class AgentError(KernosError):
    """Whoever wrote the agent must change it."""


class ToolError(KernosError):
    """Whoever wrote or runs the tool must act."""


class OperatorError(KernosError):
    """Whoever runs this kernos must change its surroundings."""


class KernelError(KernosError):
    """kernos broke a promise of its own."""


# --- caller ------------------------------------------------------------------------------------------------------


class NotFound(CallerError):
    """A name or id stands for nothing here.

    List what there is with `kernos ps --all`.
    """

    code = "not_found"


class Ambiguous(CallerError):
    """A shortened id stands for several things.

    Give more characters of the id.
    """

    code = "ambiguous"


class InvalidInput(CallerError):
    """An input does not fit the contract it was given to."""

    code = "invalid_input"


class NotAllowed(CallerError):
    """The principal may not do this, or the state of the run does not admit it."""

    code = "not_allowed"


class BadToken(CallerError):
    """A token is not what it should be: nobody signed it, somebody else did, or it says something else.

    Ask whoever it comes from for the token as it was given out, and see what the store has with `kernos approval show RUN.STEP`.
    """

    code = "bad_token"


class QueueFull(CallerError):
    """A bound is reached; nothing of the request was kept.

    Come back later, or raise the bound in the settings.
    """

    code = "queue_full"
    retry_helps = True

    def __init__(self, message: str, *, hint: str = "", retry_after_ms: int = 0) -> None:
        """Take, besides what every error takes, after how long to come back; 0 where nobody can say."""
        super().__init__(message, hint=hint)
        self.retry_after_ms = retry_after_ms


class RunEnded(CallerError):
    """The run has ended, so nothing can be sent to it.

    See how it ended with `kernos trace RUN`.
    """

    code = "run_ended"


class RunDidNotComplete(CallerError):
    """A result was awaited, and the run ended without one; `mode` is its failure mode, or how it ended."""

    code = "run_did_not_complete"

    def __init__(self, message: str, *, mode: str, hint: str = "") -> None:
        """Take the failure mode besides the sentence."""
        super().__init__(message, hint=hint)
        self.mode = mode


# --- agent -------------------------------------------------------------------------------------------------------


class BadDeclaration(AgentError):
    """An agent, tool or workflow is declared in a way that cannot work; found when its module is imported."""

    code = "bad_declaration"


class ContractBroken(AgentError):
    """A value that crossed a boundary does not fit the type declared there."""

    code = "contract_broken"


class Diverged(AgentError):
    """On resume, the agent's code asked something else than it asked before; nothing left the kernel.

    Restore the code that started the run, or cancel the run; `kernos resume RUN` sends it on once the code fits.
    """

    code = "diverged"


class Outgrown(AgentError):
    """What other code of the agent recorded does not fit its present types; nothing left the kernel.

    Declare how to bring it over, @agent(migrations={VERSION: Migration(...)}), or restore the code that started the run; then `kernos resume RUN`.
    """

    code = "outgrown"


class LimitReached(AgentError):
    """The run used up one of the limits of its contract."""

    code = "limit"


class UnknownAgent(AgentError):
    """A run needs an agent that is not registered in this process.

    Add the agent's module to `agents` in kernos.toml, or pass it to Kernel(agents=[...]); then `kernos resume RUN`.
    """

    code = "unknown_agent"


class MisusedContext(AgentError):
    """The context was used outside its run, its branch or its task.

    Use `ctx.fork(...)` for branches that run side by side; each branch gets a context of its own.
    """

    code = "misused_context"


# --- tool --------------------------------------------------------------------------------------------------------


class CallFailed(ToolError):
    """A call ended without a result, for good; the agent's code may catch it. `failure` is the code of the reason."""

    code = "call_failed"

    def __init__(self, message: str, *, failure: str, details: bytes | None = None, hint: str = "") -> None:
        """Take the reason's code and the service's own details (JSON) besides the sentence."""
        super().__init__(message, hint=hint)
        self.failure = failure
        self.details = details


class CallRefused(ToolError):
    """The gate or a person said no; nothing left the kernel. The agent's code may catch it."""

    code = "call_refused"


class Erased(ToolError):
    """A sealed value was erased with the person that it was of, for good.

    Nothing can be done with it any more; end the run with `kernos cancel RUN` if it cannot go on.
    """

    code = "erased"


class NotSealedHere(ToolError):
    """What looks like a sealed value was not sealed in this store, or not for this tenant.

    Nothing left the kernel. Text from outside may look like this to deceive; or the vault's files are not those of the store.
    """

    code = "not_sealed_here"


# --- operator ----------------------------------------------------------------------------------------------------


class StorageFailed(OperatorError):
    """The medium did not take a write: the disk is full, read-only or broken. Nothing acknowledged is lost.

    Make room or mend the disk, then start kernos again: runs go on where they were.
    """

    code = "storage_failed"
    retry_helps = True


class StoreBusy(OperatorError):
    """Another process holds the store.

    Wait for it or stop it.
    """

    code = "store_busy"
    retry_helps = True


class ForeignStore(OperatorError):
    """The file is not a kernos store, or it was written by a newer kernos."""

    code = "foreign_store"


class Tampered(OperatorError):
    """The store is not what kernos wrote: it was edited, cut or damaged. The run was not touched.

    Find all places with `kernos verify`, then restore the file from a backup.
    """

    code = "tampered"


class BadConfiguration(OperatorError):
    """A setting, a policy or a path is wrong; found before anything started."""

    code = "bad_configuration"


class NotResponding(OperatorError):
    """A service that this command needs does not answer."""

    code = "not_responding"
    retry_helps = True


# --- kernel ------------------------------------------------------------------------------------------------------


class StaleRunNumber(KernelError):
    """Another writer put events into the run first; this writer's view of it is out of date and is dropped."""

    code = "stale_run_number"
    retry_helps = True


class CapReached(StaleRunNumber):
    """Others used up a cap first, so the append that would have gone over it was refused; the run decides anew."""

    code = "cap_reached"


class KernelStopped(KernelError):
    """The kernel has stopped, so it takes no more calls; runs go on when it is started again."""

    code = "kernel_stopped"
    retry_helps = True


class Bug(KernelError):
    """kernos found itself in a state that it holds to be impossible, and stopped before doing harm.

    Please report it with the output of `kernos doctor`.
    """

    code = "bug"
