"""Model: brains behind an OpenAI-compatible chat endpoint, near (llama.cpp, Ollama, vLLM) or far."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import msgspec

from kernos.adapters.http.answer_schema import strict
from kernos.adapters.http.egress import Egress, Reach
from kernos.adapters.http.reply import failure_of
from kernos.adapters.http.sender import open_sender
from kernos.adapters.http.streamed import StreamedCompletion
from kernos.adapters.http.wire import CUT, HttpReply, HttpRequest, Sender
from kernos.vocabulary.budget import Prices
from kernos.vocabulary.contract import ModelReply, ModelRequest, ToolFailed
from kernos.vocabulary.outcome import AttemptFailed, FailureKind
from kernos.vocabulary.quantities import Json, Pace, Usage

TIMEOUT_MS = 280_000
"""Long answers of slow local models take minutes; less than the five after which a worker gives up."""

RESPONSE_BYTES_MAX = 8 * 1024 * 1024
"""Some two million tokens: more than any model writes at once."""

CONNECTIONS_MAX = 100

_FENCE = re.compile(r"\s*```[a-zA-Z]*\n(.*)\n```\s*", re.DOTALL)
_SAID_LENGTH_MAX = 200

_NO_COMPLETION = (msgspec.DecodeError, ValueError, RecursionError, LookupError, TypeError, AttributeError)
"""What reading a reply raises that has another form."""

_TOKENS_MAX = 1 << 40
"""Of one call: far above any model's, and such that no sum of costs leaves the 64 bits of a column."""


class OpenAIModel:
    """One model at one endpoint; implements `ports.model.Model`."""

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        api_key: Callable[[], str] | None = None,
        prompt_price_microusd: int | None = None,
        completion_price_microusd: int | None = None,
        options: Mapping[str, Any] | None = None,
        token_limit_name: str = "max_tokens",  # noqa: S107 - no secret: these tokens are words
        timeout_ms: int = TIMEOUT_MS,
        reach: Sequence[str] = (),
    ) -> None:
        """Take the endpoint (up to and with `/v1`) and the model's name there.

        `api_key` returns the key, as `Secret("env:MODEL_KEY").read` does; it is asked at each call and what it says
        is kept nowhere. Prices are micro-dollars per million tokens; 0 is free of charge, None is unknown.
        `options` go into each request as they are (`{"temperature": 0}`). `token_limit_name` is the field
        that bounds the answer: some newer models take only `max_completion_tokens`. `reach` holds the places
        of `Reach`, where a name in `base_url` leads to an inner address (`models.lan:8080`); an address
        that is itself written there needs none.
        """
        self._base_url = base_url
        self._model = model
        self._api_key = api_key
        self._prices = (prompt_price_microusd, completion_price_microusd)
        self._options = dict(options or {})
        self._token_limit_name = token_limit_name
        self._timeout_ms = timeout_ms
        self._egress = Egress(Reach(*reach))
        self._sender: Sender | None = None

    @property
    def metered(self) -> bool:
        """Tell that a call leaves this process."""
        return True

    @property
    def prices(self) -> Prices:
        """Tell the prices it was made with."""
        return Prices(*self._prices)

    async def complete(self, request: ModelRequest) -> ModelReply | AttemptFailed:
        """Make one attempt. A reply that is no JSON is RETRYABLE; a call without a reply is UNKNOWN."""
        try:
            reply = await self._send(self._body(request))
            if reply.status != 200:  # noqa: PLR2004 - the one status with an answer
                raise failure_of(reply)
            return self._whole(reply)
        except ToolFailed as failed:
            return failed.attempt

    async def stream(self, request: ModelRequest, said: Callable[[str], None]) -> ModelReply | AttemptFailed:
        """Make one attempt, likewise, and hand each piece of text on as it comes. A stream that is cut is UNKNOWN."""
        streamed = StreamedCompletion(said)
        wrong: list[Exception] = []

        def heard(piece: bytes) -> None:
            try:
                if not wrong:
                    streamed.feed(piece)
            except _NO_COMPLETION as error:
                wrong.append(error)

        body = {**self._body(request), "stream": True, "stream_options": {"include_usage": True}}
        try:
            reply = await self._send(body, heard)
            if reply.status != 200:  # noqa: PLR2004 - the one status with an answer
                raise failure_of(reply)
            if reply.first_ms < 0:  # It does not stream.
                return self._whole(reply)
            completion = streamed.completion()
            if reply.trouble or wrong or not streamed.is_whole:
                message = f"{reply.where} answered, and the answer {reply.trouble or (wrong and f'is none ({wrong[0]})') or CUT}"
                return AttemptFailed(FailureKind.UNKNOWN, message, usage=self._known(completion))
            return self._answered(completion, reply)
        except ToolFailed as failed:
            return failed.attempt

    async def close(self) -> None:
        """Close the connections. Without it, they are closed when the event loop is shut down."""
        if self._sender is not None:
            await self._sender.close()

    async def _send(self, body: Mapping[str, Any], heard: Callable[[bytes], None] | None = None) -> HttpReply:
        headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "kernos"}
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key()}"
        if self._sender is None:
            self._sender = open_sender(RESPONSE_BYTES_MAX, CONNECTIONS_MAX, self._egress)
        return await self._sender.send(
            HttpRequest(
                method="POST",
                base_url=self._base_url,
                path="chat/completions",
                headers=headers,
                query={},
                body=msgspec.json.encode(body),
                timeout_ms=self._timeout_ms,
                heard=heard,
            )
        )

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        schema = msgspec.json.decode(request.schema.text)
        system = f"{request.instructions}\n\nTask: {request.task}".strip()
        body: dict[str, Any] = {
            **self._options,
            "model": self._model,
            self._token_limit_name: request.completion_tokens_max,
        }
        form, is_strict = strict(schema)
        if form is not None:
            name = re.sub(r"[^a-zA-Z0-9_-]", "_", request.task)[:64] or "answer"
            described = {"name": name, "strict": is_strict, "schema": form}
            body["response_format"] = {"type": "json_schema", "json_schema": described}
        elif schema not in (None, True, {}):
            system += f"\n\nAnswer with JSON alone that fits this schema: {request.schema.text.decode()}"
        body["messages"] = [
            {"role": "system", "content": system},
            {"role": "user", "content": request.input.text.decode()},
        ]
        return body

    def _whole(self, reply: HttpReply) -> ModelReply | AttemptFailed:
        """Take the answer out of a reply in one piece. Raises ToolFailed for one that is no completion."""
        if reply.trouble:
            message = f"{reply.where} answered, and the answer {reply.trouble}"
            raise ToolFailed.unknown(message)
        try:
            completion = msgspec.json.decode(reply.body)
        except _NO_COMPLETION as error:
            message = f"{reply.where} answered something else than a completion ({error!r})"
            raise ToolFailed.retryable(message) from error
        return self._answered(completion, reply)

    def _answered(self, completion: Any, reply: HttpReply) -> ModelReply | AttemptFailed:
        """Take the answer out of a completion; one of no use was paid for all the same. Raises ToolFailed for what is no completion."""
        try:
            choice = completion["choices"][0]
            said, refusal = choice["message"].get("content"), choice["message"].get("refusal")
            finish = choice.get("finish_reason")
        except _NO_COMPLETION as error:
            message = f"{reply.where} answered something else than a completion ({error!r})"
            raise ToolFailed.retryable(message) from error
        usage = self._usage(completion.get("usage"))
        if refusal or finish == "content_filter":
            message = f"the model {self._model} refused to answer: {str(refusal or finish)[:_SAID_LENGTH_MAX]}"
            return AttemptFailed(FailureKind.FINAL, message, usage=usage)
        text = said if isinstance(said, str) else ""
        fenced = _FENCE.fullmatch(text)  # Small models put JSON into a code block, whatever they are told.
        text = fenced.group(1) if fenced else text
        try:
            output = msgspec.json.decode(text)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:  # ValueError: half a surrogate pair.
            cut = "; it ended at the limit of its tokens" if finish == "length" else ""
            message = f"the model {self._model} answered no JSON ({error}){cut}"
            return AttemptFailed(FailureKind.RETRYABLE, message, usage=usage)
        return ModelReply(Json(msgspec.json.encode(output)), usage, Pace(reply.first_ms))

    def _known(self, completion: Mapping[str, Any]) -> Usage | None:
        """Return what an answer that was cut off has used, None where it did not say."""
        return self._usage(completion["usage"]) if completion["usage"] else None

    def _usage(self, usage: object) -> Usage:
        counts = usage if isinstance(usage, dict) else {}
        prompt, completion = counts.get("prompt_tokens"), counts.get("completion_tokens")
        prompt_price, completion_price = self._prices
        if not _is_count(prompt) or not _is_count(completion):
            return Usage(0, 0, 0 if self._prices == (0, 0) else -1)
        details = counts.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, dict) else 0
        cached = min(cached, prompt) if _is_count(cached) else 0
        if prompt_price is None or completion_price is None:
            return Usage(prompt, completion, -1, cached)
        total = prompt * prompt_price + completion * completion_price
        return Usage(prompt, completion, -(-total // 1_000_000), cached)  # Rounded up: a spent part counts.


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _TOKENS_MAX
