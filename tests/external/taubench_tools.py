"""The operations of taubench's services as tools: how to see what happened, how to take it back, and where the services list it.

Where the service honours keys every tool is `idempotent`. Where it ignores them, setting a value is `idempotent` by itself, and everything else is
`verifiable`: counted in the service's list, or seen in the order that it changes. A tool does one operation; its undo is a tool of its
own, because the plan names the operation that takes each call back.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from pydantic import BaseModel

from kernos import CannotUndo, Found, HttpService, Listed, Retry, Sweep, ToolCall, Undo, listing, tool
from kernos.vocabulary.contract import Listing, ToolContract
from kernos.vocabulary.ids import IdempotencyKey, RunId
from kernos.vocabulary.quantities import Json

PATIENT = Retry(attempts=100, first_delay_ms=20, delay_max_ms=400)
"""A hundred attempts: the whole process is killed some thirty times, and each kill may cost every call under way one."""

_LISTS = {
    "svc/psp_charge": ("svc/psp_list", "transactions"),
    "svc/psp_refund": ("svc/psp_list", "transactions"),
    "svc/rma_open": ("svc/rma_list", "rmas"),
    "svc/rma_close": ("svc/rma_list", "rmas"),
    "svc/mail_send": ("svc/mail_list", "mails"),
    "svc/desk_ticket": ("svc/desk_list", "tickets"),
    "tools/transfer_to_human_agents": ("svc/desk_list", "tickets"),
}
"""Operations whose effects a service lists, and where."""

_SETTING = ("set_address", "set_items", "modify_user_address", "modify_pending_order_address")
"""Operations that set a value: done twice is done once."""


NOTHING = Json(b"{}")
"""What a look-up gives as the result of a call: the plan needs none of them."""


class Call(BaseModel):
    op: str
    args: dict[str, Any]
    undo: list[dict[str, Any]] | None = None


class Request(BaseModel):
    """What a tool sends: the arguments of an operation in the world of one task, and the call that takes it back."""

    task: str
    args: dict[str, Any]
    undo: list[dict[str, Any]] | None = None


class Services:
    """taubench's services for one client."""

    def __init__(self, http: HttpService, timeout_ms: int, *, honours_keys: bool) -> None:
        self._http = http
        self._timeout_ms = timeout_ms
        self._honours_keys = honours_keys
        self._listings: dict[str, Listing] = {}
        self._undos: dict[str, ToolContract[Request, dict[str, Any]]] = {}

    def tools(self, calls: Iterable[Call]) -> dict[str, ToolContract[Request, dict[str, Any]]]:
        """Return the tool of each operation in `calls`, by operation."""
        undone_by: dict[str, str] = {}
        for call in calls:
            undo_op = call.undo[0]["op"] if call.undo else ""
            undone_by[call.op] = undone_by.get(call.op) or undo_op
        return {op: self._tool(name_of(op), op, undo_op) for op, undo_op in sorted(undone_by.items())}

    def _tool(self, name: str, op: str, undo_op: str) -> ToolContract[Request, dict[str, Any]]:
        async def perform(request: Request, call: ToolCall) -> dict[str, Any]:
            return await self._post(request.task, op, request.args, call)

        compensate = self._undo_of(undo_op) if undo_op else "a person must take this back"
        is_idempotent = self._honours_keys or op.endswith(_SETTING)
        listed = self._listing(op)
        if is_idempotent:
            return tool(
                name,
                effect="idempotent",
                timeout_ms=self._timeout_ms,
                retry=PATIENT,
                listed=listed,
                compensate=compensate,
            )(perform)
        observe, look_up = self._counting(op) if op in _LISTS else self._watching()
        return tool(
            name,
            effect="verifiable",
            observe=observe,
            look_up=look_up,
            late_ms=self._timeout_ms,
            timeout_ms=self._timeout_ms,
            retry=PATIENT,
            listed=listed,
            compensate=compensate,
        )(perform)

    def _undo_of(self, op: str) -> Undo:
        if op not in self._undos:
            self._undos[op] = self._tool(f"{name_of(op)}.back", op, "")
        return Undo(self._undos[op], _back)

    async def _post(self, task: str, op: str, args: dict[str, Any], call: ToolCall) -> dict[str, Any]:
        answer = await self._http.post(f"/t/{task}/{op}", call=call, body=args)
        result: dict[str, Any] = json.loads(answer.text)
        return result

    # --- seeing what happened ------------------------------------------------------------------------------------

    def _counting(self, op: str) -> tuple[Callable[..., Awaitable[int]], Callable[..., Awaitable[Found]]]:
        async def count(request: Request, call: ToolCall) -> int:
            rows = await self._rows(request.task, op, request.args, call)
            return sum(_is_of(op, request.args, row) for row in rows)

        async def one_more(request: Request, call: ToolCall, before: int) -> Found:
            now = await count(request, call)
            return Found(now > before, f"{before} listed before, {now} now", NOTHING)

        return count, one_more

    def _watching(self) -> tuple[Callable[..., Awaitable[str]], Callable[..., Awaitable[Found]]]:
        async def order(request: Request, call: ToolCall) -> str:
            seen = await self._post(
                request.task, "tools/get_order_details", {"order_id": request.args["order_id"]}, call
            )
            return json.dumps(seen, sort_keys=True)

        async def changed(request: Request, call: ToolCall, before: str) -> Found:
            now = await order(request, call)
            return Found(now != before, "the order is as it was" if now == before else "the order has changed", NOTHING)

        return order, changed

    async def _rows(self, task: str, op: str, args: dict[str, Any], call: ToolCall) -> list[dict[str, Any]]:
        list_op, name = _LISTS[op]
        query = {"order_id": args["order_id"]} if "order_id" in args else {}
        rows: list[dict[str, Any]] = (await self._post(task, list_op, query, call))[name]
        return rows

    def _listing(self, op: str) -> Listing | None:
        """Return the list in which an operation's effects stand, as `kernos reconcile` reads it."""
        if op not in _LISTS:
            return None
        list_op, _ = _LISTS[op]
        if list_op not in self._listings:
            ops = tuple(one for one, (its_list, _) in _LISTS.items() if its_list == list_op)

            @listing(name_of(list_op))
            async def listed(sweep: Sweep) -> list[Listed]:
                found: list[Listed] = []
                places = {(r["task"], r["args"].get("order_id", "")) for r in sweep.requests}
                for task, order in sorted(places):
                    rows = await self._rows(task, op, {"order_id": order} if order else {}, _nobody(list_op))
                    for n, row in enumerate(rows):
                        for one in ops:
                            args = _args_of(one, row)
                            if args is not None:
                                tools = tuple(
                                    name_of(o) + end for o in ops if _args_of(o, row) for end in ("", ".back")
                                )
                                reference = f"{task}/{list_op}/{order}/{n}"
                                found.append(Listed(reference, {"task": task, "args": args}, tools=tools))
                                break
                return found

            self._listings[list_op] = listed
        return self._listings[list_op]


def name_of(op: str) -> str:
    return op.replace("/", ".")


def _back(request: Request) -> Request:
    if not request.undo:
        raise CannotUndo("the plan names no call that takes this back")
    return Request(task=request.task, args=request.undo[0]["args"])


def _nobody(list_op: str) -> ToolCall:
    """The listing call belongs to no action."""
    return ToolCall(list_op, IdempotencyKey(""), 1, "reconcile", RunId(""), "reconcile", "", 10_000)


def _args_of(op: str, row: dict[str, Any]) -> dict[str, Any] | None:
    """Return what `op` must have been called with to make this row; None when it does not make such rows."""
    if op.startswith("svc/psp_"):
        args = {"order_id": row["order"], "method": row["method"], "amount": row["amount"]}
        return args if row["kind"] == op.removeprefix("svc/psp_") else None
    if op.startswith("svc/rma_"):
        state = {"svc/rma_open": "open", "svc/rma_close": "closed"}[op]
        return {"order_id": row["order"], "kind": row["kind"], "items": row["items"]} if row["state"] == state else None
    if op == "svc/mail_send":
        args = {"order_id": row["order"], "template": row["template"]}
        return args | {"retracts": row["retracts"]} if "retracts" in row else args
    return {"summary": row["summary"]}


def _is_of(op: str, args: dict[str, Any], row: dict[str, Any]) -> bool:
    found = _args_of(op, row)
    if found is not None and "items" in args:
        return found == args | {"items": sorted(args["items"])}
    return found == args
