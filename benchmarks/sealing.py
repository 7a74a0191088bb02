"""sealing: what a labelled value costs: sealed for the first time (one sync to the disk), sealed again, opened, and looked for in free text.

Nothing was promised; opening is compared with AES-256-GCM alone.
"""

from statistics import median

from benchmarks.contestant import run_program
from benchmarks.peers.environment import own_python
from benchmarks.row import Options, Row

_CPU = "CPU us/value"


def run(options: Options) -> list[Row]:
    """Measure each by itself."""
    options.say("sealing and opening ...")
    repetitions = 5_000 if options.full else 200
    found = [run_program(own_python(), "benchmarks.subject.sealing", repetitions) for _ in range(options.repetitions)]
    figures = {name: median(one[name] for one in found) for name in found[0]}
    opened, plain = figures["opened"], figures["plain"]
    return [
        Row("seal a new value", figures["new_cpu"], _CPU),
        Row("seal a new value, with its sync to the disk", figures["new_time"], "us/value"),
        Row("seal a value again", figures["known"], _CPU),
        Row("open a value", opened, _CPU, "AES-256-GCM alone", opened / plain),
        Row("look through a text of 230 letters with three finds", figures["found"], "CPU us/text"),
        Row("look through a text of 90 letters with none", figures["nothing"], "CPU us/text"),
    ]
