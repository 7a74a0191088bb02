"""start: CPU of `kernos --help` beside a bare Typer script, and what the default install brings.

Packages and size are counted from the metadata of this environment: kernos' requirements and theirs, without extras and development tools.
"""

import os
import subprocess
from collections import deque
from collections.abc import Sequence
from importlib.metadata import Distribution, distribution
from pathlib import Path
from statistics import median

from packaging.requirements import Requirement

from benchmarks.contestant import ProgramFailed
from benchmarks.peers.environment import own_python
from benchmarks.row import FOLDER, Options, Row, at_most

_TIMES_MAX = 2.0
_PACKAGES_MAX, _MB_MAX = 45, 60
_PEER = "bare Typer script"


def run(options: Options) -> list[Row]:
    """Measure the command line, then count the install."""
    kernos = [str(own_python().with_name("kernos")), "--help"]
    typer = [str(own_python()), "-m", "benchmarks.peers.bare_typer", "--help"]
    options.say("kernos --help and a bare Typer script, in turns ...")
    for command in (kernos, typer):
        _cpu_ms(command)  # Compiles and caches, which later starts do not.
    times = [(_cpu_ms(kernos), _cpu_ms(typer)) for _ in range(15 if options.full else 3)]
    ours, bare = (median(column) for column in zip(*times, strict=True))
    packages = default_install()
    size_mb = sum(_bytes(package) for package in packages) / 1e6
    return [
        Row(_PEER, bare, "CPU ms"),
        Row(
            "kernos --help",
            ours,
            "CPU ms",
            _PEER,
            ours / bare,
            f"< {_TIMES_MAX:g} x",
            ours / bare < _TIMES_MAX,
        ),
        at_most("default install", len(packages), "packages", _PACKAGES_MAX),
        at_most("default install", size_mb, "MB", _MB_MAX),
    ]


def _cpu_ms(command: Sequence[str]) -> float:
    """Run a command and return the CPU time it and its children used."""
    with subprocess.Popen(command, cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = (
            f"{' '.join(command)} ended with code {process.returncode}:\n{output.decode(errors='replace')[-1_000:]}"
        )
        raise ProgramFailed(message)
    return (used.ru_utime + used.ru_stime) * 1_000


def default_install() -> list[Distribution]:
    """Return kernos and every package that installing it brings, for this machine and Python."""
    found: dict[str, Distribution] = {}
    queue = deque([("kernos", frozenset({""}))])
    seen = set(queue)
    while queue:
        name, extras = queue.popleft()
        package = distribution(name)
        found[package.metadata["Name"].lower().replace("_", "-")] = package
        for line in package.requires or ():
            needed = Requirement(line)
            applies = needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
            item = (needed.name, frozenset({"", *needed.extras}))
            if applies and item not in seen:
                seen.add(item)
                queue.append(item)
    return list(found.values())


def _bytes(package: Distribution) -> int:
    """Return the size of a package's files; kernos counts with its source, as it may be installed in place."""
    if package.metadata["Name"] == "kernos":
        return sum(
            path.stat().st_size for path in (FOLDER / "src").rglob("*") if path.suffix != ".pyc" and path.is_file()
        )
    paths = (Path(str(package.locate_file(file))) for file in package.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())
