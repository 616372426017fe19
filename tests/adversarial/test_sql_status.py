"""Every illegal pair of statuses, by every role, in every form of statement: refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from remit.directives import lifecycle as directives
from remit.execution import lifecycle as runs
from tests.adversarial.attempts import RIGHTS, sql, stopped_by
from tests.adversarial.conftest import ROLES
from tests.adversarial.world import SAID, STOPPED, Connection, World, say

REQUESTS: dict[str, set[str]] = {
    "pending": {"approved", "rejected", "expired", "canceled", "invalidated"},
    "approved": {"consumed", "canceled", "invalidated"},
    **{end: set() for end in ("rejected", "expired", "canceled", "invalidated", "consumed")},
}
"""Which status of an approval request may follow which."""


@dataclass(frozen=True)
class Kind:
    """One table with a status.

    Attributes:
        table: its name.
        follows: which status may follow which.
        begins: the statuses that a row may begin with.
        columns: what a change of status sets besides, as SQL over `%(target)s`.
        noun: how its triggers are called.
    """

    table: str
    follows: Mapping[Any, Any]
    begins: frozenset[str]
    columns: str
    noun: str

    def ids(self, world: World, status: str) -> list[UUID]:
        """Return what the world has in a status."""
        found: dict[str, dict[str, list[UUID]]] = {
            "directives": world.directives,
            "execution_runs": world.runs,
            "approval_requests": world.requests,
        }
        return found[self.table][status]

    def illegal(self) -> list[tuple[str, str]]:
        """Return every pair of different statuses that is not allowed."""
        return [
            (old, new)
            for old, new in product(self.follows, repeat=2)
            if old != new and new not in self.follows[old]
        ]


KINDS = (
    Kind(
        "directives",
        directives.TRANSITIONS.next_statuses,
        frozenset({"draft", "proposed"}),
        "status_reason = CASE WHEN %(target)s IN ('blocked', 'aborted') THEN 'canceled' END,"
        " updated_at = now()",
        "directive",
    ),
    Kind(
        "execution_runs",
        runs.TRANSITIONS.next_statuses,
        frozenset({"pending", "running"}),
        "ended_at = CASE WHEN %(target)s IN ('completed', 'failed', 'canceled') THEN now() END",
        "run",
    ),
    Kind(
        "approval_requests",
        REQUESTS,
        frozenset({"pending"}),
        "resolved_at = coalesce(approval_requests.resolved_at, now())",
        "request",
    ),
)
by_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.table)
by_role = pytest.mark.parametrize("role", ROLES)

# Each form changes the status of all of %(ids)s; {set} stands for the columns, {table} for the
# table, {columns} and {row} for a whole row of it that is there already.
FORMS = {
    "direct": "UPDATE {table} SET {set} WHERE id = %(id)s",
    "many rows": "UPDATE {table} SET {set} WHERE id = ANY(%(ids)s)",
    "from a join": "UPDATE {table} SET {set} FROM unnest(%(ids)s) AS one WHERE {table}.id = one",
    "CTE": "WITH moved AS (UPDATE {table} SET {set} WHERE id = ANY(%(ids)s) RETURNING id)"
    " SELECT count(*) FROM moved",
    "MERGE": "MERGE INTO {table} USING unnest(%(ids)s) AS one ON {table}.id = one"
    " WHEN MATCHED THEN UPDATE SET {set}",
    "upsert": "INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} AS old"
    " WHERE old.id = %(id)s ON CONFLICT (id) DO UPDATE SET {set}",
    "from a block": "DO $$ BEGIN UPDATE {table} SET {set} WHERE id = '{id}'; END $$",
}
BEGINNINGS = {
    "INSERT": "INSERT INTO {table} ({columns}) SELECT {row} FROM {table} AS old WHERE id = %(id)s",
    "CTE": "WITH made AS (INSERT INTO {table} ({columns}) SELECT {row} FROM {table} AS old"
    " WHERE id = %(id)s RETURNING id) SELECT count(*) FROM made",
    "MERGE": "MERGE INTO {table} USING (SELECT * FROM {table} WHERE id = %(id)s) AS old ON false"
    " WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({row})",
}


def columns_of(connection: Connection, table: str) -> list[str]:
    found = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum",
        [table],
    )
    return [name for (name,) in found]


def change(kind: Kind, form: str, ids: list[UUID], target: str) -> Callable[[Connection], None]:
    """Return an attack that gives rows another status, with the event that tells of it."""

    def attack(connection: Connection) -> None:
        text = FORMS[form].format(
            table=kind.table,
            set=f"status = %(target)s, {kind.columns}",
            columns=COLUMNS[kind.table],
            id=ids[0],
        )
        values = {"id": ids[0], "ids": ids, "target": target}
        if "%(id" not in FORMS[form]:
            text, values = text.replace("%(target)s", f"'{target}'"), {}
        connection.execute(text.encode(), values or None)
        if kind.table == "directives":
            for one in ids:
                say(connection, one, f"directive.{SAID.get(target, target)}")

    return attack


COLUMNS = {
    "directives": "id, role, type, payload, issued_by, objective, scope, status, action_digest",
    "execution_runs": "id, directive_id, grant_id, module, module_version, status, idempotency_key",
    "approval_requests": "id, directive_id, action_digest, policy_version, policy_digest, status,"
    " required_approvals, allow_self_approval, approver_groups, rules, expires_at",
}
"""What an upsert writes."""

STAMPS = {"directives": {"created_at", "updated_at"}, "execution_runs": {"created_at"}}
"""What the database alone writes of a new row."""


@by_kind
@by_role
@pytest.mark.parametrize("form", FORMS)
def test_no_illegal_pair_is_written(
    logins: Mapping[str, Connection], world: World, kind: Kind, role: str, form: str
) -> None:
    rule = f"remit_{kind.noun}_status"
    # An upsert meets the rules on INSERT first; which of them refuses is all the same.
    allowed = (
        {rule} if form != "upsert" else {rule, f"remit_{kind.noun}_begins", "remit_run_granted"}
    )
    wanted = {RIGHTS} if role in {"remit_reader", "remit_module"} else allowed
    passed = {
        f"{old} to {new}: {answer}"
        for old, new in kind.illegal()
        if (answer := stopped_by(logins[role], change(kind, form, kind.ids(world, old), new)))
        not in wanted
    }
    assert passed == set()


@by_kind
@by_role
@pytest.mark.parametrize("form", BEGINNINGS)
def test_no_row_begins_in_the_middle_of_its_life(
    logins: Mapping[str, Connection], world: World, kind: Kind, role: str, form: str
) -> None:
    wanted = RIGHTS if role in {"remit_reader", "remit_module"} else f"remit_{kind.noun}_begins"
    passed = {}
    for status in sorted(kind.follows.keys() - kind.begins):
        values = {"id": "gen_random_uuid()", "status": f"'{status}'"}
        # Services may not write these at all, whatever the status.
        stamps = STAMPS.get(kind.table, set())
        owned = columns_of(logins["remit_owner"], kind.table)
        names = [name for name in owned if name not in stamps]
        row = ", ".join(values.get(name, f'old."{name}"') for name in names)
        text = BEGINNINGS[form].format(
            table=kind.table, columns=", ".join(f'"{name}"' for name in names), row=row
        )
        one = {"id": kind.ids(world, status)[0]}
        answer = stopped_by(logins[role], sql(text, one))
        if answer != wanted:
            passed[status] = answer
    assert passed == {}


@by_kind
def test_the_database_and_python_allow_the_same_pairs(
    logins: Mapping[str, Connection], world: World, kind: Kind
) -> None:
    allowed = {
        (old, new)
        for old, new in product(kind.follows, repeat=2)
        if old != new
        and stopped_by(logins["remit_owner"], legal_change(kind, kind.ids(world, old), old, new))
        is None
    }
    assert allowed == {(old, new) for old, after in kind.follows.items() for new in after}


def legal_change(
    kind: Kind, ids: list[UUID], old: str, target: str
) -> Callable[[Connection], None]:
    """Return a change of status as Remit itself would write it."""
    attack = change(kind, "direct", ids[:1], target)

    def lawful(connection: Connection) -> None:
        if (kind.table, old, target) == ("directives", "draft", "proposed"):
            connection.execute("UPDATE directives SET action_digest = 'd' WHERE id = %s", [ids[0]])
        if (kind.table, old, target) == ("directives", "blocked", "proposed"):
            say(connection, ids[0], "directive.retried")
        attack(connection)

    return lawful


@by_kind
def test_the_table_of_each_kind_names_every_status_that_the_database_knows(
    logins: Mapping[str, Connection], kind: Kind
) -> None:
    found = logins["remit_owner"].execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
        [f"ck_{kind.table}_status_known"],
    )
    [(text,)] = found.fetchall()
    known = {part.split("'")[0] for part in text.split("ARRAY[")[1].split("'")[1::2]}
    assert known == set(kind.follows)


def test_stopped_statuses_are_those_that_need_a_reason() -> None:
    assert set(STOPPED) == {"blocked", "aborted"}
