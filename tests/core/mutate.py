"""Mutate: one change of the core at a time, and the tests that run the changed line. A change that no test notices is a hole in the tests.

Changes are made in copies of the sources. Each test run is a fork of a process that has everything imported but kernos. What was tried is kept in
`.core/`, so that a run can be broken off and gone on with.
"""

import compileall
import hashlib
import importlib
import io
import json
import multiprocessing
import os
import random
import resource
import select
import shutil
import signal
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.core.cover import FOLDER, data, tests_of
from tests.core.mutants import Mutant, mutants_of
from tests.core.parts import ROOT, SOURCES, files_of

_WORKERS = 2
_TESTS_MAX = 250
_SECONDS_MAX = 30.0
"""Of tests for one change, by what they took when they were measured; those that look at the file most come first."""
_PATIENCE = 4.0
"""Times as long as measured, in processor time, after which a change counts as noticed: something hangs."""
_WAITING = 5.0
"""Times that again, by the clock: what hangs without working. The machine may be busy with something else."""
_START_S = 15.0
_RESULTS = FOLDER / "mutants.json"
_EQUIVALENT = Path(__file__).with_name("equivalent.toml")
_ALREADY = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
_PRELOADED = (
    "aiohttp",
    "apsw",
    "cedarpy",
    "cryptography.fernet",
    "hypothesis",
    "joserfc.jws",
    "msgspec",
    "pydantic",
    "pytest_asyncio",
    "rfc8785",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One change and the tests that ought to notice it."""

    mutant: Mutant
    name: str
    tests: tuple[str, ...]
    seconds: float


def mutate(parts: Sequence[str], ending: str, sample: int, seed: str, more: Sequence[str] = ()) -> int:
    """Try changes, print what survived and the score of each part; return 1 when a part stays under 90 %.

    `more`: files of tests that were not measured. What has survived so far is tried once more, by these alone.
    """
    durations = json.loads((FOLDER / "durations.json").read_text(encoding="utf-8"))
    chosen = {part: _drawn(part, ending, sample, seed) for part in parts}
    known = _results()
    trials = [trial for part in parts for trial in _trials(chosen[part], durations)]
    tried = ("noticed",) if more else ("noticed", "survived", "untested")
    trials = [_with_more(one, known.get(one.name), more) for one in trials if known.get(one.name) not in tried]
    print(f"{sum(map(len, chosen.values()))} changes, {len(trials)} of them to try", flush=True)
    for done, (name, outcome) in enumerate(_outcomes(trials), 1):
        known[name] = outcome
        _RESULTS.write_text(json.dumps(known, indent=0), encoding="utf-8")
        if outcome == "survived" or not done % 25:
            print(f"  {done}/{len(trials)} {name if outcome == 'survived' else ''}", flush=True)
    return _summed_up(chosen, known)


def _with_more(trial: Trial, outcome: str | None, more: Sequence[str]) -> Trial:
    tests = (*more,) if outcome else (*more, *trial.tests)
    return Trial(trial.mutant, trial.name, tests, trial.seconds + _SECONDS_MAX) if more else trial


def _drawn(part: str, ending: str, sample: int, seed: str) -> list[Mutant]:
    every = [mutant for path in files_of(part) if str(path).endswith(ending) for mutant in mutants_of(path)]
    if not sample or sample >= len(every):
        return every
    return sorted(random.Random(f"{seed} {part}").sample(every, sample), key=lambda one: (one.path, one.begin))


def _name(mutant: Mutant) -> str:
    digest = hashlib.sha256(mutant.path.read_bytes()).hexdigest()[:8]
    where = f"{mutant.path.relative_to(SOURCES / 'kernos')}:{mutant.line}"
    return f"{where} {digest}@{mutant.begin}: {_short(mutant.old)} => {_short(mutant.new)}"


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= 160 else f"{one[:157]}..."


def _results() -> dict[str, str]:
    return json.loads(_RESULTS.read_text(encoding="utf-8")) if _RESULTS.exists() else {}


def _trials(mutants: Sequence[Mutant], durations: Mapping[str, float]) -> list[Trial]:
    known = data()
    by_file = {path: tests_of(path, known) for path in {mutant.path for mutant in mutants}}
    of_all = _looks(by_file.values())
    trials = []
    for mutant in mutants:
        lines = by_file[mutant.path]
        looks = (
            _looks([lines]) or of_all
        )  # A file that only says what things are is looked at by those that look at its neighbours.
        here = frozenset(lines.get(mutant.line, ()))
        tests: list[str] = []
        seconds = 0.0
        for test in _in_order(looks, here, durations):
            if len(tests) == _TESTS_MAX or seconds > _SECONDS_MAX:
                break
            tests.append(test)
            seconds += durations.get(test, 1.0)
        tests.sort(key=lambda one: (durations.get(one, 1.0), one))  # The first that fails ends it.
        trials.append(Trial(mutant, _name(mutant), tuple(tests), seconds))
    return trials


def _looks(files: Iterable[Mapping[int, Sequence[str]]]) -> dict[str, int]:
    """Return how many lines of some files each test runs."""
    found: dict[str, int] = {}
    for lines in files:
        for tests in lines.values():
            for test in tests:
                found[test] = found.get(test, 0) + 1
    return found


def _in_order(looks: Mapping[str, int], here: Collection[str], durations: Mapping[str, float]) -> list[str]:
    """Return tests, those that run the line first: by turns the one that sees most of the file and the one that sees most of it in a second.

    The others of the file may look at what was made when a module was loaded.
    """
    most = sorted(looks, key=lambda one: (one not in here, -looks[one], durations.get(one, 1.0), one))
    quickest = sorted(looks, key=lambda one: (one not in here, -looks[one] / (0.1 + durations.get(one, 1.0)), one))
    return list(dict.fromkeys(one for pair in zip(most, quickest, strict=True) for one in pair))


def _outcomes(trials: Sequence[Trial]) -> Iterator[tuple[str, str]]:
    """Try them in several processes; yield each name with `noticed`, `survived` or `untested`."""
    for module in _PRELOADED:
        importlib.import_module(module)
    for left in FOLDER.glob("copy-*"):
        shutil.rmtree(left)
    with multiprocessing.get_context("fork").Pool(_WORKERS) as pool:
        yield from pool.imap_unordered(_try, trials)


_passing: dict[str, bool] = {}
"""Tests that this process has seen pass, or not, with nothing changed."""


def _try(trial: Trial) -> tuple[str, str]:
    """Try one change, in this process's copy of the sources."""
    copy = FOLDER / f"copy-{os.getpid()}"
    if not copy.exists():
        shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(copy, quiet=1)
    tests = [test for test in trial.tests if _passes(test, trial, copy)]
    if not tests:
        return trial.name, "untested"
    changed = copy / trial.mutant.path.relative_to(SOURCES)
    before = changed.read_bytes()
    changed.write_text(trial.mutant.text(), encoding="utf-8")
    try:
        is_noticed = _run(tests, copy, trial.seconds * _PATIENCE + _START_S) != 0
    finally:
        changed.write_bytes(before)
        compileall.compile_file(changed, force=True, quiet=1)
    return trial.name, "noticed" if is_noticed else "survived"


def _passes(test: str, trial: Trial, copy: Path) -> bool:
    """Tell whether a test passes with nothing changed, as else it would notice everything; looked at once, for all of the trial's tests."""
    if test not in _passing:
        fresh = [one for one in trial.tests if one not in _passing]
        if _run(fresh, copy, trial.seconds * _PATIENCE + _START_S) == 0:
            _passing.update(dict.fromkeys(fresh, True))
        else:
            _passing[test] = _run([test], copy, _PATIENCE * 10 + _START_S) == 0
    return _passing[test]


def _run(tests: Sequence[str], copy: Path, seconds: float) -> int:
    """Run tests against a copy of the sources in a process of their own; return its exit code, -9 when it had to be ended."""
    ending, held = os.pipe()  # Read to its end when the child is gone.
    child = os.fork()
    if not child:
        os.setsid()
        os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        sys.dont_write_bytecode = True
        sys.path.insert(0, str(copy))
        os.chdir(ROOT)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(quiet, stream)
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            code = pytest.main(["-x", "-q", "-p", "no:randomly", "-p", "no:xdist", "-W", _ALREADY, *tests])
        os._exit(int(code))
    os.close(held)
    is_over = bool(select.select([ending], [], [], seconds * _WAITING)[0])
    os.close(ending)
    if not is_over:
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _summed_up(chosen: Mapping[str, Sequence[Mutant]], known: Mapping[str, str]) -> int:
    equal = {
        (one["file"], one["line"], one["old"], one["new"])
        for one in tomllib.loads(_EQUIVALENT.read_text(encoding="utf-8"))["change"]
    }
    is_good = True
    for part, mutants in chosen.items():
        counted = {"noticed": 0, "survived": 0, "untested": 0, "equivalent": 0}
        for mutant in mutants:
            outcome = known[_name(mutant)]
            text = mutant.path.read_text(encoding="utf-8").splitlines()[mutant.line - 1].strip()
            said = (str(mutant.path.relative_to(SOURCES / "kernos")), text, _short(mutant.old), _short(mutant.new))
            if outcome != "noticed" and said in equal:
                outcome = "equivalent"
            counted[outcome] += 1
            if outcome in ("survived", "untested"):
                print(f"{outcome}: {_name(mutant)}")
        whole = len(mutants) - counted["equivalent"]
        score = 100 * counted["noticed"] / max(1, whole)
        is_good &= score >= 90
        said_so = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
        print(f"{part:10} {len(mutants)} changes: {said_so}; {score:.1f} % of those that change anything are noticed")
    return 0 if is_good else 1
