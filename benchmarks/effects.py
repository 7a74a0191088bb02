"""effects: the saga of the external workload without faults, 335 effects at services behind HTTP, 16 tasks at once: what doing it once costs.

Beside kernos (the client of tests/external, as it is) stand a careful client that syncs an intent and a result of its own around each effect,
a naive one that only posts, and DBOS. All take turns against a fresh service, which then judges that every effect happened once. A ratio is
the median of the ratios of those that stood side by side, not the ratio of the medians.

Working time runs in each process from when all its modules are imported (also those that it would import later) until the last outcome is on
disk; opening, migrating and recovering a store is in it. Closing is in it for kernos only. What the interpreter and the imports take is seen
in the whole process' time, from its start to its end.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.contestant import Contestant, ProgramFailed, with_folder
from benchmarks.peers.environment import own_python, python_of
from benchmarks.row import Options, Row, at_most
from benchmarks.saga import AT_ONCE, TOOK
from tests.external.taubench_matrix import FOLDER, PRESENT, ROOT, Cell

_TIMES_MAX = 2.0
_PAIRS = 7
_TASKS_SMALL = 10
_CELL = Cell("train", "saga", "none", "honour", 1)
_SECONDS_MAX = 120
_ANSWER_SECONDS_MAX = 10
"""No call is cut short and repeated because the machine is busy."""
_FSYNCS_MAX = 2.5
"""As for one run alone; runs at once share them."""

KERNOS = Contestant("kernos", own_python(), "benchmarks.subject.effects")
CAREFUL = Contestant("careful client", own_python(), "benchmarks.peers.plain_effects", "careful")
NAIVE = Contestant("naive client, no journal", own_python(), "benchmarks.peers.plain_effects", "naive")


@dataclass(frozen=True, slots=True)
class Took:
    """What one contestant needed, once."""

    effects: int
    work_s: float
    cpu_ms: float
    whole_s: float
    fsyncs: int = 0


def run(options: Options) -> list[Row]:
    """Measure all in turns; no rows where the external workload is not here."""
    if not PRESENT:
        options.say(f"left out: the external workload that tests/external runs is not here ({FOLDER} holds none)")
        return []
    contestants = [KERNOS, CAREFUL, NAIVE, *_dbos(options)]
    pairs = _PAIRS if options.full else 1
    found: dict[str, list[Took]] = {contestant.name: [] for contestant in contestants}
    for repetition in range(pairs):
        turn = repetition % len(contestants)
        for contestant in (*contestants[turn:], *contestants[:turn]):
            options.say(f"{repetition + 1} of {pairs}: {contestant.name} ...")
            found[contestant.name].append(_measure(contestant, options))
    return _rows(found, options) + _fsyncs([one for one in contestants if one is not NAIVE], options)


def _dbos(options: Options) -> list[Contestant]:
    python = python_of("dbos", options)
    if python is None:
        return []
    return [Contestant(f"DBOS {mode}", python, "benchmarks.peers.dbos_effects", mode) for mode in ("rollback", "wal")]


def _rows(found: Mapping[str, Sequence[Took]], options: Options) -> list[Row]:
    effects = found[KERNOS.name][0].effects
    rows = []
    for said, unit, cost in (
        (f"{effects} effects, {AT_ONCE} tasks at once", "s", _work_s),
        ("an effect", "CPU ms/effect", _cpu_ms),
        ("interpreter and imports included", "s", _whole_s),
    ):
        costs = {name: [cost(one) for one in each] for name, each in found.items()}
        for name, ours in costs.items():
            row = Row(f"{said}: {name}", median(ours), unit)
            rows.append(row if name == CAREFUL.name else _beside(row, ours, CAREFUL.name, costs))
            if name == KERNOS.name and cost is _work_s:
                rows[-1] = _judged(rows[-1], options)
                rows += [_beside(row, ours, peer, costs) for peer in costs if peer.startswith("DBOS")]
    return rows


def _work_s(took: Took) -> float:
    return took.work_s


def _cpu_ms(took: Took) -> float:
    return took.cpu_ms / took.effects


def _whole_s(took: Took) -> float:
    return took.whole_s


def _judged(row: Row, options: Options) -> Row:
    """Hold the ratio to its target; a few effects are mostly the opening of the store, and promise nothing."""
    assert row.ratio is not None
    return replace(row, target=f"<= {_TIMES_MAX:g} x", met=row.ratio <= _TIMES_MAX) if options.full else row


def _beside(row: Row, ours: Sequence[float], peer: str, costs: Mapping[str, Sequence[float]]) -> Row:
    """Compare with a peer, pair by pair."""
    return replace(row, peer=peer, ratio=median(mine / other for mine, other in zip(ours, costs[peer], strict=True)))


def _fsyncs(contestants: Sequence[Contestant], options: Options) -> list[Row]:
    strace = shutil.which("strace")
    if strace is None:
        options.say("left out: fsyncs of an effect (strace is not installed)")
        return []
    rows = []
    for contestant in contestants:
        options.say(f"counting fsyncs: {contestant.name} ...")
        took = _measure(contestant, options, strace)
        each = took.fsyncs / took.effects
        what, unit = f"an effect: {contestant.name}", "fsyncs/effect"
        rows.append(at_most(what, each, unit, _FSYNCS_MAX) if contestant is KERNOS else Row(what, each, unit))
    return rows


def _measure(contestant: Contestant, options: Options, strace: str = "") -> Took:
    found = with_folder(partial(_run, contestant, options, strace))
    return Took(int(found["effects"]), found["seconds"], found["cpu_ms"], found["whole_s"], int(found.get("fsyncs", 0)))


def _run(contestant: Contestant, options: Options, strace: str, folder: Path) -> dict[str, float]:
    """Let the workload's runner start a service and the contestant; raise ProgramFailed unless every effect happened once."""
    log = folder / "calls"
    client = [str(contestant.python), "-m", contestant.module, contestant.variant]
    if strace:
        client = [strace, "-f", "-qq", "-o", str(log), "-e", "trace=fsync,fdatasync", *client]
    command = [sys.executable, "-m", "taubench.runner", "--client", shlex.join(client), *_CELL.options()]
    command += ["--deadline", str(_SECONDS_MAX), "--timeout", str(_ANSWER_SECONDS_MAX)]
    command += [] if options.full else ["--limit", str(_TASKS_SMALL)]
    path = os.pathsep.join([str(FOLDER), str(ROOT), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder)}
    done = subprocess.run(
        command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=2 * _SECONDS_MAX
    )
    if done.returncode:
        raise ProgramFailed(f"the workload's runner ended with code {done.returncode}:\n{done.stderr[-2_000:]}")
    summary = json.loads(done.stdout)
    work = Path(summary["workdir"])
    if summary["verdicts"] != {"ok": summary["tasks"]} or summary["exit"] or not (work / TOOK).exists():
        said = (work / "client.log").read_text(encoding="utf-8", errors="replace")[-2_000:]
        raise ProgramFailed(f"{contestant.name} did not do every task once: {summary['verdicts']}\n{said}")
    took: dict[str, float] = json.loads((work / TOOK).read_text(encoding="utf-8"))
    took |= {"effects": summary["calls"], "whole_s": summary["wall_s"]}
    if strace:
        calls = re.findall(r"\b(?:fsync|fdatasync)\(", log.read_text(encoding="utf-8", errors="replace"))
        took["fsyncs"] = len(calls)
    return took
