"""A database that holds a row which no reader can is upgraded all the same, and says so."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.errors import RuleViolationError
from remit.stack.postgres import SUPERUSER
from tests.support.servers import MakeDatabase, as_login, execute

ODD = (
    "ALTER TABLE directives DISABLE TRIGGER ALL",
    """
    INSERT INTO directives (id, role, type, payload, issued_by, objective, scope, status)
    VALUES (gen_random_uuid(), 'r', 't', '{"x": 1e5000}', 'i', 'o', 's', 'draft')
    """,
    "ALTER TABLE directives ENABLE TRIGGER ALL",
)
CHECKS = """
SELECT conname, convalidated FROM pg_constraint
WHERE contype = 'c' AND conname ~ '_readable$' AND connamespace = 'public'::regnamespace
"""


@pytest.fixture
def upgraded(make_owned: MakeDatabase) -> Iterator[sa.Engine]:
    """Return a database that held an odd row when its columns got their checks."""
    url = make_owned()
    migrate.downgrade(url, "0006")
    execute(as_login(url, SUPERUSER), *ODD)
    migrate.upgrade(url)
    engine = create_database_engine(url, pool_size=1)
    yield engine
    engine.dispose()


def test_each_check_but_that_of_the_odd_row_holds_for_what_is_there(upgraded: sa.Engine) -> None:
    with upgraded.connect() as connection:
        found = {row[0]: row[1] for row in connection.exec_driver_sql(CHECKS)}
    assert {name for name, valid in found.items() if not valid} == {
        "ck_directives_payload_readable"
    }
    assert len(found) > 100


def test_the_check_that_does_not_hold_for_it_holds_for_what_comes(upgraded: sa.Engine) -> None:
    refused = pytest.raises(RuleViolationError, match="ck_directives_payload_readable")
    with refused, transaction(upgraded) as connection:
        connection.exec_driver_sql(ODD[1])


def test_the_way_back_takes_the_checks_away(upgraded: sa.Engine) -> None:
    url = upgraded.url.render_as_string(hide_password=False)
    migrate.downgrade(url, "0006")
    with upgraded.connect() as connection:
        left = [name for name, _ in connection.exec_driver_sql(CHECKS)]
    assert len(left) > 20
    assert "ck_directives_created_at_readable" in left
    assert not any(one.startswith("ck_directives_payload") for one in left)
    execute(as_login(url, SUPERUSER), *ODD)
