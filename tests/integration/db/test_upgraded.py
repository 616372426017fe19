"""What was signed before statements named their installation still holds after the upgrade."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.db import migrate
from remit.db.engine import create_database_engine
from remit.errors import UnauthenticatedError
from remit.identity.tokens import Token, new_token
from remit.operations.identities.authentication import authenticate, use_keys
from remit.signing.dsse import envelope_to_json
from remit.signing.keys import Keyring
from tests.integration.db.conftest import BlankDatabase
from tests.support.keys import UNUSED_KEYS
from tests.support.servers import as_login

TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


def first(kind: str, statement: dict[str, Any]) -> Jsonb:
    """Return a statement in the first version, signed with the key of this run."""
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"))
    envelope = UNUSED_KEYS.sign(f"application/vnd.remit.{kind}+json", text.encode())
    return Jsonb(envelope_to_json(envelope))


def add_admin(connection: psycopg.Connection, name: str) -> Token:
    """Write an admin and a token, as they were written and signed before the upgrade."""
    token = new_token()
    known = {"name": name, "kind": "human", "roles": ["admin"], "groups": [], "acts_for": None}
    connection.execute(
        "INSERT INTO principals (name, kind, roles, groups, created_by, envelope)"
        " VALUES (%s, 'human', %s, '[]', 'remit', %s)",
        [name, Jsonb(["admin"]), first("principal", {**known, "revision": 1})],
    )
    said = {
        "token": str(token.id),
        "principal": name,
        "hash": token.hash,
        "scopes": [],
        "expires_at": TOMORROW.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    connection.execute(
        "INSERT INTO api_tokens (id, principal, hash, scopes, created_by, expires_at, envelope)"
        " VALUES (%s, %s, %s, '[]', 'remit', %s, %s)",
        [token.id, name, token.hash, TOMORROW, first("token", said)],
    )
    return token


def connect(url: str, login: str) -> psycopg.Connection:
    return psycopg.connect(as_login(url, login).replace("+psycopg", ""))


@pytest.fixture
def before(blank_database: BlankDatabase) -> Iterator[tuple[str, Token, sa.Engine]]:
    """Return a database that was upgraded with an admin in it, their token, and an engine."""
    url = blank_database()
    migrate.upgrade(url, "0006")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        token = add_admin(connection, "root")
    migrate.upgrade(url)
    engine = create_database_engine(as_login(url, "remit_app"), pool_size=1)
    yield url, token, engine
    engine.dispose()


def keys_of(engine: sa.Engine) -> Keyring:
    return use_keys(engine, UNUSED_KEYS)


def test_who_was_known_before_is_known_after(before: tuple[str, Token, sa.Engine]) -> None:
    _, token, engine = before
    found = authenticate(engine, str(token), keys_of(engine))
    assert (found.name, found.roles) == ("root", ("admin",))


def test_what_is_signed_as_before_and_written_later_is_nobodys(
    before: tuple[str, Token, sa.Engine],
) -> None:
    url, _, engine = before
    with connect(url, "remit_app") as connection:
        later = add_admin(connection, "mallory")
    with pytest.raises(UnauthenticatedError, match="names no installation"):
        authenticate(engine, str(later), keys_of(engine))


def test_no_service_can_make_a_row_look_as_old(before: tuple[str, Token, sa.Engine]) -> None:
    url, _, _ = before
    for table, column in (
        ("principals", "created_at"),
        ("api_tokens", "created_at"),
        ("installation", "since"),
    ):
        with connect(url, "remit_app") as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(f"UPDATE {table} SET {column} = '2001-01-01'".encode())  # noqa: S608
        assert isinstance(refused.value, psycopg.errors.InsufficientPrivilege)


def test_control_one_that_could_would_be_known(before: tuple[str, Token, sa.Engine]) -> None:
    url, _, engine = before
    with connect(url, "remit_app") as connection:
        later = add_admin(connection, "mallory")
    with connect(url, "remit_owner") as connection:
        for table in ("principals", "api_tokens"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            connection.execute(f"UPDATE {table} SET created_at = '2001-01-01'".encode())  # noqa: S608
    assert authenticate(engine, str(later), keys_of(engine)).name == "mallory"


def test_each_database_is_an_installation_of_its_own(blank_database: BlankDatabase) -> None:
    found = set[UUID]()
    for _ in range(2):
        url = blank_database()
        migrate.upgrade(url)
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            found.add(connection.execute("SELECT id FROM installation").fetchall()[0][0])
    assert len(found) == 2
