"""Listing: runs, and what is set and registered here."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kernos.adapters.sqlite.lock import WorkerLock
from kernos.app.cli.foreground import waits
from kernos.app.cli.halting import told_stops
from kernos.app.cli.opening import dev_command, find_agents, plain_kernel
from kernos.app.cli.showing import print_json, print_table, terminal_width
from kernos.app.kernel import Kernel
from kernos.app.settings import Settings
from kernos.app.spending import Spending
from kernos.app.story import SHORT, Wait, when
from kernos.kernel.state import Status
from kernos.ports.journal import Row
from kernos.vocabulary.contract import AgentContract, Codec, ToolContract
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.journal import Scalar

_OPEN = (Status.RUNNING, Status.WAITING, Status.BLOCKED, Status.HANDED_OVER, Status.COMPENSATING)
_NARROW = 110
"""Below so many columns a table says when and for whom more shortly, so that what a run waits for can be read."""
_STATUSES = tuple(status for status in Status if status is not Status.ABSENT)


async def list_runs(settings: Settings, *, every: bool, status: str, limit: int, as_json: bool) -> None:
    """Print runs with what each waits for."""
    if status and status not in _STATUSES:
        message = f"{status!r} is no status of a run"
        raise InvalidInput(message, hint=f"Use one of {', '.join(_STATUSES)}.")
    async with plain_kernel(settings) as kernel:
        if every or status:
            rows = await _newest(kernel, {"status": status} if status else {}, limit + 1)
        else:
            rows = [row for kind in _OPEN for row in await _newest(kernel, {"status": kind}, limit + 1)]
            rows.sort(key=lambda row: int(row["requested_at"] or 0), reverse=True)
        cut = len(rows) > limit
        listed = [(row, await waits(kernel, str(row["run"]))) for row in rows[:limit]]
        warnings = await Spending(kernel).warnings()
        raisers = " or ".join(kernel.caps.raised_by) or "a person who administers"
        stops = told_stops(kernel, settings)
    if as_json:
        print_json([{**row, "waits": found} for row, found in listed])
        return
    for stopped, command in stops:
        print(f"STOPPED: {stopped}")
        print(f"  a person lets it go on: {command}")
    for line in warnings:
        print(f"BUDGET: {line.text()}")
        print(f"  {raisers} raises it: {line.command()}{settings.repeated}")
    if not listed:
        ended = f"no open runs; those that have ended: kernos ps --all{settings.repeated}"
        print("no runs" if every or status else ended)
        return
    narrow = 0 < terminal_width() < _NARROW
    table = [
        (*_columns(row, narrow=narrow), "; ".join(wait.text() for wait in found) or str(row["reason"] or row["intent"]))
        for row, found in listed
    ]
    headings = ("RUN", "STATUS", "AGENT", "ASKED", *(() if narrow else ("BY",)), "WAITS FOR, OR WHAT IT IS")
    print_table(headings, table)
    if cut:
        print(f"and more; show them with --limit {limit * 10}")
    going_on = sum(moves(row, found) for row, found in listed)
    if going_on and WorkerLock.holder(settings.store) is None:
        note = f"no process runs agents over this store now: `{dev_command(settings)}` goes on with {going_on} of these"
        sys.stdout.flush()  # The note comes after the table, also where both go into one file.
        print(note, file=sys.stderr)


def moves(row: Row, pending: Sequence[Wait]) -> bool:
    """Tell whether a process that runs agents would go on with a run by itself."""
    return row["status"] == Status.RUNNING or (row["status"] == Status.COMPENSATING and not pending)


async def _newest(kernel: Kernel, where: Mapping[str, Scalar], limit: int) -> list[Row]:
    """Return runs by when they were asked for: by their ids they would not lie in that order."""
    return list(await kernel.journal.select("runs", where, order="requested_at", descending=True, limit=limit))


def _columns(row: Row, *, narrow: bool) -> tuple[str, ...]:
    asked = when(int(row["requested_at"] or 0))
    whom = () if narrow else (str(row["by"]),)
    return str(row["run"])[:SHORT], str(row["status"]), str(row["agent"]), asked[5:16] if narrow else asked, *whom


def show_settings(settings: Settings, *, as_json: bool) -> None:
    """Print settings with their sources, then agents and tools with their types."""
    agents = find_agents(settings)
    tools = {tool.name: tool for agent in agents for tool in agent.tools}
    if as_json:
        print_json(
            {
                "settings": {name: value for name, _, value in _rows(settings)},
                "sources": settings.sources,
                "models": settings.models,
                "agents": [_agent(agent) for agent in agents],
                "tools": [_tool(tool) for tool in tools.values()],
            }
        )
        return
    print_table(("SETTING", "FROM", "VALUE"), _rows(settings))
    for name, model in sorted(settings.models.items()):
        print(f"model {name}: {msgspec.json.encode(model).decode()}")
    for agent in agents:
        first = agent.description.split("\n", 1)[0]
        print(f"\nagent {agent.name} version {agent.version}{f': {first}' if first else ''}")
        print(f"  takes   {_fields(agent.input)}")
        print(f"  gives   {_fields(agent.output)}")
        if agent.failures:
            print(f"  fails   {', '.join(agent.failures)}")
        print(f"  tools   {', '.join(tool.name for tool in agent.tools) or 'none'}")
    for tool in tools.values():
        print(f"\ntool {tool.name}, effect class {tool.effect}")
        print(f"  takes   {_fields(tool.input)}")
        print(f"  gives   {_fields(tool.output)}")
        if tool.compensate is not None:
            print(f"  undo    {tool.compensate.tool.name}")
        elif tool.irrevocable:
            print(f"  undo    none: {tool.irrevocable}")


def _rows(settings: Settings) -> Sequence[tuple[str, str, str]]:
    values = {
        "file": str(settings.file or "none"),
        "store": str(settings.store),
        "agents": ", ".join(settings.agents) or "none",
        "policies": str(settings.policies or "none: every action asks a person"),
        "by": settings.by,
    }
    return [(name, settings.sources.get(name, "found"), value) for name, value in values.items()]


def _agent(agent: AgentContract[Any, Any]) -> Mapping[str, Any]:
    return {
        "name": agent.name,
        "version": agent.version,
        "code_digest": agent.code_digest,
        "description": agent.description,
        "input": _schema(agent.input),
        "output": _schema(agent.output),
        "failures": agent.failures,
        "limits": agent.limits,
        "tools": [tool.name for tool in agent.tools],
    }


def _tool(tool: ToolContract[Any, Any]) -> Mapping[str, Any]:
    return {
        "name": tool.name,
        "effect": tool.effect,
        "description": tool.description,
        "timeout_ms": tool.timeout_ms,
        "retry": tool.retry,
        "undo": tool.compensate.tool.name if tool.compensate is not None else "",
        "irrevocable": tool.irrevocable,
        "input": _schema(tool.input),
        "output": _schema(tool.output),
    }


def _schema(codec: Codec) -> Any:
    return msgspec.json.decode(codec.schema.text)


def _fields(codec: Codec) -> str:
    """Write a type in one line: its name, and its fields where it has any; optional ones with a question mark."""
    schema = _schema(codec)
    properties: Mapping[str, Any] = schema.get("properties", {})
    required = schema.get("required", ())
    fields = [f"{name}{'' if name in required else '?'}: {_kind(part)}" for name, part in properties.items()]
    name = "nothing" if schema.get("type") == "null" else codec.type_name
    return f"{name} {{{', '.join(fields)}}}" if fields else name


def _kind(part: Mapping[str, Any]) -> str:
    if "$ref" in part:
        return str(part["$ref"]).rsplit("/", 1)[-1]
    if "enum" in part:
        return " | ".join(str(item) for item in part["enum"])
    if "anyOf" in part:
        return " | ".join(_kind(item) for item in part["anyOf"])
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}))}"
    return str(part.get("type", "any"))
