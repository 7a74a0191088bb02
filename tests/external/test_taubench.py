"""The external workload: every task exactly once or taken back, under faults and kills, whether the service honours keys or not."""

import pytest

from tests.external.taubench_matrix import PRESENT, Cell, run

SAMPLE = [
    Cell("train", "saga", "none", "honour", 1),
    Cell("train", "saga", "mixed", "honour", 1),
    Cell("train", "saga", "crash", "honour", 1),
    Cell("train", "saga", "mixed", "ignore", 2),
    Cell("train", "saga", "harsh", "ignore", 1),
    Cell("train", "saga", "dup", "ignore", 1),
    Cell("train", "mono", "mixed", "ignore", 1),
    Cell("train", "saga", "mixed", "ignore", 1, poison=True),
    Cell("v1-dev", "saga", "mixed", "ignore", 1),
]
"""A minute of the whole matrix, which `make external` runs."""


@pytest.mark.slow
@pytest.mark.skipif(not PRESENT, reason="the folder of the external workload, ../shared/taubench, is not here")
@pytest.mark.parametrize("cell", SAMPLE, ids=lambda cell: cell.name().replace(" ", "-"))
def test_every_task_of_the_external_workload_happens_once_or_is_taken_back(cell: Cell) -> None:
    verdict = run(cell)
    print(verdict)
    assert verdict.tasks > 0
    assert verdict.wrong == 0, verdict
    assert verdict.bare == 0, verdict
    if cell.profile == "crash":
        assert verdict.kills > 0
