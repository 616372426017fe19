"""Rows and events of people and tokens that the services' own login writes: each one is found."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.audit import identity_rows
from remit.audit.chain import INSTALLATION
from remit.audit.identity_events import signed_data
from remit.audit.repository import event_data, list_events
from remit.errors import ConflictError, ForbiddenError, UnauthenticatedError
from remit.identity.types import Principal
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    change_principal,
    create_token,
    disable_principal,
    read_principals,
)
from remit.operations.identities.principals import MadeToken
from remit.operations.identities.revocation import revoke_token
from tests.adversarial.attacking import forgery, without
from tests.adversarial.forging import OWN_KEYS, as_service, put_person
from tests.adversarial.world import Connection
from tests.support.contents import cast, waiting
from tests.support.identities import discrepancies, faults
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, GRACE, know

HOUR = timedelta(hours=1)
WALTER = Principal("walter", "human", roles=("approver",))


def token(engine: sa.Engine, who: Principal = GRACE) -> MadeToken:
    return create_token(engine, who, valid_for=HOUR, by=ADMIN, keys=KEYS)


def say(c: Connection, kind: str, data: dict[str, Any], actor: str = "admin") -> None:
    """Write an event of the installation."""
    c.execute(
        "INSERT INTO events (directive_id, type, actor, data) VALUES (%s, %s, %s, %s)",
        [INSTALLATION, kind, actor, Jsonb(data)],
    )


def an_honest_life(engine: sa.Engine) -> UUID:
    """Let somebody come, change, and go, with tokens; return one that is still good."""
    know(engine, WALTER)
    good, other = token(engine, WALTER), token(engine, WALTER)
    change_principal(engine, "walter", roles=["approver"], groups=["x"], by=ADMIN, keys=KEYS)
    revoke_token(engine, other.row.id, by=ADMIN, keys=KEYS, since=timedelta(0))
    know(engine, Principal("gone", "human", roles=("approver",)))
    disable_principal(engine, "gone", by=ADMIN, keys=KEYS)
    change_principal(engine, "gone", roles=["auditor"], groups=[], by=ADMIN, keys=KEYS)
    return good.row.id


def test_what_remit_wrote_by_itself_is_whole(empty_engine: sa.Engine) -> None:
    an_honest_life(empty_engine)
    assert discrepancies(empty_engine) == []


def a_person(c: Connection, _: UUID) -> None:
    put_person(c, "nobody", "admin")


def a_token(c: Connection, _: UUID) -> None:
    c.execute(
        "INSERT INTO api_tokens (id, principal, hash, scopes, created_by, expires_at, redeemed)"
        " VALUES (%s, 'grace', 'h', '[]', 'grace', 'tomorrow', true)",
        [uuid4()],
    )


def shut_out(c: Connection, _: UUID) -> None:
    c.execute("UPDATE principals SET disabled_at = now() WHERE name = 'walter'")


def revoked(c: Connection, good: UUID) -> None:
    c.execute("UPDATE api_tokens SET revoked_at = now() WHERE id = %s", [good])


def revoked_long_ago(c: Connection, good: UUID) -> None:
    change = "revoked_at = now(), revoked_since = created_at, revocation = '{}'"
    c.execute(f"UPDATE api_tokens SET {change} WHERE id = %s".encode(), [good])  # noqa: S608 - of the test


def promoted(c: Connection, _: UUID) -> None:
    change = "roles = '[\"admin\"]', revision = revision + 1"
    c.execute(f"UPDATE principals SET {change} WHERE name = 'walter'".encode())  # noqa: S608 - of the test


ROWS: dict[str, tuple[Callable[[Connection, UUID], None], set[str]]] = {
    "a person": (a_person, {"unverifiable", "untold"}),
    "a token": (a_token, {"unverifiable", "untold"}),
    "somebody shut out": (shut_out, {"unverifiable", "told_otherwise"}),
    "a token revoked": (revoked, {"unverifiable", "told_otherwise"}),
    "a token revoked long ago": (revoked_long_ago, {"unverifiable", "told_otherwise"}),
    "somebody promoted": (promoted, {"unverifiable", "told_otherwise"}),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_that_the_services_login_wrote_is_found_twice_over(
    empty_engine: sa.Engine, row: str
) -> None:
    forge, found = ROWS[row]
    good = an_honest_life(empty_engine)
    with as_service(empty_engine) as connection:
        forge(connection, good)
    assert faults(empty_engine) == found


def test_control_without_the_signatures_and_the_log_none_of_it_would_be(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = an_honest_life(empty_engine)
    monkeypatch.setattr(identity_rows, "_statements", lambda *_: [])
    monkeypatch.setattr(identity_rows, "_compared", lambda *_: [])
    with as_service(empty_engine) as connection:
        for forge, _ in ROWS.values():
            if forge is not revoked:
                forge(connection, good)
    assert faults(empty_engine) == set()


def test_whoever_was_shut_out_by_other_means_is_out_all_the_same(empty_engine: sa.Engine) -> None:
    know(empty_engine, WALTER)
    made = token(empty_engine, WALTER)
    with as_service(empty_engine) as connection:
        shut_out(connection, made.row.id)
    with pytest.raises(UnauthenticatedError):
        authenticate(empty_engine, str(made.token), KEYS)
    with pytest.raises(ForbiddenError):
        cast(empty_engine, waiting(empty_engine), by=WALTER)


def test_what_does_not_verify_is_never_signed_anew(empty_engine: sa.Engine) -> None:
    know(empty_engine, WALTER)
    with as_service(empty_engine) as connection:
        promoted(connection, uuid4())
    with pytest.raises(ConflictError, match="does not verify"):
        change_principal(empty_engine, "walter", roles=["admin"], groups=[], by=ADMIN, keys=KEYS)
    disable_principal(empty_engine, "walter", by=ADMIN, keys=KEYS)
    [walter] = [
        one for one in read_principals(empty_engine, by=ADMIN) if one.principal.name == "walter"
    ]
    assert (walter.disabled_at is not None, walter.revision) == (True, 2)
    assert "unverifiable" in faults(empty_engine)


# Events of the installation. --------------------------------------------------------------------

FORGED: dict[str, tuple[str, dict[str, Any]]] = {
    "a person": (
        "principal.created",
        {
            "name": "eve",
            "kind": "human",
            "roles": ["admin"],
            "groups": [],
            "acts_for": None,
            "revision": 1,
            "with": None,
        },
    ),
    "a promotion": (
        "principal.changed",
        {"name": "walter", "roles": ["admin"], "groups": [], "revision": 3, "with": None},
    ),
    "an end": ("principal.disabled", {"name": "walter", "revision": 3, "with": None}),
    "a revocation": (
        "token.revoked",
        {"token": str(uuid4()), "principal": "walter", "since": None, "with": None},
    ),
    "nothing": ("token.created", {}),
}


@pytest.mark.parametrize("event", FORGED)
def test_an_event_that_nobody_signed_is_found(empty_engine: sa.Engine, event: str) -> None:
    an_honest_life(empty_engine)
    kind, data = FORGED[event]
    envelopes: list[Any] = [None, {}, "x", signed_data(kind, "admin", data, OWN_KEYS)["envelope"]]
    for envelope in envelopes:
        with as_service(empty_engine) as connection:
            say(connection, kind, data | ({} if envelope is None else {"envelope": envelope}))
    found = [one for one in discrepancies(empty_engine) if one.seq is not None]
    assert [one.fault for one in found] == ["unverifiable"] * len(envelopes)


def test_control_signed_by_remit_they_would_be_believed_and_the_rows_would_differ(
    empty_engine: sa.Engine,
) -> None:
    an_honest_life(empty_engine)
    for kind, data in (FORGED["a person"], FORGED["an end"]):
        with as_service(empty_engine) as connection:
            say(connection, kind, signed_data(kind, "admin", data, KEYS))
    assert faults(empty_engine) == {"unfounded", "told_otherwise"}


def test_an_event_that_is_told_again_in_anothers_name_or_of_another_kind_is_found(
    empty_engine: sa.Engine,
) -> None:
    an_honest_life(empty_engine)
    with empty_engine.connect() as connection:
        told = [
            one
            for one in list_events(connection, INSTALLATION)
            if one.type.partition(".")[0] in {"principal", "token"}
        ]
    for one in told:
        with as_service(empty_engine) as raw:
            say(raw, one.type, json.loads(one.data), "mallory")
            say(raw, "principal.changed", {**event_data(one), "name": "ada"}, one.actor)
            say(raw, one.type, json.loads(one.data), one.actor)
    found = [one.fault for one in discrepancies(empty_engine) if one.seq is not None]
    counted = (found.count("unverifiable"), found.count("told_otherwise"))
    assert counted == (2 * len(told), len(told))


# An earlier revision. ---------------------------------------------------------------------------


def demoted(engine: sa.Engine) -> tuple[Any, ...]:
    """Let walter be an admin and then not any more; return the row as it was before."""
    know(engine, Principal("walter", "human", roles=("admin",)))
    with engine.connect() as connection:
        statement = "SELECT roles, groups, revision, envelope FROM principals WHERE name = 'walter'"
        [row] = connection.execute(sa.text(statement)).all()
    change_principal(engine, "walter", roles=["approver"], groups=[], by=ADMIN, keys=KEYS)
    roles, groups, revision, envelope = row
    return Jsonb(roles), Jsonb(groups), revision, Jsonb(envelope)


BACK = (
    "UPDATE principals SET roles = %s, groups = %s, revision = %s, envelope = %s"
    " WHERE name = 'walter'"
)


def test_an_earlier_revision_is_not_taken_back(empty_engine: sa.Engine) -> None:
    earlier = demoted(empty_engine)
    with pytest.raises(psycopg.DatabaseError), as_service(empty_engine) as connection:
        connection.execute(BACK, earlier)


def test_control_past_every_rule_it_would_verify_and_the_log_tells_otherwise(
    empty_engine: sa.Engine,
) -> None:
    earlier = demoted(empty_engine)
    made = token(empty_engine, Principal("walter", "human"))
    with forgery(empty_engine, "principals") as connection:
        connection.execute(BACK, earlier)
    assert "admin" in authenticate(empty_engine, str(made.token), KEYS).roles
    assert faults(empty_engine) == {"told_otherwise"}


def test_the_end_of_a_token_reaches_only_further_back(empty_engine: sa.Engine) -> None:
    made = token(empty_engine, ADA)
    revoke_token(empty_engine, made.row.id, by=ADMIN, keys=KEYS, since=made.row.created_at)
    change = "UPDATE api_tokens SET revoked_since = NULL WHERE id = %s"
    with pytest.raises(psycopg.DatabaseError), as_service(empty_engine) as connection:
        connection.execute(change, [made.row.id])
    without(empty_engine, "api_tokens.remit_token_revocation")
    with as_service(empty_engine) as connection:
        connection.execute(change, [made.row.id])
    assert faults(empty_engine) == {"unverifiable", "told_otherwise"}
