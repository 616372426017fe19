"""Identity: whose token it is, who is let in and shut out, and what is kept of it."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
import time_machine

from remit.audit.chain import INSTALLATION, Event, first_broken
from remit.audit.repository import list_events
from remit.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from remit.identity.tokens import Token, new_token
from remit.identity.types import Principal
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    change_principal,
    create_token,
    disable_principal,
    ensure_principals,
    read_principals,
    read_tokens,
)
from remit.operations.identities.principals import LONGEST_TOKEN, MadeToken
from remit.operations.identities.revocation import revoke_token
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, AGENT, GRACE, OPERATOR, person

DAY = timedelta(days=1)


def token_for(engine: sa.Engine, principal: Principal, valid_for: timedelta = DAY) -> MadeToken:
    return create_token(engine, principal, valid_for=valid_for, by=ADMIN, keys=KEYS)


def told(engine: sa.Engine) -> list[Event]:
    """Return the installation's own chain, which must be sound."""
    with engine.connect() as connection:
        events = list_events(connection, INSTALLATION)
    assert first_broken(events) is None
    return events


def refusal(engine: sa.Engine, token: Token | str) -> str:
    with pytest.raises(UnauthenticatedError) as caught:
        authenticate(engine, str(token), KEYS)
    return str(caught.value)


UNKNOWN = "this token is not known here; use one that was made here"
ANOTHER = "an admin gives you another one by `remit token invite`"


# Whose token it is. -----------------------------------------------------------------------------


def test_a_token_tells_whose_it_is_with_all_that_is_known_of_them(engine: sa.Engine) -> None:
    made = token_for(engine, ADA)
    assert authenticate(engine, str(made.token), KEYS) == ADA
    assert authenticate(engine, f" {made.token}\n", KEYS) == ADA


def test_a_token_is_limited_to_its_scopes(engine: sa.Engine) -> None:
    limited = Principal("operator", "human", roles=OPERATOR.roles, scopes=("operate",))
    made = token_for(engine, limited)
    assert made.row.scopes == ("operate",)
    assert authenticate(engine, str(made.token), KEYS) == limited


def test_a_token_speaks_of_its_principal_as_they_are_now(engine: sa.Engine) -> None:
    made = token_for(engine, person("mover"))
    change_principal(engine, "mover", roles=["auditor"], groups=["release"], by=ADMIN, keys=KEYS)
    found = authenticate(engine, str(made.token), KEYS)
    assert (found.roles, found.groups) == (("auditor",), ("release",))


def test_nothing_but_the_whole_token_is_known(engine: sa.Engine) -> None:
    made = token_for(engine, GRACE).token
    other = new_token()
    for forged in (other, Token(made.id, other.secret), Token(other.id, made.secret)):
        assert refusal(engine, forged) == UNKNOWN
    for wrong in ("", "grace", str(made)[:-1], str(made).upper(), made.hash):
        assert refusal(engine, wrong).startswith("this is no token")


def test_the_stored_hash_is_no_token(engine: sa.Engine) -> None:
    made = token_for(engine, GRACE).token
    assert refusal(engine, f"remit_{made.id.hex}_{made.hash[:43]}") == UNKNOWN


def test_a_revoked_token_is_good_for_nothing_and_the_others_still_are(engine: sa.Engine) -> None:
    first, second = token_for(engine, GRACE), token_for(engine, GRACE)
    row = revoke_token(engine, first.row.id, by=GRACE, keys=KEYS).row
    assert row.revoked_at is not None
    assert refusal(engine, first.token) == f"this token was revoked; {ANOTHER}"
    assert authenticate(engine, str(second.token), KEYS) == GRACE
    assert revoke_token(engine, first.row.id, by=ADMIN, keys=KEYS).row.revoked_at == row.revoked_at


def test_only_an_admin_revokes_anothers_token(engine: sa.Engine) -> None:
    made = token_for(engine, GRACE)
    with pytest.raises(ForbiddenError):
        revoke_token(engine, made.row.id, by=ADA, keys=KEYS)
    assert authenticate(engine, str(made.token), KEYS) == GRACE
    with pytest.raises(NotFoundError, match="there is no token"):
        revoke_token(engine, uuid4(), by=ADMIN, keys=KEYS)


def test_an_expired_token_is_good_for_nothing(engine: sa.Engine) -> None:
    made = token_for(engine, GRACE, timedelta(microseconds=1))
    assert refusal(engine, made.token) == f"this token has expired; {ANOTHER}"


@pytest.mark.parametrize("days", [-400, 400])
def test_the_clock_that_counts_is_the_databases(engine: sa.Engine, days: int) -> None:
    before = token_for(engine, GRACE)
    ended = token_for(engine, GRACE, timedelta(microseconds=1))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=days), tick=True):
        made = token_for(engine, GRACE)
        assert made.row.expires_at - before.row.expires_at < timedelta(minutes=1)
        assert made.row.expires_at - made.row.created_at == DAY
        assert authenticate(engine, str(before.token), KEYS) == GRACE
        assert refusal(engine, ended.token) == f"this token has expired; {ANOTHER}"


@pytest.mark.parametrize(
    "valid_for", [timedelta(0), -DAY, LONGEST_TOKEN + timedelta(microseconds=1), timedelta.max]
)
def test_a_token_is_good_for_a_bounded_time(engine: sa.Engine, valid_for: timedelta) -> None:
    with pytest.raises(InvalidInputError) as caught:
        token_for(engine, GRACE, valid_for)
    assert str(caught.value) == "valid_for: must be above zero and at most 366 days"


# Who is let in. ---------------------------------------------------------------------------------


def test_a_token_makes_its_principal_known(engine: sa.Engine) -> None:
    deputy = Principal("deputy", "agent", roles=("proposer",), groups=("night",), acts_for="ada")
    made = token_for(engine, deputy)
    assert authenticate(engine, str(made.token), KEYS) == deputy
    [known] = [one for one in read_principals(engine, by=ADMIN) if one.principal.name == "deputy"]
    assert (known.principal, known.created_by, known.disabled_at) == (deputy, "admin", None)


def test_for_somebody_known_the_roles_may_be_left_out(engine: sa.Engine) -> None:
    made = token_for(engine, Principal("ada", "human"))
    assert authenticate(engine, str(made.token), KEYS) == ADA


MISMATCHES: list[tuple[Principal, type[Exception], str]] = [
    (Principal("ada", "agent"), ConflictError, "kind: ada is known with kind human, not agent"),
    (Principal("ada", "human", roles=("admin",)), ConflictError, "roles: ada is known with roles"),
    (Principal("ada", "human", groups=("x",)), ConflictError, "groups: ada is known with groups"),
    (Principal("agent-1", "agent", acts_for="ada"), ConflictError, "acts_for: agent-1 is known"),
    (Principal("stranger", "human"), InvalidInputError, "role: stranger is not known yet"),
    (
        Principal("orphan", "agent", roles=("proposer",), acts_for="no-one"),
        NotFoundError,
        "nobody is known as 'no-one'",
    ),
    (Principal("Ada", "human", roles=("admin",)), InvalidInputError, 'name: "Ada" is no '),
    (Principal("ad\u0430", "human", roles=("admin",)), InvalidInputError, "name: "),
]


@pytest.mark.parametrize(("wanted", "kind", "said"), MISMATCHES, ids=ascii)
def test_a_token_never_changes_who_somebody_is(
    engine: sa.Engine, wanted: Principal, kind: type[Exception], said: str
) -> None:
    before = told(engine), read_tokens(engine, by=ADMIN), read_principals(engine, by=ADMIN)
    with pytest.raises(kind) as caught:
        token_for(engine, wanted)
    assert str(caught.value).startswith(said)
    assert (told(engine), read_tokens(engine, by=ADMIN), read_principals(engine, by=ADMIN)) == (
        before
    )


@pytest.mark.parametrize(
    "by",
    [
        ADA,
        OPERATOR,
        AGENT,
        Principal("bot", "agent", roles=("admin",)),
        Principal("admin", "human", roles=("admin",), scopes=("propose", "audit")),
    ],
    ids=lambda by: by.name,
)
def test_only_an_admin_lets_in_changes_or_shuts_out(engine: sa.Engine, by: Principal) -> None:
    before = told(engine)
    for call in (
        lambda: create_token(engine, ADA, valid_for=DAY, by=by, keys=KEYS),
        lambda: ensure_principals(engine, [person("new")], by=by, keys=KEYS),
        lambda: change_principal(engine, "ada", roles=["admin"], groups=[], by=by, keys=KEYS),
        lambda: disable_principal(engine, "grace", by=by, keys=KEYS),
    ):
        with pytest.raises(ForbiddenError):
            call()
    assert told(engine) == before


def test_who_is_known_already_is_not_made_known_again(engine: sa.Engine) -> None:
    new = Principal("fresh", "human", roles=("approver", "proposer"))
    usurper = Principal("ada", "agent", roles=("operator",))
    assert ensure_principals(engine, [usurper, new], by=ADMIN, keys=KEYS) == ["fresh"]
    assert ensure_principals(engine, [new], by=ADMIN, keys=KEYS) == []
    known = {one.principal.name: one.principal for one in read_principals(engine, by=ADMIN)}
    assert (known["ada"], known["fresh"]) == (ADA, new)


def test_what_only_an_admin_or_an_auditor_sees(engine: sa.Engine) -> None:
    mine = token_for(engine, GRACE).row
    assert {row.principal for row in read_tokens(engine, by=GRACE)} == {"grace"}
    assert mine in read_tokens(engine, by=GRACE)
    auditor = Principal("audrey", "human", roles=("auditor",))
    assert read_tokens(engine, by=auditor) == read_tokens(engine, by=ADMIN)
    with pytest.raises(ForbiddenError):
        read_principals(engine, by=GRACE)
    assert read_principals(engine, by=auditor) == read_principals(engine, by=ADMIN)


# Who is shut out. -------------------------------------------------------------------------------


def test_whoever_is_shut_out_has_no_token_and_gets_no_other(engine: sa.Engine) -> None:
    leaver = person("leaver")
    made = token_for(engine, leaver)
    row = disable_principal(engine, "leaver", by=ADMIN, keys=KEYS)
    assert row.disabled_at is not None
    assert disable_principal(engine, "leaver", by=ADMIN, keys=KEYS).disabled_at == row.disabled_at
    assert refusal(engine, made.token) == (
        f"this token belongs to somebody who was shut out; {ANOTHER}"
    )
    with pytest.raises(ConflictError) as caught:
        token_for(engine, leaver)
    assert str(caught.value) == "name: leaver was shut out; choose another name"
    assert ensure_principals(engine, [leaver], by=ADMIN, keys=KEYS) == []
    change_principal(engine, "leaver", roles=["admin"], groups=[], by=ADMIN, keys=KEYS)
    assert "shut out" in refusal(engine, made.token)


def test_nobody_shuts_themselves_out_and_nobody_unknown_is(engine: sa.Engine) -> None:
    with pytest.raises(ConflictError, match="you cannot shut yourself out"):
        disable_principal(engine, "admin", by=ADMIN, keys=KEYS)
    with pytest.raises(NotFoundError, match="nobody is known as 'no-one'"):
        disable_principal(engine, "no-one", by=ADMIN, keys=KEYS)
    with pytest.raises(NotFoundError, match="nobody is known as 'no-one'"):
        change_principal(engine, "no-one", roles=["admin"], groups=[], by=ADMIN, keys=KEYS)
