"""approvals: signed answers, changed in every claim and byte, and raced: how many are accepted, how many actions one yes makes."""

import asyncio
import time
from pathlib import Path

from benchmarks.contestant import with_folder
from benchmarks.row import Options, Row
from benchmarks.subject.approvals import CLAIMS, KEY, accepted_of, race
from kernos.adapters.joserfc.tokens import JoseTokens

_SEED = 11
_READS = 2_000


def run(options: Options) -> list[Row]:
    """Change and race answers; say what one costs to seal and to read."""
    changed, raced = (100_000, 1_000) if options.full else (2_000, 20)
    options.say(f"{changed:,} changed answers")
    accepted = accepted_of(changed, _SEED)
    options.say(f"one yes, {raced:,} times")

    def measured(folder: Path) -> dict[str, float]:
        by_token, by_people = asyncio.run(race(folder, raced))
        return {"by_token": by_token, "by_people": by_people}

    found = with_folder(measured)
    tokens = JoseTokens(KEY)
    begun = time.process_time()
    sealed = [tokens.seal(CLAIMS) for _ in range(_READS)]
    between = time.process_time()
    for token in sealed:
        tokens.read(token)
    ended = time.process_time()
    return [
        Row(f"{changed:,} changed answers: accepted", accepted, "answers", target="0", met=accepted == 0),
        Row(
            f"one token used by {raced:,} runs: actions",
            found["by_token"],
            "actions",
            target="1",
            met=found["by_token"] == 1,
        ),
        Row(
            f"one call approved {raced:,} times: actions",
            found["by_people"],
            "actions",
            target="1",
            met=found["by_people"] == 1,
        ),
        Row("sealing a yes", (between - begun) / _READS * 1e6, "us CPU"),
        Row("reading a yes", (ended - between) / _READS * 1e6, "us CPU"),
    ]
