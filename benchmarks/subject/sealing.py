"""Sealing by itself: CPU and time of sealing, opening and finding values, over a vault on the disk."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from benchmarks.measure import report
from kernos.app.stores import open_vault
from kernos.ports.vault import Subject
from kernos.vocabulary.detection import detect
from kernos.vocabulary.ids import DEFAULT_TENANT

LABEL = "pii.email"
SUBJECTS = 100
TEXT = (
    "Please send the invoice to maria.lindner@post.example and call me under +43 660 1234567 when it is paid from "
    "AT61 1904 3002 3457 3201. The order is 4711, we talked about it on 2026-03-10, and I am still waiting for an answer. "
)


def microseconds(call: Callable[[int], object], repetitions: int, clock: Callable[[], float]) -> float:
    """Return what one call takes by a clock."""
    start = clock()
    for n in range(repetitions):
        call(n)
    return (clock() - start) / repetitions * 1_000_000


def main(repetitions: int) -> None:
    """Measure, and say the figures."""
    with TemporaryDirectory() as folder:
        vault = open_vault(Path(folder, "desk.kernos"))
        subjects = [Subject(f"C{n}") for n in range(SUBJECTS)]

        def new(n: int) -> object:
            return vault.seal(DEFAULT_TENANT, subjects[n % SUBJECTS], LABEL, f"person{n}@post.example")

        news = max(20, repetitions // 10)  # Each is synced to the disk.
        began = time.perf_counter()
        new_cpu = microseconds(new, news, time.process_time)
        new_time = (time.perf_counter() - began) / news * 1_000_000
        handles = [
            vault.seal(DEFAULT_TENANT, subjects[n % SUBJECTS], LABEL, f"person{n}@post.example") for n in range(news)
        ]
        known = microseconds(lambda n: new(n % news), repetitions, time.process_time)
        opened = microseconds(lambda n: vault.open(DEFAULT_TENANT, handles[n % news]), repetitions, time.process_time)
        vault.close()
    bare = AESGCM(bytes(32))
    sealed = bare.encrypt(bytes(12), b"person1@post.example", b"place")
    plain = microseconds(lambda _: bare.decrypt(bytes(12), sealed, b"place"), repetitions, time.process_time)
    found = microseconds(lambda _: detect(TEXT), repetitions, time.process_time)
    nothing = microseconds(lambda _: detect(TEXT[-90:].replace("2026-03-10", "then")), repetitions, time.process_time)
    report(
        {
            "new_cpu": new_cpu,
            "new_time": new_time,
            "known": known,
            "opened": opened,
            "plain": plain,
            "found": found,
            "nothing": nothing,
        }
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
