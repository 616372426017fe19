"""The rules about people, tokens and invitations, each with an attack."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from tests.adversarial import world as w
from tests.adversarial.attempts import Attack
from tests.adversarial.world import Connection


def change(c: Connection, table: str, key: Any, said: str, column: str = "id") -> None:
    """Change one row."""
    c.execute(f"UPDATE {table} SET {said} WHERE {column} = %s".encode(), [key])  # noqa: S608 - names of the tests


def put_principal(c: Connection) -> str:
    """Write an agent and return its name."""
    row = {"name": "frank", "kind": "agent", "roles": Jsonb([]), "groups": Jsonb([])}
    w.insert(c, "principals", row | {"created_by": "test"})
    return "frank"


def put_token(c: Connection) -> Any:
    """Write a token of a person's and return its identifier."""
    [(token,)] = c.execute(
        "INSERT INTO api_tokens (id, principal, hash, scopes, created_by, expires_at)"
        " VALUES (gen_random_uuid(), 'carol', 'h', '[]', 'test', 'tomorrow') RETURNING id"
    ).fetchall()
    return token


def put_invitation(c: Connection) -> Any:
    """Write an invitation of a person and return its identifier."""
    row = {"principal": "carol", "hash": "h", "scopes": Jsonb([]), "valid_seconds": 60}
    key = uuid4()
    more = {"created_by": "test", "expires_at": "tomorrow", "envelope": Jsonb({})}
    w.insert(c, "token_invitations", {"id": key, **row, **more})
    return key


def redeem(c: Connection, invitation: Any, when: str = "now()") -> None:
    """Say that an invitation was redeemed."""
    token = put_token(c)
    change(c, "token_invitations", invitation, f"redeemed_at = {when}, token_id = '{token}'")


def _make_agent_a_person(c: Connection) -> None:
    put_principal(c)
    change(c, "principals", "frank", "kind = 'human'", "name")


def _let_in_again(c: Connection) -> None:
    put_principal(c)
    change(c, "principals", "frank", "disabled_at = now()", "name")
    change(c, "principals", "frank", "disabled_at = NULL", "name")


def _promote_again(c: Connection) -> None:
    put_principal(c)
    change(c, "principals", "frank", "roles = '[\"admin\"]'", "name")


def _redeem_twice(c: Connection) -> None:
    invitation = put_invitation(c)
    redeem(c, invitation)
    redeem(c, invitation)


def _narrow_a_revocation(c: Connection) -> None:
    token = put_token(c)
    early = "revoked_since = now() - interval '1 hour'"
    change(c, "api_tokens", token, f"revoked_at = now(), {early}, revocation = '{{}}'")
    change(c, "api_tokens", token, "revoked_since = now()")


EARLIER = "'2001-01-01'"

ENDINGS: Mapping[str, Attack] = {
    "remit_principal_frozen": _make_agent_a_person,
    "remit_principal_revised": _promote_again,
    "remit_principal_ended": _let_in_again,
    "remit_token_frozen": lambda c: change(
        c, "api_tokens", put_token(c), "expires_at = '8000-01-01'"
    ),
    "remit_principal_ended_now": lambda c: change(
        c, "principals", put_principal(c), f"disabled_at = {EARLIER}", "name"
    ),
    "remit_token_ended_now": lambda c: change(
        c, "api_tokens", put_token(c), f"revoked_at = {EARLIER}"
    ),
    "remit_invitation_ended_now": lambda c: redeem(c, put_invitation(c), EARLIER),
    "remit_invitation_frozen": _redeem_twice,
    "remit_token_revocation": _narrow_a_revocation,
}
"""Each trigger with its attack."""
