"""The tour's module and its reader on a real database, each with its own login's rights."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.db.engine import create_database_engine
from remit.tour.ledger import Ledger, LedgerModule, read_ledger
from tests.support.modules import Recorder, asking


@pytest.fixture
def module_engine(role_url: Callable[[str], str]) -> Iterator[sa.Engine]:
    engine = create_database_engine(role_url("remit_module"), role="remit_module", pool_size=1)
    yield engine
    engine.dispose()


def test_a_module_that_never_ran_has_no_ledger(engine: sa.Engine) -> None:
    assert read_ledger(engine, uuid4()) == Ledger((), 0)


def test_services_read_what_the_module_wrote_in_the_modules_own_schema(
    engine: sa.Engine, module_engine: sa.Engine
) -> None:
    asked = asking("ledger", {"hold_seconds": 0})
    for _ in range(2):
        LedgerModule().execute(asked, module_engine, Recorder())
    found = read_ledger(engine, asked.directive_id)
    assert (len(found.worker_pids), found.effects) == (2, 1)
    with module_engine.connect() as connection:
        question = "SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'tour_ledger'"
        assert connection.execute(sa.text(question)).all() == [("module_data", "remit_module")]


def test_a_module_sees_no_directive(module_engine: sa.Engine) -> None:
    with module_engine.connect() as connection, pytest.raises(sa.exc.ProgrammingError) as caught:
        connection.execute(sa.text("SELECT * FROM directives"))
    assert "permission denied for table directives" in str(caught.value)
