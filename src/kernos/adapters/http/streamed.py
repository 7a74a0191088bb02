"""Streamed: a completion that comes piece by piece, put together to what it would have been in one."""

from collections.abc import Callable
from typing import Any

import msgspec

from kernos.adapters.http.server_events import ServerEvents

_END = b"[DONE]"


class StreamedCompletion:
    """Puts the chunks of one choice together; what stands in no chunk is missing, as it would be in one piece."""

    def __init__(self, said: Callable[[str], None]) -> None:
        """Take who hears each piece of text as it comes."""
        self._events = ServerEvents()
        self._said = said
        self._texts: list[str] = []
        self._refusals: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._finish: object = None
        self._usage: object = None
        self._is_begun = False
        self.is_whole = False
        """The stream has said that it is at its end."""

    def feed(self, piece: bytes) -> None:
        """Take in some bytes. Raises DecodeError, LookupError, TypeError or AttributeError for chunks of another form."""
        for data in self._events.feed(piece):
            if data == _END:
                self.is_whole = True
            else:
                self._take(msgspec.json.decode(data))

    def completion(self) -> dict[str, Any]:
        """Return the completion as far as it has come."""
        message: dict[str, Any] = {"content": "".join(self._texts) if self._texts else None}
        if self._refusals:
            message["refusal"] = "".join(self._refusals)
        if self._calls:
            message["tool_calls"] = [
                {"id": one["id"], "function": {"name": one["name"], "arguments": one["arguments"]}}
                for _, one in sorted(self._calls.items())
            ]
        choices = [{"message": message, "finish_reason": self._finish}] if self._is_begun else []
        return {"choices": choices, "usage": self._usage}

    def _take(self, chunk: dict[str, Any]) -> None:
        if chunk.get("error"):
            message = f"it says in the middle of the answer: {chunk['error']}"
            raise LookupError(message)
        if chunk.get("usage"):
            self._usage = chunk["usage"]
        for choice in (chunk.get("choices") or ())[:1]:
            self._is_begun = True
            self._finish = choice.get("finish_reason") or self._finish
            delta = choice.get("delta") or {}
            if text := delta.get("content"):
                self._texts.append(text)
                self._said(text)
            if refusal := delta.get("refusal"):
                self._refusals.append(refusal)
            for call in delta.get("tool_calls") or ():
                self._take_call(call)

    def _take_call(self, call: dict[str, Any]) -> None:
        own = self._calls.setdefault(call.get("index", len(self._calls)), {"id": "", "name": "", "arguments": ""})
        function = call.get("function") or {}
        own["id"] = call.get("id") or own["id"]
        own["name"] = function.get("name") or own["name"]
        own["arguments"] += function.get("arguments") or ""
