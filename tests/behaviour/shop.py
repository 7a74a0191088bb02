"""A shop in memory that counts what happens to it: the tools and agents that behaviour tests run."""

from pydantic import BaseModel

from kernos import Found, Retry, ToolCall, ToolFailed, tool
from kernos.vocabulary.contract import ToolContract

FAST = Retry(attempts=3, first_delay_ms=1, delay_max_ms=2)


class Refund(BaseModel):
    order: str
    amount_cents: int


class Receipt(BaseModel):
    id: str


class Shop:
    """Its `script` says how the next calls of a tool end: `ok`, `refuse`, `busy`, `lost` (done, no answer), `vanish` (not done, no answer)."""

    def __init__(self) -> None:
        self.effects: list[tuple[str, str]] = []
        self.calls: list[ToolCall] = []
        self.look_ups = 0
        self.script: list[str] = []
        self.by_key: dict[str, Receipt] = {}

    def act(self, name: str, call: ToolCall, *, honours_keys: bool) -> Receipt:
        self.calls.append(call)
        how = self.script.pop(0) if self.script else "ok"
        if how == "refuse":
            raise ToolFailed.final("the card is closed")
        if how == "busy":
            raise ToolFailed.retryable("come back later")
        if how == "vanish":
            raise ToolFailed.unknown("no answer")
        if honours_keys and call.key in self.by_key:
            return self.by_key[call.key]
        receipt = Receipt(id=f"{name}-{len(self.effects) + 1}")
        self.effects.append((name, call.key))
        self.by_key[call.key] = receipt
        if how == "lost":
            raise ToolFailed.unknown("the connection broke")
        return receipt

    def tools(self) -> dict[str, ToolContract[Refund, Receipt]]:
        @tool("shop.refund", effect="idempotent", retry=FAST)
        async def refund(request: Refund, call: ToolCall) -> Receipt:
            return self.act("refund", call, honours_keys=True)

        def find(request: Refund, call: ToolCall) -> Found:
            self.look_ups += 1
            found = self.by_key.get(call.key)
            return Found(found is not None, f"the list of mails for {call.key}", found)

        @tool("shop.mail", effect="verifiable", look_up=find, retry=FAST)
        def mail(request: Refund, call: ToolCall) -> Receipt:
            return self.act("mail", call, honours_keys=False)

        @tool("shop.call", effect="once", retry=FAST)
        async def phone(request: Refund, call: ToolCall) -> Receipt:
            return self.act("call", call, honours_keys=False)

        @tool("shop.look", effect="read", retry=FAST)
        async def look(request: Refund, call: ToolCall) -> Receipt:
            return self.act("look", call, honours_keys=False)

        return {"refund": refund, "mail": mail, "call": phone, "look": look}
