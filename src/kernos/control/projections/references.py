"""References: which action a reference of the outside belongs to, such as the id of a refund. For `kernos why`.

Only references in results of actions; reads leave no row. A row holds a digest of the reference: whoever looks one up compares with the
event itself. Rows lie in the order of runs and are searched from end to end, see docs/decisions/0008-references.md.
"""

from kernos.control.references import reference_digest, references
from kernos.vocabulary.events import ActionPerformed, ActionSettled, Event
from kernos.vocabulary.journal import RowOp, Table

TABLE = Table("refs", (("run", "run"), ("step", "text"), ("digest", "int")), key_columns=3)

KINDS = frozenset({ActionPerformed, ActionSettled})


def project(event: Event) -> tuple[RowOp, ...]:
    """Put a row for each reference in the result of an action."""
    data = event.data
    assert isinstance(data, (ActionPerformed, ActionSettled)), data
    return tuple(
        RowOp("put", "refs", (event.run, data.step, reference_digest(text)), {}) for _, text in references(data.result)
    )
