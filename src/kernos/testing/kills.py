"""Kills: the same as `crash_everywhere` with nothing simulated: real processes over a real store, each ended by SIGKILL at its point.

A world is a folder with a store and the effects that were written down. A process is forked and kills itself at its point; a second one goes on to the end.
Points are the steps and the attempts; those inside a write to the disk a process cannot choose for itself.
"""

import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from kernos.ports.model import Model
from kernos.ports.policy import Policy
from kernos.testing.clock import run_virtually
from kernos.testing.crashes import Crashes, Ended, findings_at, one_life, refuse
from kernos.testing.ledger import Ledger, Line
from kernos.testing.people import People
from kernos.testing.points import Point, Points
from kernos.testing.stage import Cast, CheckFailed, Stage, cast_of
from kernos.vocabulary.budget import Caps
from kernos.vocabulary.contract import AgentContract, ToolContract
from kernos.vocabulary.errors import InvalidInput
from kernos.vocabulary.quantities import Json

In = TypeVar("In")


def kill_everywhere(
    workflow: AgentContract[In, Any],
    value: In,
    *,
    agents: Sequence[AgentContract[Any, Any]] = (),
    tools: Sequence[ToolContract[Any, Any]] = (),
    ledger: Ledger | None = None,
    models: Mapping[str, Model] | Callable[[], Mapping[str, Model]] | None = None,
    policies: str | Path | Policy | None = None,
    budgets: Caps | None = None,
    people: People | None = None,
    same: Callable[[str], object] = str,
    at: str = "",
) -> Crashes:
    """Run `workflow` on `value` in a process that is killed with SIGKILL at each step and attempt, and check that it ends as it does without.

    Takes what `crash_everywhere` takes; some 0.2 s a point. What a ledger's `observe` sees has to lie outside of the process, in a file or a service.
    Call it outside of any event loop, in a process without threads: it forks. Raises CheckFailed.
    """
    cast = cast_of(
        workflow,
        agents=agents,
        tools=tools,
        models=models,
        policies=policies,
        budgets=budgets,
        people=people,
        ledger=ledger,
    )
    with tempfile.TemporaryDirectory(prefix="kernos-kills-") as folder:
        worlds = _Worlds(Path(folder), cast, workflow, value)
        clean, reached = worlds.world("clean", "")
        if clean.wrong:
            raise CheckFailed(f"{workflow.name}, without any crash", clean.wrong)
        points = tuple(point for point in reached if at in ("", point.name))
        if not points:
            message = f"{workflow.name} reaches no point {at!r}"
            raise InvalidInput(message, hint=f"It reaches: {', '.join(str(point) for point in reached)}.")
        findings: list[str] = []
        for number, point in enumerate(points):
            ended, _ = worlds.world(f"w{number}", point.name)
            findings += findings_at(point, clean, ended, same, cast)
    refuse(workflow.name, len(points), findings)
    return Crashes(clean, points)


class _Worlds:
    """Worlds in a folder, each with processes of its own."""

    def __init__(self, folder: Path, cast: Cast, workflow: AgentContract[Any, Any], value: object) -> None:
        self._folder = folder
        self._cast = cast
        self._workflow = workflow
        self._value = value

    def world(self, name: str, at: str) -> tuple[Ended, list[Point]]:
        """Let a process live until it kills itself or ends, and then, if it did not end, another one."""
        folder = self._folder / name
        folder.mkdir()
        if self._fork(folder, Points(at)) == signal.SIGKILL:
            self._fork(folder, Points(counts=False))
        report = folder / "report"
        if not report.exists():
            return Ended(("", ""), Counter(), ("the process that went on ended without a result; see its output",)), []
        said = json.loads(report.read_text(encoding="utf-8"))
        ended = Ended((said["status"], said["shown"]), Counter(said["effects"]), tuple(said["wrong"]))
        return ended, [Point(*point) for point in said["points"]]

    def _fork(self, folder: Path, points: Points) -> int:
        """Fork a process and wait for its end; return the signal that ended it, 0 for none."""
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                self._live(folder, points)
            finally:
                os._exit(1)  # A fork never returns into its caller's test.
        _, status = os.waitpid(child, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def _live(self, folder: Path, points: Points) -> None:
        """Go on with the world until its run has ended, and report."""
        points.on_death.append(partial(os.kill, os.getpid(), signal.SIGKILL))
        store = folder / "store.kernos"
        stage = Stage(self._cast, seed=int(store.exists()), disk=store)  # A second life names its runs anew.
        self._cast.ledger.lines = _FileLines(folder / "effects")
        ended = run_virtually(one_life(stage, self._workflow, self._value, points))
        assert ended is not None
        report = {
            "status": ended.outcome[0],
            "shown": ended.outcome[1],
            "effects": ended.effects,
            "wrong": ended.wrong,
            "points": [(point.name, point.about) for point in points.reached],
        }
        (folder / "report").write_text(json.dumps(report), encoding="utf-8")
        os._exit(0)


class _FileLines(list[Line]):
    """A ledger's lines that outlive their process."""

    def __init__(self, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        super().__init__(_line(*json.loads(line)) for line in lines)
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(self, line: Line) -> None:
        """Write a line to the file, then remember it."""
        result = None if line.result is None else line.result.text.decode()
        written = json.dumps([line.what, line.details.text.decode(), line.key, result])
        os.write(self._handle, f"{written}\n".encode())
        super().append(line)


def _line(what: str, details: str, key: str, result: str | None) -> Line:
    return Line(what, Json(details.encode()), key, None if result is None else Json(result.encode()))
