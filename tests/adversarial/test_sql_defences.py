"""Each rule of the database stops its attack, and without the rule nothing does.

A rule that has no attack here, or whose attack something else would stop as well, fails a test.
"""

from collections.abc import Mapping

import pytest

from remit.db.schema import metadata
from tests.adversarial.attempts import stopped_by
from tests.adversarial.defences import DEFENCES, ROWS
from tests.adversarial.world import Connection

PROVED_ELSEWHERE = {"remit_chain_event", "remit_keep_budget"}
"""They write rather than refuse: tests of the audit log and of budgets prove them."""

pytestmark = pytest.mark.usefixtures("world")


def triggers(connection: Connection) -> dict[str, str]:
    """Return the rules of the database, each with its table."""
    found = connection.execute(
        "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    return dict(found.fetchall())


def test_every_rule_has_an_attack(logins: Mapping[str, Connection]) -> None:
    assert set(triggers(logins["remit_owner"])) == set(DEFENCES) | PROVED_ELSEWHERE


@pytest.mark.parametrize("rule", DEFENCES)
def test_a_rule_stops_its_attack_even_by_the_owner_and_the_superuser(
    logins: Mapping[str, Connection], rule: str
) -> None:
    for login in ("remit_owner", "postgres"):
        assert stopped_by(logins[login], DEFENCES[rule]) == rule


@pytest.mark.parametrize("rule", DEFENCES)
def test_without_the_rule_its_attack_goes_through(
    logins: Mapping[str, Connection], rule: str
) -> None:
    owner = logins["remit_owner"]
    owner.execute(f"DROP TRIGGER {rule} ON {triggers(owner)[rule]}".encode())
    assert stopped_by(owner, DEFENCES[rule]) is None


@pytest.mark.parametrize("rule", DEFENCES)
def test_a_superuser_s_session_as_a_replica_does_not_skip_a_rule(
    logins: Mapping[str, Connection], rule: str
) -> None:
    superuser = logins["postgres"]
    superuser.execute("SET LOCAL session_replication_role = replica")
    assert stopped_by(superuser, DEFENCES[rule]) == rule


def test_whatever_is_not_recall_is_never_removed() -> None:
    recall = {"memories", "memory_embeddings", "agent_roles"}
    assert set(ROWS) == set(metadata.tables) - recall


@pytest.mark.parametrize(
    ("table", "rule", "free"),
    [
        (
            "directives",
            "remit_directive_frozen",
            {"status", "status_reason", "action_digest", "envelope", "updated_at"},
        ),
        (
            "execution_runs",
            "remit_run_frozen",
            {
                *("status", "attempts", "result", "error_type", "error_message"),
                *("started_at", "ended_at", "envelope"),
            },
        ),
        (
            "principals",
            "remit_principal_frozen",
            {"roles", "groups", "disabled_at", "revision", "envelope"},
        ),
    ],
)
def test_a_rule_that_freezes_columns_leaves_out_none(
    logins: Mapping[str, Connection], table: str, rule: str, free: set[str]
) -> None:
    [(definition,)] = (
        logins["remit_owner"]
        .execute("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s", [rule])
        .fetchall()
    )
    condition = definition.split("WHEN")[1].lower().replace('"', "")
    columns = {column.name for column in metadata.tables[table].columns}
    assert {name for name in columns if f"old.{name}" in condition} - {"status"} == columns - free
    if " UPDATE OF " in definition:
        listed = definition.split(" UPDATE OF ")[1].split(" ON ")[0].replace('"', "")
        assert set(listed.split(", ")) == columns - free
