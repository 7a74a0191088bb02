"""Processes: Python modules that run beside their caller, and can be killed at any time: the shop and the desk."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
READY_S_MAX = 20.0
"""Far above what a slow machine needs."""


class Process:
    """One Python module as a process of its own that can be ended, killed and started again."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        """Say what to run (after `python -m`) and where its output goes."""
        self._arguments = [sys.executable, "-m", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, apart from the terminal's Ctrl-C."""
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """End it at once, wherever it stands (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it in peace (SIGTERM), and by force if that takes too long."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()

    async def address(self, file: Path) -> str:
        """Wait until it has written its address into a file, and return that."""
        until = monotonic() + READY_S_MAX
        while not (file.is_file() and file.read_text().strip()):
            if self._process is None or self._process.poll() is not None or monotonic() > until:
                message = f"{self._arguments[2]} did not start; {self._log} says why"
                raise SystemExit(message)
            await asyncio.sleep(0.02)
        return file.read_text().strip()
