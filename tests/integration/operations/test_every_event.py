"""Whatever a directive's log tells, whoever reads it knows: derived from the code that tells it.

One particular that only the writer knew would make an honest bundle look forged.
"""

from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import read_bundle
from remit.audit.chain import parsed_data
from remit.audit.event_rules import EVENT_SCHEMAS
from remit.directives.models import DirectiveRead
from remit.execution.modules.types import ModuleOutput
from remit.memory.writing import NewMemory
from remit.operations.evidence.bundles import export_bundle
from remit.operations.evidence.records import read_record
from remit.operations.recall.memories import remember
from remit.operations.runs.cancellation import cancel
from remit.operations.runs.reconciliation import reconcile
from remit.vocabulary import Settled
from tests.integration.operations.conftest import AUDITOR, audited
from tests.integration.operations.filing import SMALL, file_one, objects_in
from tests.integration.operations.lives import LIMITED, LIVES, exhausted, ran
from tests.support.contents import finish, proposed
from tests.support.keys import KEYS
from tests.support.people import OPERATOR
from tests.support.thinking import Priced, asking, call, executing

BY_SQL = {("directive.proposed", "found")}
"""What is told only of a row that came past the gate, by SQL: `test_gate` has one."""


def filed(engine: sa.Engine, folder: Path) -> DirectiveRead:
    found = proposed(engine)
    file_one(engine, objects_in(folder), SMALL, directive_id=found.id)
    return found


def remembered(engine: sa.Engine) -> DirectiveRead:
    found = ran(engine, proposed(engine))
    run = read_record(engine, found.id).run
    assert run is not None
    tea = [NewMemory("kitchen", "Ada likes tea.")]
    remember(engine, tea, by=OPERATOR, keys=KEYS, run_id=run.id)
    return found


def settled(engine: sa.Engine, said: Settled) -> DirectiveRead:
    found = exhausted(engine)
    reconcile(engine, found.id, said, reason="I looked", by=OPERATOR, keys=KEYS)
    return found


def tried_again(engine: sa.Engine) -> DirectiveRead:
    found = proposed(engine)
    cost = Decimal("0.25")
    ran(engine, found, ModuleOutput.failure("no paper", retryable=True, cost=cost))
    return ran(engine, found, ModuleOutput.success(cost=cost))


def dear(engine: sa.Engine) -> DirectiveRead:
    found, run = executing(engine, LIMITED, budget="$10")
    asking(engine, Priced("11.001")).call_llm(call(directive_id=str(found.id)))
    finish(engine, run, ModuleOutput.success(cost=Decimal(1)))
    return found


def too_late(engine: sa.Engine) -> DirectiveRead:
    found, run = executing(engine)
    cancel(engine, found.id, by=OPERATOR, reason=None, keys=KEYS)
    finish(engine, run, ModuleOutput.failure("no paper", cost=Decimal("0.25")))
    return found


def everything(engine: sa.Engine, folder: Path) -> list[DirectiveRead]:
    """Return directives that between them tell everything that one can."""
    lives = [life(engine) for life in LIVES.values()]
    beside = [filed(engine, folder), remembered(engine), tried_again(engine), dear(engine)]
    beside += [too_late(engine)]
    return [*lives, *beside, settled(engine, "done"), settled(engine, "failed")]


def read(engine: sa.Engine, about: DirectiveRead) -> tuple[dict[str, set[str]], list[str]]:
    """Return what each event of a log names by its type, and what readers do not know of it."""
    bundle = read_bundle(export_bundle(engine, about.id, KEYS, by=AUDITOR), KEYS)
    told: dict[str, set[str]] = {}
    for event in bundle.bundle.events:
        told.setdefault(event.type, set()).update(parsed_data(event.data))
    looked_at = [one for one in check_bundle(bundle, KEYS) if one.name in {"events", "order"}]
    assert len(looked_at) == 2
    return told, [one.detail for one in looked_at if not one.holds]


def test_all_that_a_log_can_tell_is_told_here_and_known_to_who_reads_it(
    empty_engine: sa.Engine, tmp_path: Path
) -> None:
    told: dict[str, set[str]] = {}
    for about in everything(empty_engine, tmp_path):
        names, unknown = read(empty_engine, about)
        assert unknown == []
        for kind, said in names.items():
            told.setdefault(kind, set()).update(said)
    never = {
        kind: (form.required | form.optional) - told.get(kind, set())
        for kind, form in EVENT_SCHEMAS.items()
    }
    assert told.keys() == EVENT_SCHEMAS.keys()
    untold = {(kind, name) for kind, names in never.items() for name in names - {"evidence"}}
    # Nothing is allowed that no code says: room for what a forger could add.
    assert untold == BY_SQL
    assert audited(empty_engine).findings == ()
