"""One key, two databases: what was signed for one means nothing in the other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from remit.db.engine import create_database_engine
from remit.errors import MisconfiguredError, UnauthenticatedError
from remit.operations.identities.authentication import authenticate, find_installation, use_keys
from remit.operations.identities.directory import create_token
from remit.operations.identities.principals import MadeToken
from remit.signing.keys import Keyring
from tests.support.contents import write
from tests.support.keys import UNUSED_KEYS
from tests.support.people import ADMIN
from tests.support.servers import MakeDatabase, as_login

OTHER = UUID("1257a11a-0000-4000-8000-000000000002")
COPIED = ("principals", "api_tokens")


@pytest.fixture
def other(make_database: MakeDatabase) -> Iterator[sa.Engine]:
    """Return a second database, that of another installation."""
    engine = create_database_engine(make_database(), application_name="tests", pool_size=2)
    write(engine, f"UPDATE installation SET id = '{OTHER}'")  # noqa: S608 - a constant
    yield engine
    engine.dispose()


def keys_of(engine: sa.Engine) -> Keyring:
    return use_keys(engine, UNUSED_KEYS)


def admin_of(engine: sa.Engine, name: str) -> MadeToken:
    """Make somebody an admin in one of the two."""
    wanted = replace(ADMIN, name=name)
    day = timedelta(days=1)
    return create_token(engine, wanted, valid_for=day, by=ADMIN, keys=keys_of(engine))


def copied(source: sa.Engine, target: sa.Engine, name: str) -> None:
    """Copy a principal and its tokens from one database to the other with the services' login."""
    login = (
        as_login(each.url.render_as_string(hide_password=False), "remit_app")
        for each in (source, target)
    )
    source_url, target_url = (url.replace("+psycopg", "") for url in login)
    columns = {
        "principals": ("name", "kind", "roles", "groups", "acts_for", "created_by", "envelope"),
        "api_tokens": (
            *("id", "principal", "hash", "scopes", "created_by", "expires_at", "envelope"),
            *("created_with", "redeemed"),
        ),
    }
    with psycopg.connect(source_url) as reading, psycopg.connect(target_url) as writing:
        for table, names in columns.items():
            key = "name" if table == "principals" else "principal"
            listed = ", ".join(names)
            text = f"SELECT to_jsonb(one) FROM (SELECT {listed} FROM {table} WHERE {key} = %s) one"  # noqa: S608
            for (row,) in reading.execute(text.encode(), [name]).fetchall():
                insert = (
                    f"INSERT INTO {table} ({listed}) SELECT {listed}"  # noqa: S608
                    f" FROM jsonb_populate_record(NULL::{table}, %s)"
                )
                writing.execute(insert.encode(), [psycopg.types.json.Jsonb(row)])


def test_a_copied_admin_and_token_make_nobody_an_admin_in_the_other(
    empty_engine: sa.Engine, other: sa.Engine
) -> None:
    made = admin_of(empty_engine, "mallory")
    assert authenticate(empty_engine, str(made.token), keys_of(empty_engine)).name == "mallory"
    copied(empty_engine, other, "mallory")
    with pytest.raises(UnauthenticatedError, match="signed for another installation"):
        authenticate(other, str(made.token), keys_of(other))


def test_control_where_both_are_one_installation_they_do(
    empty_engine: sa.Engine, other: sa.Engine
) -> None:
    own = find_installation(empty_engine).id
    write(other, f"UPDATE installation SET id = '{own}'")  # noqa: S608 - read above
    made = admin_of(empty_engine, "mallory")
    copied(empty_engine, other, "mallory")
    assert "admin" in authenticate(other, str(made.token), keys_of(other)).roles


def test_keys_that_are_settled_for_one_database_are_refused_for_the_other(
    empty_engine: sa.Engine, other: sa.Engine
) -> None:
    settled = replace(UNUSED_KEYS, pinned=find_installation(empty_engine).id)
    assert use_keys(empty_engine, settled).installation == find_installation(empty_engine)
    with pytest.raises(MisconfiguredError, match="these keys are those of the installation"):
        use_keys(other, settled)
