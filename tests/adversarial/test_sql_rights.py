"""What each role may not do at all, whatever the rules: no way around them is open to it."""

from collections.abc import Mapping

import pytest

from remit.db.schema import metadata
from tests.adversarial.attempts import RIGHTS, sql, stopped_by
from tests.adversarial.defences import RECALL, ROWS
from tests.adversarial.world import Connection, World

SERVICES = ("remit_app", "remit_reader", "remit_module")

# Everything that would take a rule away, or a right.
BY_COMMAND = (
    "ALTER TABLE directives DISABLE TRIGGER remit_directive_status",
    "ALTER TABLE directives DISABLE TRIGGER USER",
    "ALTER TABLE directives DISABLE TRIGGER ALL",
    "ALTER TABLE directives ENABLE REPLICA TRIGGER remit_directive_status",
    "ALTER TABLE directives DROP CONSTRAINT ck_directives_status_known",
    "ALTER TABLE directives ALTER COLUMN status TYPE varchar",
    "ALTER TABLE directives RENAME TO forgotten",
    "ALTER TABLE directives OWNER TO current_user",
    "ALTER TABLE directives ENABLE ROW LEVEL SECURITY",
    "DROP TRIGGER remit_directive_status ON directives",
    "DROP TABLE execution_runs",
    "CREATE TRIGGER mine BEFORE UPDATE ON directives EXECUTE FUNCTION remit_refuse()",
    "CREATE RULE mine AS ON INSERT TO events DO INSTEAD NOTHING",
    "CREATE OR REPLACE FUNCTION remit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "ALTER FUNCTION remit_check_voter() RESET search_path",
    "ALTER FUNCTION remit_refuse() RENAME TO forgotten",
    "DROP FUNCTION remit_refuse() CASCADE",
    "CREATE TABLE public.mine (id integer)",
    "CREATE SCHEMA mine",
    "ALTER SCHEMA public RENAME TO forgotten",
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION remit_refuse()",
    "CREATE ROLE mine",
    "ALTER ROLE current_user SUPERUSER",
    "GRANT remit_owner TO current_user",
    "SET ROLE remit_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET session_replication_role = replica",
    "SET LOCAL session_replication_role = 'local'",
    "ALTER DATABASE postgres SET session_replication_role = replica",
    "ALTER ROLE remit_app SET session_replication_role = replica",
    "ALTER TABLE events DISABLE TRIGGER remit_chain_event",
    "ALTER TABLE memories DISABLE TRIGGER remit_memory_cited",
    "DROP TRIGGER remit_memory_reads_unchanged ON memory_reads",
    "CREATE OR REPLACE FUNCTION remit_index_model(text) RETURNS boolean LANGUAGE sql RETURN true",
    "CREATE INDEX ON memory_embeddings (model)",
    "COPY directives FROM PROGRAM 'true'",
    "COPY directives TO '/tmp/mine'",
)

by_service = pytest.mark.parametrize("role", SERVICES)


@by_service
def test_no_command_takes_a_rule_or_a_right_away(
    logins: Mapping[str, Connection], role: str
) -> None:
    passed = {
        command: answer
        for command in BY_COMMAND
        if (answer := stopped_by(logins[role], sql(command))) != RIGHTS
    }
    assert passed == {}


def test_a_grant_that_nobody_may_give_changes_nothing(logins: Mapping[str, Connection]) -> None:
    app = logins["remit_app"]
    # Postgres only warns of this one.
    app.execute("GRANT DELETE ON events TO remit_app")
    assert stopped_by(app, sql("DELETE FROM events")) == RIGHTS


def test_the_owner_can_disable_rules_which_is_why_grants_and_histories_are_signed(
    logins: Mapping[str, Connection],
) -> None:
    owner = logins["remit_owner"]
    disable = "ALTER TABLE directives DISABLE TRIGGER remit_directive_status"
    assert stopped_by(owner, sql(disable)) is None


def test_the_owner_cannot_act_as_a_replica(logins: Mapping[str, Connection]) -> None:
    setting = "SET session_replication_role = replica"
    assert stopped_by(logins["remit_owner"], sql(setting)) == RIGHTS


def removals(table: str) -> list[str]:
    return [
        f"DELETE FROM {table}",  # noqa: S608 - names of the schema, as below
        f"DELETE FROM {table} WHERE false",  # noqa: S608
        f"WITH gone AS (DELETE FROM {table} RETURNING *) SELECT count(*) FROM gone",  # noqa: S608
        f"MERGE INTO {table} USING (VALUES (1)) AS one ON true WHEN MATCHED THEN DELETE",
        f"TRUNCATE {table}",
        f"TRUNCATE {table} CASCADE",
    ]


@pytest.mark.parametrize("role", [*SERVICES, "remit_owner", "postgres"])
def test_nothing_that_governs_or_happened_is_removed(
    logins: Mapping[str, Connection], world: World, role: str
) -> None:
    # A referenced table is refused by its references before any rule is asked.
    by_rule = role in {"remit_owner", "postgres"}
    passed = {}
    for table in ROWS:
        for text in removals(table):
            answer = stopped_by(logins[role], sql(text))
            rule = str(answer).endswith("_kept") or (
                text.endswith(table) and "0A000" in str(answer)
            )
            if not rule if by_rule else answer != RIGHTS:
                passed[text] = answer
    assert passed == {}
    assert world.runs["completed"]


@pytest.mark.parametrize(
    "table",
    [
        *("artifacts", "approval_votes", "events", "budget_entries"),
        *("memories", "memory_embeddings", "memory_reads"),
    ],
)
@pytest.mark.parametrize("role", [*SERVICES, "remit_owner", "postgres"])
def test_no_evidence_is_changed(logins: Mapping[str, Connection], role: str, table: str) -> None:
    by_rule = role in {"remit_owner", "postgres"}
    key = {"events": "seq", "memory_embeddings": "memory_id"}.get(table, "id")
    matched = f"WHEN MATCHED THEN UPDATE SET {key} = DEFAULT"
    for text in (
        f"UPDATE {table} SET {key} = DEFAULT",  # noqa: S608
        f"UPDATE {table} SET {key} = DEFAULT WHERE false",  # noqa: S608
        f"WITH new AS (UPDATE {table} SET {key} = DEFAULT RETURNING *) SELECT 1 FROM new",  # noqa: S608
        f"MERGE INTO {table} USING (VALUES (1)) AS one ON true {matched}",
    ):
        answer = stopped_by(logins[role], sql(text))
        assert answer == (f"remit_{table}_unchanged" if by_rule else RIGHTS), text


UPDATES = {
    "directives": {"status", "status_reason", "action_digest", "envelope", "updated_at"},
    "approval_requests": {"status", "resolved_at"},
    "grants": {"voided_at", "void_reason"},
    "execution_runs": {
        *("status", "attempts", "result", "error_type", "error_message"),
        *("started_at", "ended_at", "envelope"),
    },
    "execution_attempts": {"ended_at", "outcome", "cost", "envelope"},
    "workers": {"lease_until", "ended_at"},
    "token_invitations": {"redeemed_at", "token_id", "revoked_at", "revocation"},
    "principals": {"roles", "groups", "disabled_at", "revision", "envelope"},
    "api_tokens": {"revoked_at", "revoked_since", "revocation"},
    "modules": {"version", "digest", "summary", "announced_at"},
}
"""What a service may change."""


def all_but(table: str, *stamps: str) -> set[str]:
    """Return the columns of a table without those that the database fills by itself."""
    return {column.name for column in metadata.tables[table].columns} - set(stamps)


ADDED = {
    "principals": all_but("principals", "created_at", "disabled_at"),
    "api_tokens": all_but("api_tokens", "created_at", "revoked_at", "revoked_since", "revocation"),
    "token_invitations": all_but(
        "token_invitations",
        *("created_at", "redeemed_at", "token_id", "revoked_at", "revocation"),
    ),
    "policies": all_but("policies", "confirmed_at"),
    "directives": all_but("directives", "created_at", "updated_at"),
    "workers": all_but("workers", "started_at", "ended_at"),
    "execution_attempts": {"run_id", "attempt", "worker_id"},
    "artifacts": all_but("artifacts", "created_at"),
    "events": {"directive_id", "type", "actor", "data"},
    "memories": all_but("memories", "created_at"),
    "memory_embeddings": {"memory_id", "model", "embedding"},
    "memory_reads": {"principal", "reader", "query", "asked", "outcome", "result_count"},
}
"""Where a service fills some columns of a new row, and the database the others."""

SEEN = {
    "directives": {"id", "role", "type", "objective", "status", "created_at"},
    "execution_runs": {
        *("id", "directive_id", "module", "status", "created_at", "started_at", "ended_at"),
    },
    "artifacts": {
        *("id", "type", "uri", "directive_id", "run_id", "digest", "size_bytes", "created_at"),
    },
}
"""Where a reader of memory sees some columns: no payload, no evidence, no content."""


def columns_open_to(connection: Connection, kind: str) -> dict[str, set[str]]:
    """Return the columns that a role may so use, of the tables that it may not use whole."""
    found: dict[str, set[str]] = {}
    for table in metadata.tables.values():
        whole = connection.execute("SELECT has_table_privilege(%s, %s)", [table.name, kind])
        if whole.fetchone() == (True,):
            continue
        for column in table.columns:
            asked = "SELECT has_column_privilege(%s, %s, %s)"
            if connection.execute(asked, [table.name, column.name, kind]).fetchone() == (True,):
                found.setdefault(table.name, set()).add(column.name)
    return found


def test_a_service_changes_the_columns_that_a_life_passes_through_and_no_other(
    logins: Mapping[str, Connection],
) -> None:
    app = logins["remit_app"]
    assert columns_open_to(app, "UPDATE") == UPDATES


def rights(connection: Connection, kind: str) -> set[str]:
    asked = "SELECT has_table_privilege(%s, %s)"
    return {
        table
        for table in (*metadata.tables, "alembic_version")
        if connection.execute(asked, [table, kind]).fetchone() == (True,)
    }


def test_what_each_role_may_read_and_add(logins: Mapping[str, Connection]) -> None:
    app, reader, module = (logins[role] for role in SERVICES)
    everything = set(metadata.tables)
    assert rights(app, "SELECT") == everything | {"alembic_version"}
    assert rights(app, "INSERT") == everything - {"budget_accounts", "installation", *ADDED}
    assert rights(reader, "SELECT") == {"memories", "memory_embeddings"}
    assert rights(module, "SELECT") == rights(module, "INSERT") == rights(reader, "INSERT") == set()
    for role in SERVICES:
        for kind in ("DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"):
            assert rights(logins[role], kind) == set(), (role, kind)


def test_which_columns_a_service_fills_and_which_a_reader_of_memory_sees(
    logins: Mapping[str, Connection],
) -> None:
    assert columns_open_to(logins["remit_app"], "INSERT") == ADDED
    assert columns_open_to(logins["remit_reader"], "SELECT") == SEEN
    assert columns_open_to(logins["remit_module"], "SELECT") == {}


def test_only_a_service_may_have_a_model_indexed(logins: Mapping[str, Connection]) -> None:
    call = sql("SELECT remit_index_model('m')")
    answers = {role: stopped_by(logins[role], call) for role in SERVICES}
    assert answers == {"remit_app": None, "remit_reader": RIGHTS, "remit_module": RIGHTS}


def test_a_memory_can_be_forgotten_by_the_owner_alone(logins: Mapping[str, Connection]) -> None:
    for table in RECALL:
        forget = sql(f"DELETE FROM {table}")  # noqa: S608
        answers = {role: stopped_by(logins[role], forget) for role in (*SERVICES, "remit_owner")}
        assert answers == {**dict.fromkeys(SERVICES, RIGHTS), "remit_owner": None}


@pytest.mark.parametrize("column", ["seq", "occurred_at", "prev_hash", "hash"])
def test_a_service_does_not_say_where_an_event_stands_nor_when_it_was(
    logins: Mapping[str, Connection], column: str
) -> None:
    text = (
        f"INSERT INTO events (directive_id, type, actor, data, {column})"  # noqa: S608
        f" SELECT directive_id, type, actor, data, {column} FROM events LIMIT 1"
    )
    assert stopped_by(logins["remit_app"], sql(text)) == RIGHTS


def test_a_service_does_not_change_a_budget_s_sums(logins: Mapping[str, Connection]) -> None:
    for text in (
        "UPDATE budget_accounts SET reserved = 0",
        "INSERT INTO budget_accounts (account, period_start) VALUES ('mine', now())",
    ):
        assert stopped_by(logins["remit_app"], sql(text)) == RIGHTS


def test_a_module_makes_its_own_tables_and_services_read_them(
    logins: Mapping[str, Connection],
) -> None:
    module, app = logins["remit_module"], logins["remit_app"]
    module.execute("CREATE TABLE module_data.mine AS SELECT 1 AS n")
    module.commit()
    try:
        assert app.execute("SELECT n FROM module_data.mine").fetchall() == [(1,)]
        for text in ("DELETE FROM module_data.mine", "CREATE TABLE module_data.app (n integer)"):
            assert stopped_by(app, sql(text)) == RIGHTS
        read = "SELECT * FROM module_data.mine"
        assert stopped_by(logins["remit_reader"], sql(read)) == RIGHTS
    finally:
        app.rollback()
        module.execute("DROP TABLE module_data.mine")
        module.commit()
