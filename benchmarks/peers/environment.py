"""Peers' environments: each peer in a virtual environment of its own below `.venvs/`, made on demand from pinned requirements."""

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.row import FOLDER, Options

_VENVS = FOLDER / ".venvs"
_ATTEMPT_SECONDS = 600  # A peer brings tens of packages; on a slow line that takes minutes, not hours.


class PeerMissing(Exception):
    """A peer's environment could not be made; the message says why."""


def python_of(peer: str, options: Options) -> Path | None:
    """Return the interpreter of a peer's environment, made first if need be; None, and say why, where the peer is left out."""
    if not options.peers:
        return None
    try:
        return _prepare(peer, options)
    except PeerMissing as missing:
        options.say(f"left out: {missing}")
        return None


def _prepare(peer: str, options: Options) -> Path:
    requirements = Path(__file__).parent / f"{peer}.txt"
    folder = _VENVS / peer
    python = folder / "bin" / "python"
    ready = folder / "ready"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return python
    options.say(f"{peer}: making its environment in .venvs/{peer} (once, up to a minute) ...")
    venv.create(folder, with_pip=True, clear=True)
    _install(python, requirements, peer)
    ready.write_text(wanted, encoding="utf-8")
    return python


def _install(python: Path, requirements: Path, peer: str) -> None:
    command = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements)
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=_ATTEMPT_SECONDS)
    except subprocess.TimeoutExpired as error:
        message = f"{peer} was not installed within {_ATTEMPT_SECONDS} s; look at the network, or use --no-peers"
        raise PeerMissing(message) from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        message = (
            f"{peer} could not be installed ({said[-1] if said else 'pip said nothing'}); use --no-peers to go without"
        )
        raise PeerMissing(message)


def own_python() -> Path:
    """Return the interpreter that kernos itself is installed for."""
    return Path(sys.executable)
