"""Seals: the wall between what a run's code sees and the values themselves.

On the way in, labelled values become handles before anything is recorded; on the way out, a tool's or model's arguments get the values back,
just before the call and nowhere else; and what it answers is sealed again, wherever a value stands in it that was opened for the call.
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from kernos.execution.spellings import form_of
from kernos.ports.vault import Opener, Subject
from kernos.vocabulary.contract import Codec, ModelReply, ModelRequest
from kernos.vocabulary.detection import detect
from kernos.vocabulary.errors import BadConfiguration, Erased
from kernos.vocabulary.ids import TenantId
from kernos.vocabulary.outcome import AttemptFailed, Found
from kernos.vocabulary.quantities import Json
from kernos.vocabulary.sealing import (
    Handle,
    Mark,
    SealingPlan,
    between_handles,
    handle_of,
    handles_in,
    opened,
    plain_in,
)

_NOTHING = "a" * 26
"""The digest in the handle of what was kept nowhere."""

_NAME = re.compile(r"\w+")

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?')


@dataclass(slots=True)
class Seen:
    """Values that were in the open, with their handles, and secrets that were read, with their references."""

    handles: dict[str, Handle] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    _form: "re.Pattern[str] | None" = field(default=None, init=False)
    _form_of: int = field(default=0, init=False)

    def hide(self, text: str) -> str:
        """Return a text with handles and references in the place of the values."""
        text = self._without_secrets(text)
        return between_handles(text, self._hidden) if self.handles else text

    def _without_secrets(self, text: str) -> str:
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, f"[secret {self.secrets[secret]}]")
        spelled, references = form_of(self.secrets), list(self.secrets.values())
        if spelled is None:
            return text
        return spelled.sub(lambda found: f"[secret {references[(found.lastindex or 1) - 1]}]", text)

    def hide_in(self, value: Json | None, plain: frozenset[str] = frozenset()) -> Json | None:
        """Return JSON with handles in the place of the values, wherever they stand in its strings.

        `plain`: strings that stay although they are a value, or have one in them; a secret never stays.
        """
        if value is None or not (self.handles or self.secrets):
            return value

        def string(found: "re.Match[str]") -> str:
            if found[2] and _NAME.fullmatch(found[1]):  # A field's name, even if somebody is called so.
                return found[0]
            text = json.loads(f'"{found[1]}"')
            hidden = json.dumps(self._without_secrets(text) if text in plain else self.hide(text), ensure_ascii=False)
            return f"{hidden}{found[2] or ''}"

        return Json(_bytes(_STRING.sub(string, value.text.decode())))

    def _hidden(self, text: str) -> str:
        for value, handle in self.handles.items():
            if value and text.casefold() == value.casefold():
                return str(handle)
        if self._form_of != len(self.handles):  # Values are only ever added.
            self._form, self._form_of = form_of(sorted(self.handles, key=len, reverse=True)), len(self.handles)
        if self._form is None:
            return text
        handles = [self.handles[value] for value in sorted(self.handles, key=len, reverse=True)]
        return self._form.sub(lambda found: str(handles[(found.lastindex or 1) - 1]), text)


class Seals:
    """The wall for one run, or for whoever starts one."""

    def __init__(self, vault: Opener, tenant: TenantId) -> None:
        """Take the vault, and the tenant whose values these are."""
        self._vault = vault
        self._tenant = tenant

    # --- in ------------------------------------------------------------------------------------------------------

    def written(self, codec: Codec, value: object) -> Json:
        """Check and write a value, labelled parts as handles. Raises ContractBroken."""
        return self.sealed(codec.plan, codec.encode(value))

    def sealed(self, plan: SealingPlan | None, text: Json, seen: Seen | None = None, asked: Json | None = None) -> Json:
        """Return a value with its labelled parts as handles; `seen` takes in what was in the open.

        `asked`: what it answers, whose fields may say whose values these are.
        """
        if plan is None:
            return text
        taken = seen or Seen()

        def seal(mark: Mark, subject: object, part: str) -> str:
            return self._seal(mark, subject, part, taken)

        changed = plan.apply(json.loads(text.text), seal, json.loads(asked.text) if asked is not None else None)
        return Json(_bytes(json.dumps(changed, ensure_ascii=False, separators=(",", ":"))))

    def begun(self, codec: Codec, value: object, intent: str) -> tuple[Json, str]:
        """Return a run's input and intent; what is labelled in the input, or looks like it would be, is sealed in the intent too."""
        if codec.plan is None:
            return codec.encode(value), intent
        seen = Seen()
        text = self.sealed(codec.plan, codec.encode(value), seen)
        keys = {handle.key for handle in handles_in(text.text)}
        subject = Subject(key=keys.pop()) if len(keys) == 1 else None
        return text, self.searched(seen.hide(intent), subject, seen)

    def told(self, codec: Codec, value: object) -> Json:
        """Return what somebody tells a run that deals with labelled values: its labelled parts sealed, and its texts searched."""
        text = self.written(codec, value)
        seen = Seen()
        found = json.loads(text.text)
        self._search_all(found, seen)
        return seen.hide_in(text) or text

    def searched(self, text: str, subject: Subject | None, seen: Seen) -> str:
        """Return a free text with handles in the place of what the detectors find."""

        def search(part: str) -> str:
            pieces: list[str] = []
            at = 0
            for one in detect(part):
                value = part[one.begin : one.end]
                handle = self._kept(subject or Subject(_folded(value)), one.label, value)
                seen.handles[value] = handle
                pieces += [part[at : one.begin], str(handle)]
                at = one.end
            return "".join((*pieces, part[at:]))

        return between_handles(text, search)

    def _search_all(self, value: Any, seen: Seen) -> None:
        if isinstance(value, str):
            self.searched(value, None, seen)
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self._search_all(part, seen)

    def _seal(self, mark: Mark, said: object, text: str, seen: Seen) -> str:
        subject = _subject(said)
        if mark.is_searched:
            return self.searched(text, subject, seen)
        if not text or handle_of(text) is not None:
            return text
        handle = self._kept(subject or Subject(_folded(text)), mark.label, text)
        seen.handles[text] = handle
        return str(handle)

    def _kept(self, subject: Subject, label: str, text: str) -> Handle:
        """Keep a value. What comes in late of somebody who is erased is kept nowhere: its handle opens to nothing, as the others do."""
        try:
            return self._vault.seal(self._tenant, subject, label, text)
        except Erased:
            return Handle(label, subject.key, _NOTHING)

    # --- out -----------------------------------------------------------------------------------------------------

    def opened(self, text: Json, seen: Seen, labels: frozenset[str] | None = None) -> Json:
        """Return arguments with the values in the place of handles, of these labels only (None: of all).

        Raises Erased and NotSealedHere.
        """

        def value_of(handle: Handle) -> str:
            if labels is not None and handle.label not in labels:
                return str(handle)
            value = self._vault.open(self._tenant, handle)
            seen.handles[value] = handle
            return value

        return Json(opened(text.text, value_of))

    def opened_request(self, request: ModelRequest, seen: Seen, labels: frozenset[str]) -> ModelRequest:
        """Return a model's request with the values of these labels in it. Raises Erased and NotSealedHere."""
        if not labels:
            return request
        instructions = _bytes(json.dumps(request.instructions, ensure_ascii=False))
        said = json.loads(self.opened(Json(instructions), seen, labels).text)
        return replace(request, instructions=said, input=self.opened(request.input, seen, labels))

    def answered(
        self, codec: Codec | None, outcome: Json | ModelReply | AttemptFailed, seen: Seen, asked: Json | None = None
    ) -> Json | ModelReply | AttemptFailed:
        """Return what came of a call, sealed: the labelled parts of a result, and what was opened for the call wherever it is said again.

        `asked`: the arguments as they are recorded; a subject that the result does not name may stand there.
        """
        if isinstance(outcome, AttemptFailed):
            if not (seen.handles or seen.secrets):
                return outcome
            return replace(outcome, message=seen.hide(outcome.message), details=seen.hide_in(outcome.details))
        if isinstance(outcome, ModelReply):
            return replace(outcome, output=self._result(codec, outcome.output, seen, asked))
        return self._result(codec, outcome, seen, asked)

    def found(
        self, codec: Codec | None, outcome: Found | AttemptFailed, seen: Seen, asked: Json | None = None
    ) -> Found | AttemptFailed:
        """Return what a look-up came to, sealed."""
        if isinstance(outcome, AttemptFailed):
            return replace(outcome, message=seen.hide(outcome.message), details=seen.hide_in(outcome.details))
        result = self._result(codec, outcome.result, seen, asked) if outcome.result is not None else None
        return replace(outcome, evidence=seen.hide(outcome.evidence), result=result)

    def _result(self, codec: Codec | None, result: Json, seen: Seen, asked: Json | None) -> Json:
        if codec is None:
            return seen.hide_in(result) or result
        plain = plain_in(json.loads(codec.schema.text), json.loads(result.text)) if seen.handles else frozenset()
        return seen.hide_in(self.sealed(codec.plan, result, asked=asked), plain) or result


def _subject(said: object) -> Subject | None:
    """Return whose value it is, as the field says that names the subject; None where it says nothing."""
    if isinstance(said, str) and said.strip():
        handle = handle_of(said)
        return Subject(key=handle.key) if handle is not None else Subject(_folded(said))
    return Subject(str(said)) if type(said) is int else None


def _bytes(text: str) -> bytes:
    """Return JSON as UTF-8; half of a surrogate pair as the escape that it is."""
    return text.encode("utf-8", "backslashreplace")


def _folded(name: str) -> str:
    """Return a subject's name as it is looked up: without regard to case and spaces around it."""
    return name.strip().casefold()


class NoVault:
    """Where nothing is sealed: programs and tests that open no store."""

    def seal(self, tenant: TenantId, subject: Subject, label: str, text: str) -> Handle:
        """Refuse: a labelled value must not be recorded as it is."""
        del tenant, subject, text
        _refuse(label)

    def open(self, tenant: TenantId, handle: Handle) -> str:
        """Refuse."""
        del tenant
        _refuse(handle.label)


def _refuse(label: str) -> NoReturn:
    message = f"a value labelled {label} cannot be sealed here: this program has no vault"
    raise BadConfiguration(message, hint="Run it over a store: the vault lies beside it.")
