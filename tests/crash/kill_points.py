"""SIGKILL at the N-th call of each write-type system call of a whole desk run, one process after the other; prints what came of it as JSON.

`python -m tests.crash.kill_points SHARE SHARES KILLS CASES`. This process imports everything once and forks a desk for each point, which
strace attaches to before it begins; a second fork, without strace, finishes what the first left.
"""

import asyncio
import gc
import http.client
import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp  # noqa: F401 - imported before the forks, so that none of them pays for it
import apsw  # noqa: F401
import cedarpy  # noqa: F401

from tests.crash.kill_desk import check, work

CALLS = (
    "write,pwrite64,writev,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync,ftruncate,fallocate,rename,renameat,renameat2,"
    "unlink,unlinkat,mkdir,link,chmod,fchmod"
)
_LOGGED = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)\(", re.MULTILINE)
RESTART_S_MAX = 20.0


class Points:
    """Runs points against one service."""

    def __init__(self, folder: Path, cases: list[str]) -> None:
        self.folder = folder
        self.cases = cases
        command = [sys.executable, "-m", "tests.crash.kill_service", str(folder / "ledger.sqlite")]
        self.shop = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.shop.stdout is not None
        self.port = int(self.shop.stdout.readline())
        self.world = 0

    def close(self) -> None:
        self.shop.kill()
        self.shop.wait()

    def ask(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def fork(self, folder: Path, world: str, *, checks: bool) -> tuple[int, int, int]:
        """Fork a desk that begins once a byte comes; return its id, the way to that byte, and where its report comes from."""
        begin_r, begin_w = os.pipe()
        report_r, report_w = os.pipe()
        child = os.fork()
        if child:
            os.close(begin_r)
            os.close(report_w)
            return child, begin_w, report_r
        try:
            os.close(begin_w)
            os.read(begin_r, 1)
            begun, begun_cpu = time.monotonic(), time.process_time()
            asyncio.run(
                asyncio.wait_for(work(folder, f"http://127.0.0.1:{self.port}/{world}", self.cases), RESTART_S_MAX)
            )
            if checks:
                said = {"took_s": time.monotonic() - begun, "cpu_s": time.process_time() - begun_cpu}
                os.write(report_w, json.dumps({**said, "wrong": asyncio.run(check(folder))}).encode())
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - a fork reports whatever happened and never returns
            never = {"took_s": RESTART_S_MAX, "cpu_s": RESTART_S_MAX}
            os.write(report_w, json.dumps({**never, "wrong": [f"restart failed: {error!r}"]}).encode())
            os._exit(1)

    def under_strace(self, folder: Path, world: str, *options: str) -> int:
        """Run a desk under strace; return how it ended, as `os.waitpid` says it."""
        child, begin, report = self.fork(folder, world, checks=False)
        command = ["strace", "-f", "-e", f"trace={CALLS}", "-e", "signal=none", *options, "-p", str(child)]
        strace = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert strace.stderr is not None
        attached = strace.stderr.readline()
        assert "attached" in attached, attached
        os.write(begin, b"!")
        _, status = os.waitpid(child, 0)
        strace.communicate()
        os.close(begin)
        os.close(report)
        return status

    def all_points(self) -> list[tuple[str, int]]:
        """Run once without a kill; return every (system call, number) that strace can count: numbers are counted in each thread."""
        folder = self.begin("dry")
        log = folder / "strace.log"
        status = self.under_strace(folder, "dry", "-o", str(log))
        assert status == 0, status
        counts = Counter(_LOGGED.findall(log.read_text()))
        most: dict[str, int] = {}
        for (_, call), count in counts.items():
            most[call] = max(most.get(call, 0), count)
        return [(call, number) for call in sorted(most) for number in range(1, most[call] + 1)]

    def begin(self, world: str) -> Path:
        folder = self.folder / world
        folder.mkdir()
        return folder

    def kill_at(self, call: str, number: int) -> dict[str, Any] | None:
        """Kill a desk there, finish it, and say what came of it; None when it ended before that call."""
        self.world += 1
        world = f"w{self.world}"
        folder = self.begin(world)
        status = self.under_strace(folder, world, "-o", "/dev/null", "-e", f"inject={call}:signal=KILL:when={number}")
        if os.WIFEXITED(status):
            assert status == 0, (call, number, status)
            shutil.rmtree(folder)
            return None
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        assert self.ask("/quiet")["quiet"]
        child, begin, report = self.fork(folder, world, checks=True)
        os.write(begin, b"!")
        with os.fdopen(report) as file:
            said: dict[str, Any] = json.loads(file.read())
        os.waitpid(child, 0)
        os.close(begin)
        effects = Counter((one["op"], one["request"]) for one in self.ask(f"/{world}/ledger"))
        said["wrong"] += [f"{count} times: {what}" for what, count in effects.items() if count != 1]
        if len(effects) != 3 * len(self.cases):
            said["wrong"].append(f"{len(effects)} effects of {3 * len(self.cases)}")
        if not said["wrong"]:
            shutil.rmtree(folder)
        return said


def main(share: int, shares: int, kills: int, cases: int) -> None:
    gc.freeze()
    folder = Path(tempfile.mkdtemp(prefix="kernos-kill-"))
    points = Points(folder, [f"A{number}" for number in range(cases)])
    done: list[tuple[str, int, dict[str, Any]]] = []
    missed = 0
    try:
        listed = [(call, number) for call, number in points.all_points() if number % shares == share]
        random.Random(7).shuffle(listed)
        for call, number in itertools.islice(itertools.cycle(listed), 8 * kills):
            said = points.kill_at(call, number)
            if said is None:
                missed += 1
            else:
                done.append((call, number, said))
            if len(done) == kills:
                break
    finally:
        points.close()
    wrong = [f"{call} {number}: {words}" for call, number, said in done for words in said["wrong"]]
    took_s = sorted(said["took_s"] for _, _, said in done)
    print(
        json.dumps(
            {
                "points": len(listed),
                "kills": len(done),
                "at_different_points": len({(call, number) for call, number, _ in done}),
                "by_call": dict(Counter(call for call, _, _ in done)),
                "ended_before": missed,
                "wrong": wrong,
                "restart_s_p95": round(took_s[len(took_s) * 95 // 100], 3),
                "restart_s_max": round(took_s[-1], 3),
                "restart_cpu_s_max": round(max(said["cpu_s"] for _, _, said in done), 3),
                "kept": str(folder) if wrong else "",
            }
        )
    )
    if not wrong:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:5]))
