"""Whatever the database refuses reads as a refusal: exit code 2, one sentence, and no value."""

import json

import pytest
import sqlalchemy as sa

from tests.cli.conftest import Remit
from tests.support.contents import proposed
from tests.support.unchecked import unchecked

ARMED = (
    """
    CREATE FUNCTION refuse_by_name() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'what was written may not stand' USING
            ERRCODE = upper(NEW.name), CONSTRAINT = 'some_rule', TABLE = 'principals',
            DETAIL = 'Failing row contains (s3cret)';
    END
    $$
    """,
    """
    CREATE TRIGGER refuse_by_name BEFORE INSERT ON principals FOR EACH ROW
    WHEN (NEW.name ~ '^[0-9a-z]{5}$' AND NEW.name <> 'agent') EXECUTE FUNCTION refuse_by_name()
    """,
)
"""A rule that refuses a principal with the SQLSTATE that it is called."""

REFUSED = {
    "rm001": "rule_violation",  # a trigger of Remit's
    "23514": "rule_violation",  # a check
    "23505": "rule_violation",  # another row's key
    "23503": "rule_violation",  # no such row
    "23502": "rule_violation",  # a null
    "23p01": "rule_violation",  # an exclusion
    "22003": "rule_violation",  # a number without room
    "54000": "rule_violation",  # an index without room
    "22p05": "rule_violation",  # a text that cannot be
    "40001": "unavailable",
    "55p03": "unavailable",
    "57014": "unavailable",
    "42501": "misconfigured",
}
"""SQLSTATEs that somebody's doing can bring about, and how each is told."""


@pytest.fixture
def armed(kept_in: sa.Engine) -> sa.Engine:
    """Return a database whose owner added a rule that nobody foresaw."""
    owner = sa.create_engine(kept_in.url.set(username="postgres"), poolclass=sa.NullPool)
    with owner.begin() as connection:
        for statement in ARMED:
            connection.exec_driver_sql(statement)
    owner.dispose()
    return kept_in


def test_no_refusal_of_the_database_reads_as_a_defect(keeper: Remit, armed: sa.Engine) -> None:
    del armed
    told = {}
    for state in REFUSED:
        shown = keeper("token", "create", state, "--role", "approver", "--json")
        error = json.loads(shown.err)["error"]
        told[state] = error["type"]
        assert (shown.code, shown.out) == (2, "")
        assert "s3cret" not in shown.err
        assert "\n" not in error["message"]
    assert told == REFUSED


def test_what_a_wrong_statement_brings_about_is_a_defect_and_quotes_no_value_either(
    keeper: Remit, armed: sa.Engine
) -> None:
    del armed
    for arguments in ([], ["--debug"]):
        shown = keeper(*arguments, "token", "create", "42601", "--role", "approver")
        assert (shown.code, shown.out) == (70, "")
        assert "s3cret" not in shown.err


def test_a_directive_that_cannot_be_read_is_shown_as_such(
    keeper: Remit, kept_in: sa.Engine
) -> None:
    good, bad = proposed(kept_in).id, proposed(kept_in).id
    owner = sa.create_engine(unchecked(kept_in).url.set(username="postgres"), poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE directives DISABLE TRIGGER ALL")
        forged = "UPDATE directives SET payload = '{\"x\": 1e5000}' WHERE id = %(id)s"
        connection.exec_driver_sql(forged, {"id": bad})
    owner.dispose()
    listed = keeper("list", "--json")
    found = {one["id"]: one for one in json.loads(listed.out)["directives"]}
    assert found[str(good)]["status"] == "approved"
    assert found[str(bad)] == {
        "id": str(bad),
        "status": "approved",
        "status_reason": "unreadable",
        "column": "payload",
    }
    table = keeper("list")
    assert (table.code, table.err) == (0, "")
    assert "approved (unreadable)" in table.out
    for command in ("show", "explain"):
        shown = keeper(command, str(bad))
        assert (shown.code, shown.out) == (2, "")
        [line] = shown.err.splitlines()
        assert line.startswith(f"remit: the row {bad} of the table directives cannot be read: ")
    assert keeper("show", str(good)).code == 0
    audited = keeper("audit", "verify")
    assert audited.code == 1
    assert "ck_directives_payload_readable" in audited.out
