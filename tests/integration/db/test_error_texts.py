"""No error of the database carries what a row or a parameter holds, to wherever it is told."""

import traceback
from collections.abc import Iterator, Mapping

import psycopg
import pytest
import sqlalchemy as sa
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, DefaultPayloadConverter

from remit.db.engine import create_database_engine
from remit.db.session import transaction
from remit.errors import RuleViolationError

VALUE = "s3cret-value-of-a-row"

MADE = (
    """
    CREATE TEMP TABLE kept (
        id integer PRIMARY KEY CHECK (id > 0), word text UNIQUE, same text NOT NULL,
        parent integer REFERENCES kept (id)
    ) ON COMMIT DROP
    """,
    "INSERT INTO kept VALUES (1, %(value)s, 'x')",
)

REFUSED: Mapping[str, str] = {
    "check": "INSERT INTO kept VALUES (-1, %(value)s, %(value)s)",
    "other row's key": "INSERT INTO kept VALUES (2, %(value)s, %(value)s)",
    "null": "INSERT INTO kept (id, word) VALUES (2, %(value)s || '2')",
    "no such row": "INSERT INTO kept VALUES (2, %(value)s || '2', 'x', 7)",
}
"""Statements that a constraint refuses."""

WRONG: Mapping[str, str] = {
    "no uuid": "SELECT %(value)s::uuid",
    "no number": "SELECT %(value)s::integer",
    "no moment": "SELECT %(value)s::timestamptz",
    "no JSON": "SELECT ('{\"x\": ' || %(value)s || '}')::jsonb",
    "no word of an enum": "SELECT to_timestamp(%(value)s, 'YYYY')",
}
"""Statements that no value of such a form fits."""


@pytest.fixture
def trusting(database_url: str) -> Iterator[sa.Engine]:
    """Return an engine that tells errors as SQLAlchemy does, without the parameters."""
    engine = sa.create_engine(database_url, hide_parameters=True)
    yield engine
    engine.dispose()


def execute(connection: sa.Connection, *statements: str) -> None:
    for statement in statements:
        values = {"value": VALUE} if "%(value)s" in statement else None
        connection.exec_driver_sql(statement, values)


def told(engine: sa.Engine, statement: str) -> str:
    """Return all that anybody could write down of the error of a statement."""
    with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
        execute(connection, *MADE, statement)
    failure = Failure()
    DefaultFailureConverter().to_failure(caught.value, DefaultPayloadConverter(), failure)
    lines = traceback.format_exception(caught.value)
    return "\n".join([*lines, repr(caught.value), repr(caught.value.orig), str(failure)])


@pytest.mark.parametrize("name", [*REFUSED, *WRONG])
def test_an_error_tells_no_value_to_a_person_a_log_or_temporal(
    engine: sa.Engine, name: str
) -> None:
    assert VALUE not in told(engine, {**REFUSED, **WRONG}[name])


@pytest.mark.parametrize("name", ["check", "other row's key", "no uuid", "no number"])
def test_as_the_driver_tells_it_the_value_is_there(trusting: sa.Engine, name: str) -> None:
    assert VALUE in told(trusting, {**REFUSED, **WRONG}[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_constraint_refuses_is_a_refusal_and_no_defect(engine: sa.Engine, name: str) -> None:
    with pytest.raises(RuleViolationError) as caught, transaction(engine) as connection:
        execute(connection, *MADE, REFUSED[name])
    [line] = str(caught.value).splitlines()
    assert line.startswith("the database refuses this (")
    assert "nothing was written" in line
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_constraint_that_is_judged_at_the_commit_is_told_likewise(engine: sa.Engine) -> None:
    with pytest.raises(RuleViolationError) as caught, transaction(engine) as connection:
        execute(
            connection,
            "CREATE TEMP TABLE late (word text UNIQUE DEFERRABLE INITIALLY DEFERRED)",
            "INSERT INTO late VALUES (%(value)s), (%(value)s)",
        )
    assert VALUE not in "".join(traceback.format_exception(caught.value))
    assert isinstance(caught.value.__cause__, sa.exc.DBAPIError)
    assert isinstance(caught.value.__cause__.orig, psycopg.errors.UniqueViolation)


def test_a_module_s_engine_tells_none_either(database_url: str) -> None:
    engine = create_database_engine(database_url, role="remit_module", pool_size=1)
    assert VALUE not in told(engine, REFUSED["check"])
    engine.dispose()
