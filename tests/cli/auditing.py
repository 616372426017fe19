"""What the tests of `remit audit` share: who audits, and a forger."""

from datetime import timedelta

import psycopg
import sqlalchemy as sa

from remit.identity.types import Principal
from remit.operations.identities.directory import create_token
from remit.signing.pem import private_text
from remit.stack.postgres import SUPERUSER
from tests.support.keys import KEYS
from tests.support.people import ADMIN
from tests.support.servers import as_login

CUT = """
    DELETE FROM events WHERE (directive_id, seq) IN (
        SELECT directive_id, max(seq) FROM events
        WHERE directive_id = '00000000-0000-0000-0000-000000000000' GROUP BY directive_id
    )
"""
"""Cuts the last row off the installation's chain, which no status and no other row betrays."""


def variables_for(engine: sa.Engine, address: str, name: str) -> dict[str, str]:
    """Return the environment of a principal with the role called `name`."""
    who = Principal(f"{name}-1", "human", roles=(name,))  # type: ignore[arg-type]
    made = create_token(engine, who, valid_for=timedelta(hours=1), by=ADMIN, keys=KEYS)
    assert KEYS.signing_key is not None
    return {
        "DATABASE_URL": address,
        "REMIT_TOKEN": str(made.token),
        "REMIT_SIGNING_KEY": private_text(KEYS.signing_key),
    }


def forge(address: str, *statements: str) -> None:
    """Change events as the superuser, past their triggers."""
    url = as_login(address, SUPERUSER).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in ("ALTER TABLE events DISABLE TRIGGER ALL", *statements):
            connection.execute(statement.encode())
