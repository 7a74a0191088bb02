"""Disclosure: shows sealed values to a person who has to decide about them, and keeps that they were shown."""

from dataclasses import dataclass
from typing import Any

from msgspec import json

from kernos.app.kernel import Kernel
from kernos.app.naming import place_of
from kernos.kernel.state import RunState
from kernos.vocabulary.administration import Scope
from kernos.vocabulary.erasure import ShowValues
from kernos.vocabulary.errors import Erased, NotAllowed, NotFound
from kernos.vocabulary.ids import RunId, StepName, TenantId
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import Handle, handles_in, opened


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What a run's intent and input, or one of its steps, says in the open."""

    run: RunId
    step: StepName
    values: dict[str, Any]
    """`intent` and `input` of a run; `arguments` and, once there is one, `answer` of a step."""


class Disclosure:
    """Shows sealed values of an open kernel's runs; it needs the scope `answer`, and a person who looks."""

    def __init__(self, kernel: Kernel) -> None:
        """Take an open kernel."""
        self._kernel = kernel

    async def show(self, place: str, *, reason: str, by: str = "") -> Disclosed:
        """Return what a run (`RUN`) or a step of it (`RUN.STEP`) says, values in the place of handles.

        Who looked at which labels, and why, is durable before anything is shown. Raises NotFound, NotAllowed, InvalidInput without a reason.
        """
        kernel = self._kernel
        who = kernel.authority.who(by, Scope.ANSWER)
        if not who.startswith("person:"):
            message = f"{who} is no person, and sealed values are shown to persons only"
            raise NotAllowed(message, hint="A tool that needs a value labels the argument that takes it.")
        prefix, step = place_of(place) if "." in place else (place, StepName(""))
        run = await kernel.find(prefix)
        state = await kernel.engine.state(run)
        texts = _texts(state, step)
        labels = tuple(sorted({handle.label for text in texts.values() for handle in handles_in(text.text)}))
        tenant = state.request().tenant
        if labels:
            await kernel.administrator.command(ShowValues(tenant, run, step, labels, reason), who)
        return Disclosed(run, step, {name: self._open(text, tenant) for name, text in texts.items()})

    def _open(self, text: Json, tenant: TenantId) -> Any:
        def value_of(handle: Handle) -> str:
            try:
                return self._kernel.vault.open(tenant, handle)
            except Erased:
                return f"[{handle.label} erased]"

        return json.decode(opened(text.text, value_of))


def _texts(state: RunState, name: StepName) -> dict[str, Json]:
    if not name:
        request = state.request()
        return {"intent": Json(json.encode(request.intent)), "input": request.input}
    step = state.steps.get(name)
    if step is None:
        message = f"run {state.run} has no step {name}"
        raise NotFound(message, hint=f"See its steps with `kernos trace {state.run} --events`.")
    found = {"arguments": step.args}
    return found | {"answer": step.outcome} if isinstance(step.outcome, Json) else found
