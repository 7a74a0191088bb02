"""Whether the tests of the security core would notice: `python -m tests.core cover`, then `python -m tests.core mutate --sample 60`."""

import argparse
import sys

from tests.core.cover import measure, report
from tests.core.mutate import mutate
from tests.core.parts import PARTS


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    cover = commands.add_parser("cover", help="run the tests and print which branches of the core none of them takes")
    cover.add_argument("tests", nargs="*", help="files of tests; all of them without")
    commands.add_parser("missed", help="print what the last `cover` found")
    change = commands.add_parser(
        "mutate", help="change the core in small ways, one at a time, and see whether a test fails"
    )
    change.add_argument(
        "--part", choices=list(PARTS), action="append", help="only this part; several times for several"
    )
    change.add_argument("--file", default="", help="only files whose path ends so")
    change.add_argument(
        "--sample", type=int, default=0, help="changes to try of each part, drawn by chance; all without"
    )
    change.add_argument("--seed", default="1", help="of the draw")
    change.add_argument(
        "--with",
        dest="more",
        action="append",
        default=[],
        metavar="FILE",
        help="new tests, for what has survived so far",
    )
    asked = parser.parse_args()
    if asked.command == "mutate":
        return mutate(asked.part or list(PARTS), asked.file, asked.sample, asked.seed, asked.more)
    if asked.command == "cover" and (code := measure(asked.tests)):
        print("tests failed: what was measured may be wrong")
        report()
        return code
    return report()


sys.exit(main())
