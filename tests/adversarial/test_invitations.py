"""Invitations that somebody else would redeem: guessed, taken twice, or written by other means."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from remit.errors import ConflictError, RemitError, UnauthenticatedError
from remit.identity import invitation_repository
from remit.identity.statements import sign_invitation
from remit.identity.tokens import new_code
from remit.identity.types import Invitation, KeptInvitation, Principal
from remit.operations.identities import invitations
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import create_token, disable_principal
from remit.operations.identities.invitations import MadeInvitation, invite, redeem
from remit.operations.identities.principals import MadeToken
from tests.adversarial import world as w
from tests.adversarial.attacking import forgery, without
from tests.adversarial.forging import OWN_KEYS, as_service
from tests.adversarial.world import Connection
from tests.support.identities import faults
from tests.support.keys import KEYS
from tests.support.people import ADMIN, GRACE, know
from tests.support.races import at_once, refused

HOUR = timedelta(hours=1)
BOSS = Principal("boss", "human", roles=("admin",))


def invited(engine: sa.Engine, who: Principal = GRACE) -> MadeInvitation:
    return invite(engine, who, valid_for=HOUR, open_for=HOUR, by=ADMIN, keys=KEYS)


def test_of_eight_who_redeem_one_code_at_once_one_gets_a_token(empty_engine: sa.Engine) -> None:
    code = str(invited(empty_engine).code)
    found = at_once(refused(lambda _: redeem(empty_engine, code, KEYS)))
    [winner] = [one for one in found if isinstance(one, MadeToken)]
    told = [one for one in found if isinstance(one, ConflictError)]
    assert len(told) == 7
    assert all(str(winner.row.id) in str(one) for one in told)
    assert faults(empty_engine) == set()


def test_control_without_the_look_at_its_end_all_eight_would_get_as_far_as_the_database(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "_check_open", lambda _: None)
    monkeypatch.setattr(invitation_repository, "redeem_invitation", lambda *_: None)
    code = str(invited(empty_engine).code)
    made = at_once(refused(lambda _: redeem(empty_engine, code, KEYS)))
    assert all(isinstance(one, MadeToken) for one in made)
    assert faults(empty_engine) == {"told_otherwise"}


def test_whoever_takes_a_code_first_is_noticed_by_whom_it_was_for(engine: sa.Engine) -> None:
    one = invited(engine)
    stolen = redeem(engine, str(one.code), KEYS)
    with pytest.raises(ConflictError, match="If that was not you, somebody else acts in your name"):
        redeem(engine, str(one.code), KEYS)
    assert authenticate(engine, str(stolen.token), KEYS).redeemed


def test_nobody_redeems_a_token_and_nobody_shows_a_code_as_one(engine: sa.Engine) -> None:
    token = create_token(engine, GRACE, valid_for=HOUR, by=ADMIN, keys=KEYS).token
    one = invited(engine)
    as_token = str(one.code).replace("remit_invite_", "remit_")
    with pytest.raises(UnauthenticatedError):
        redeem(engine, str(token), KEYS)
    with pytest.raises(UnauthenticatedError):
        redeem(engine, str(token).replace("remit_", "remit_invite_"), KEYS)
    with pytest.raises(UnauthenticatedError):
        authenticate(engine, as_token, KEYS)


def put_invitation(c: Connection, kept: KeptInvitation) -> None:
    """Write an invitation."""
    one = kept.invitation
    row: dict[str, Any] = {
        "id": one.id,
        "principal": one.principal,
        "hash": kept.hash,
        "scopes": Jsonb(list(one.scopes)),
        "valid_seconds": one.valid_seconds,
        "created_by": one.created_by,
        "expires_at": one.expires_at,
        "envelope": Jsonb(kept.envelope),
    }
    w.insert(c, "token_invitations", row)


def forged(made: Invitation, sign: Callable[[KeptInvitation], Any]) -> tuple[KeptInvitation, str]:
    """Return an invitation of the boss whose code the attacker knows, and that code."""
    code = new_code()
    new = replace(made, id=code.id, principal="boss", created_with=None)
    kept = KeptInvitation(new, code.hash, None)
    return replace(kept, envelope=sign(kept)), str(code)


def test_an_invitation_that_the_services_login_wrote_is_nobodys(engine: sa.Engine) -> None:
    know(engine, BOSS)
    mine = invited(engine).row
    for sign in (lambda _: {}, lambda kept: sign_invitation(kept, OWN_KEYS)):
        kept, code = forged(mine, sign)
        with as_service(engine) as connection:
            put_invitation(connection, kept)
        with pytest.raises(UnauthenticatedError):
            redeem(engine, code, KEYS)
    assert {"unverifiable", "untold"} <= faults(engine)


def test_control_one_that_was_signed_would_be_redeemed_and_no_event_tells_of_it(
    empty_engine: sa.Engine,
) -> None:
    know(empty_engine, BOSS)
    kept, code = forged(invited(empty_engine).row, lambda kept: sign_invitation(kept, KEYS))
    with as_service(empty_engine) as connection:
        put_invitation(connection, kept)
    assert redeem(empty_engine, code, KEYS).row.principal == "boss"
    assert "untold" in faults(empty_engine)


REDIRECTIONS = (
    "principal = 'boss'",
    "scopes = '[\"administer\"]'",
    "valid_seconds = 30000000",
    "expires_at = now() + interval '10 years'",
    "created_by = 'remit'",
)


@pytest.mark.parametrize("change", REDIRECTIONS)
def test_an_invitation_cannot_be_turned_into_another(engine: sa.Engine, change: str) -> None:
    know(engine, BOSS)
    one = invited(engine)
    statement = f"UPDATE token_invitations SET {change} WHERE id = %s".encode()  # noqa: S608 - of the test
    with pytest.raises(psycopg.errors.DatabaseError), as_service(engine) as connection:
        connection.execute(statement, [one.row.id])
    with forgery(engine, "token_invitations") as connection:
        connection.execute(statement, [one.row.id])
    with pytest.raises(RemitError, match="does not verify"):
        redeem(engine, str(one.code), KEYS)


def test_a_code_that_was_burned_by_other_means_is_found(empty_engine: sa.Engine) -> None:
    one, other = (
        invited(empty_engine),
        create_token(empty_engine, GRACE, valid_for=HOUR, by=ADMIN, keys=KEYS),
    )
    with as_service(empty_engine) as connection:
        connection.execute(
            "UPDATE token_invitations SET redeemed_at = now(), token_id = %s WHERE id = %s",
            [other.row.id, one.row.id],
        )
    with pytest.raises(ConflictError):
        redeem(empty_engine, str(one.code), KEYS)
    assert faults(empty_engine) == {"told_otherwise"}


def test_one_that_was_redeemed_cannot_be_opened_again(engine: sa.Engine) -> None:
    one = invited(engine)
    redeem(engine, str(one.code), KEYS)
    reopen = "UPDATE token_invitations SET redeemed_at = NULL, token_id = NULL WHERE id = %s"
    with pytest.raises(psycopg.DatabaseError), as_service(engine) as connection:
        connection.execute(reopen, [one.row.id])


def test_control_without_the_rule_it_could_and_the_audit_would_find_the_second_token(
    empty_engine: sa.Engine,
) -> None:
    without(empty_engine, "token_invitations.remit_invitation_frozen")
    one = invited(empty_engine)
    redeem(empty_engine, str(one.code), KEYS)
    with as_service(empty_engine) as connection:
        connection.execute(
            "UPDATE token_invitations SET redeemed_at = NULL, token_id = NULL WHERE id = %s",
            [one.row.id],
        )
    redeem(empty_engine, str(one.code), KEYS)
    assert "told_otherwise" in faults(empty_engine)


def test_a_code_for_somebody_whom_somebody_shut_out_meanwhile_is_refused(engine: sa.Engine) -> None:
    know(engine, Principal("late", "human", roles=("approver",)))
    one = invited(engine, Principal("late", "human"))
    disable_principal(engine, "late", by=ADMIN, keys=KEYS)
    with pytest.raises(UnauthenticatedError, match="shut out"):
        redeem(engine, str(one.code), KEYS)
