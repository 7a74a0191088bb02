"""ledger: 100,000 calls of tools over HTTP while five in a hundred requests go wrong: effects by the services' own ledger, beside intents.

Three services in a process of their own: one honours keys, one can only be asked by key, one only lists. Replies are lost after the effect,
requests are refused, cut, answered with an error, slow, never answered, and (where keys are honoured) delivered twice. At the end every row of
the services' ledger is laid beside the account of every action in the journal. Calls are made by runs of ten, in processes that follow one another.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from benchmarks.contestant import ProgramFailed, run_program, with_folder
from benchmarks.measure import STEPS_A_RUN
from benchmarks.peers.environment import own_python
from benchmarks.row import FOLDER, Options, Row

_SEED = 1
_RUNS, _RUNS_SMALL = 10_000, 30
_RUNS_A_PROCESS = 1_000
"""Some minute of work: progress is shown, and the store is opened again between them."""

_SUBJECT = "benchmarks.subject.ledger"
_NONE = {
    "doubled": "effects that happened twice",
    "lost": "actions without an effect",
    "unintended": "effects that nobody intended so",
    "bare": "effects without key or causal tag",
    "unfinished": "actions whose end is not known",
    "misreported": "actions with another answer than the service's",
}


def run(options: Options) -> list[Row]:
    """Let the runs act, then compare."""
    runs = _RUNS if options.full else _RUNS_SMALL
    found = with_folder(lambda folder: _measured(options, runs, folder))
    calls = runs * STEPS_A_RUN
    share = 100 * found["faults"] / found["requests"]
    what = f"{calls:,} calls"
    effects, intents = found["effects"], found["intents"]
    return [
        Row(f"{what}: requests that met a fault", share, "%"),
        Row(f"{what}: attempts for each", found["attempts"] / calls, "attempts/call"),
        Row(f"{what}: intents in the journal", intents, "intents", target=f"= {calls:,}", met=intents == calls),
        Row(
            f"{what}: effects in the services' ledger",
            effects,
            "effects",
            target=f"= {intents:,.0f} intents",
            met=effects == intents,
        ),
        *(
            Row(f"{what}: {said}", found[name], "cases", target="= 0", met=not found[name])
            for name, said in _NONE.items()
        ),
        Row(f"{what}: kernos, {found['look_ups']:,.0f} look-ups included", calls / found["seconds"], "calls/s"),
        Row(f"{what}: kernos, HTTP client included", found["cpu_ms"] / calls, "CPU ms/call"),
    ]


def _measured(options: Options, runs: int, folder: Path) -> dict[str, float]:
    seconds = spent_ms = 0.0
    with _services(folder) as services:
        for first in range(0, runs, _RUNS_A_PROCESS):
            options.say(f"{first * STEPS_A_RUN:,} of {runs * STEPS_A_RUN:,} calls ...")
            count = min(_RUNS_A_PROCESS, runs - first)
            where = (folder, "--services", json.dumps(services), "--first", first, "--runs", count)
            took = run_program(own_python(), _SUBJECT, "act", *where)
            seconds, spent_ms = seconds + took["seconds"], spent_ms + took["cpu_ms"]
        with urlopen(f"{services['direct']}/met") as answer:  # noqa: S310 - our own, on this machine
            met = json.load(answer)
    options.say(
        f"faults: {', '.join(f'{name} {count}' for name, count in sorted(met['faults'].items()))}; comparing ..."
    )
    found = run_program(own_python(), _SUBJECT, "compare", folder)
    faults = sum(met["faults"].values())
    return {**found, "seconds": seconds, "cpu_ms": spent_ms, "requests": met["requests"], "faults": faults}


@contextmanager
def _services(folder: Path) -> Iterator[dict[str, str]]:
    """Start the services; give their addresses."""
    command = (str(own_python()), "-m", "benchmarks.subject.ledger_service", str(folder), str(_SEED))
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise ProgramFailed(f"{' '.join(command)} did not start")
            addresses: dict[str, str] = json.loads(line)
            yield addresses
        finally:
            process.terminate()
