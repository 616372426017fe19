"""Invitations: a code becomes one token, once, for one person, within what the code says."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from remit.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from remit.identity.tokens import Code, new_code
from remit.identity.types import Principal
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import change_principal, disable_principal, read_tokens
from remit.operations.identities.invitations import (
    LONGEST_INVITATION,
    MadeInvitation,
    invite,
    read_invitations,
    redeem,
    revoke_invitation,
)
from remit.operations.identities.principals import LONGEST_TOKEN, MadeToken
from tests.support.identities import discrepancies
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, GRACE, person

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def invited(
    engine: sa.Engine, who: Principal, open_for: timedelta = HOUR, by: Principal = ADMIN
) -> MadeInvitation:
    return invite(engine, who, valid_for=DAY, open_for=open_for, by=by, keys=KEYS)


def refusal(engine: sa.Engine, code: Code | str) -> str:
    with pytest.raises((UnauthenticatedError, ConflictError)) as caught:
        redeem(engine, str(code), KEYS)
    return str(caught.value)


def test_a_code_becomes_a_token_that_its_owner_made(engine: sa.Engine) -> None:
    made = redeem(engine, f" {invited(engine, person('fay')).code}\n", KEYS)
    assert (made.row.created_by, made.row.created_with, made.row.redeemed) == ("fay", None, True)
    assert made.row.expires_at - made.row.created_at == DAY
    found = authenticate(engine, str(made.token), KEYS)
    assert (found.name, found.token, found.made_by) == ("fay", made.row.id, "fay")
    assert found.redeemed
    assert set(found.roles) == set(person("fay").roles)
    assert discrepancies(engine) == []


def test_an_invitation_says_who_made_it_and_what_became_of_it(engine: sa.Engine) -> None:
    one = invited(engine, ADA)
    assert (one.row.created_by, one.row.principal, one.row.redeemed_at) == ("admin", "ada", None)
    made = redeem(engine, str(one.code), KEYS)
    [after] = [row for row in read_invitations(engine, by=ADMIN) if row.id == one.row.id]
    assert (after.token_id, after.redeemed_at) == (made.row.id, made.row.created_at)


def test_a_token_is_limited_to_the_scopes_of_its_invitation(engine: sa.Engine) -> None:
    limited = Principal("ada", "human", scopes=("vote",))
    made = redeem(engine, str(invited(engine, limited).code), KEYS)
    assert authenticate(engine, str(made.token), KEYS).scopes == ("vote",)


def test_a_second_redemption_is_refused_and_tells_when_the_first_was(engine: sa.Engine) -> None:
    one = invited(engine, GRACE)
    made = redeem(engine, str(one.code), KEYS)
    said = refusal(engine, one.code)
    when = made.row.created_at
    assert said.startswith(f"this invitation was redeemed at {when:%Y-%m-%d %H:%M:%S}")
    assert f"`remit token revoke {made.row.id} --since {when.isoformat()}`" in said


def test_nothing_but_the_whole_code_is_known(engine: sa.Engine) -> None:
    one, other = invited(engine, GRACE), new_code()
    for forged in (other, Code(one.code.id, other.secret), Code(other.id, one.code.secret)):
        assert refusal(engine, forged).startswith("this invitation is not known here")
    for wrong in ("", "grace", str(one.code)[:-1], str(one.code).upper(), one.code.hash):
        assert refusal(engine, wrong).startswith("this is no invitation's code")
    with pytest.raises(UnauthenticatedError, match="this is no token"):
        authenticate(engine, str(one.code), KEYS)
    redeem(engine, str(one.code), KEYS)


def test_a_code_expires_by_the_databases_clock(engine: sa.Engine) -> None:
    one = invited(engine, GRACE, timedelta(microseconds=1))
    assert refusal(engine, one.code).startswith("this invitation has expired")


@pytest.mark.parametrize(
    ("open_for", "valid_for", "field"),
    [
        (timedelta(0), DAY, "code_expires"),
        (LONGEST_INVITATION + timedelta(microseconds=1), DAY, "code_expires"),
        (HOUR, timedelta(0), "valid_for"),
        (HOUR, LONGEST_TOKEN + timedelta(microseconds=1), "valid_for"),
    ],
)
def test_a_code_and_its_token_are_good_for_a_bounded_time(
    engine: sa.Engine, open_for: timedelta, valid_for: timedelta, field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        invite(engine, GRACE, valid_for=valid_for, open_for=open_for, by=ADMIN, keys=KEYS)
    assert caught.value.field == field


def test_only_an_admin_invites(engine: sa.Engine) -> None:
    with pytest.raises(ForbiddenError):
        invited(engine, GRACE, by=ADA)


def test_a_code_of_somebody_who_was_shut_out_is_good_for_nothing(engine: sa.Engine) -> None:
    one = invited(engine, person("gone"))
    disable_principal(engine, "gone", by=ADMIN, keys=KEYS)
    assert refusal(engine, one.code) == "this invitation is for somebody who was shut out"
    with pytest.raises(ConflictError, match="was shut out"):
        invited(engine, person("gone"))


def test_a_code_holds_no_longer_than_its_maker_may_invite(engine: sa.Engine) -> None:
    host = Principal("host", "human", roles=("admin",))
    token = redeem(engine, str(invited(engine, host).code), KEYS).token
    by = authenticate(engine, str(token), KEYS)
    one = invited(engine, GRACE, by=by)
    change_principal(engine, "host", roles=["auditor"], groups=[], by=ADMIN, keys=KEYS)
    assert "by somebody who may no longer invite" in refusal(engine, one.code)


def test_an_invitation_that_was_revoked_is_good_for_nothing(engine: sa.Engine) -> None:
    one = invited(engine, GRACE)
    row = revoke_invitation(engine, one.row.id, by=ADMIN, keys=KEYS)
    assert row.revoked_at is not None
    assert revoke_invitation(engine, one.row.id, by=GRACE, keys=KEYS).revoked_at == row.revoked_at
    assert refusal(engine, one.code).startswith("this invitation was revoked")
    assert discrepancies(engine) == []


def test_what_was_redeemed_is_not_revoked_as_an_invitation(engine: sa.Engine) -> None:
    one = invited(engine, GRACE)
    made = redeem(engine, str(one.code), KEYS)
    with pytest.raises(ConflictError, match=f"remit token revoke {made.row.id}"):
        revoke_invitation(engine, one.row.id, by=ADMIN, keys=KEYS)
    with pytest.raises(NotFoundError, match="there is no invitation"):
        revoke_invitation(engine, uuid4(), by=ADMIN, keys=KEYS)


def test_only_an_admin_revokes_anothers_invitation_or_sees_it(engine: sa.Engine) -> None:
    one = invited(engine, GRACE)
    with pytest.raises(ForbiddenError):
        revoke_invitation(engine, one.row.id, by=ADA, keys=KEYS)
    assert one.row.id not in ids(engine, ADA)
    assert one.row.id in ids(engine, GRACE)
    redeem(engine, str(one.code), KEYS)


def ids(engine: sa.Engine, by: Principal) -> list[UUID]:
    return [row.id for row in read_invitations(engine, by=by)]


def test_a_token_that_cannot_be_kept_leaves_the_code_as_it_was(engine: sa.Engine) -> None:
    one, before = invited(engine, GRACE), len(read_tokens(engine, by=ADMIN))

    def full(_: MadeToken) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        redeem(engine, str(one.code), KEYS, keep=full)
    assert len(read_tokens(engine, by=ADMIN)) == before
    redeem(engine, str(one.code), KEYS)
