"""The first admin, what is told of identity in the installation's own chain, and what is kept."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remit.audit.chain import INSTALLATION, Event, first_broken
from remit.audit.identity_events import verify_identity_event
from remit.audit.repository import event_data, list_events
from remit.base.json_types import JsonObject
from remit.db.schema import metadata
from remit.errors import ConflictError, InvalidInputError, RemitError
from remit.identity.names import check_name
from remit.identity.types import Principal
from remit.operations.evidence.auditing import verify_log
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    change_principal,
    create_token,
    disable_principal,
    make_first_admin,
    read_principals,
    recover_admin,
)
from remit.operations.identities.principals import MadeToken
from remit.operations.identities.revocation import revoke_token
from tests.support.contents import forging, write
from tests.support.keys import KEYS
from tests.support.people import ADA, ADMIN, AGENT, GRACE, agent, know, person
from tests.support.races import at_once, refused

DAY = timedelta(days=1)


def told(engine: sa.Engine) -> list[Event]:
    """Return the installation's own chain, which must be sound."""
    with engine.connect() as connection:
        events = list_events(connection, INSTALLATION)
    assert first_broken(events) is None
    return events


@pytest.fixture
def nobody_known(empty_engine: sa.Engine) -> sa.Engine:
    """Return an engine on a database in which nobody is known yet."""
    write(empty_engine, "DELETE FROM api_tokens")
    write(empty_engine, "DELETE FROM principals")
    write(empty_engine, "DELETE FROM events")
    return empty_engine


def test_the_first_admin_is_a_person_with_every_right(nobody_known: sa.Engine) -> None:
    made = make_first_admin(nobody_known, "ada", valid_for=DAY, keys=KEYS)
    assert made is not None
    found = authenticate(nobody_known, str(made.token), KEYS)
    assert found == Principal("ada", "human", roles=("admin",))
    assert [(event.type, event.actor) for event in told(nobody_known)] == [
        ("principal.created", "remit"),
        ("token.created", "remit"),
    ]
    # From here on somebody can be asked.
    assert (
        create_token(nobody_known, GRACE, valid_for=DAY, by=found, keys=KEYS).row.created_by
        == "ada"
    )


def test_a_first_admin_whose_token_cannot_be_kept_is_not_made(nobody_known: sa.Engine) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        make_first_admin(nobody_known, "ada", valid_for=DAY, keys=KEYS, keep=full)
    assert told(nobody_known) == []
    assert make_first_admin(nobody_known, "ada", valid_for=DAY, keys=KEYS) is not None


def test_there_is_one_first_admin_even_if_eight_start_at_once(nobody_known: sa.Engine) -> None:
    made = at_once(
        lambda number: make_first_admin(nobody_known, f"admin-{number}", valid_for=DAY, keys=KEYS)
    )
    [one] = [each for each in made if each is not None]
    [known] = read_principals(nobody_known, by=ADMIN)
    assert known.principal.name == one.row.principal
    assert len(told(nobody_known)) == 2


def test_where_somebody_is_known_nobody_becomes_the_first_admin(engine: sa.Engine) -> None:
    before = told(engine)
    assert make_first_admin(engine, "mallory", valid_for=DAY, keys=KEYS) is None
    assert make_first_admin(engine, "ada", valid_for=DAY, keys=KEYS) is None
    with pytest.raises(InvalidInputError):
        make_first_admin(engine, "Mallory", valid_for=DAY, keys=KEYS)
    assert told(engine) == before


def test_the_chain_tells_who_let_in_whom_with_which_rights(empty_engine: sa.Engine) -> None:
    engine, before = empty_engine, len(told(empty_engine))
    newcomer = Principal("newcomer", "human", roles=("proposer", "approver"), groups=("b", "a"))
    made = create_token(engine, newcomer, valid_for=DAY, by=ADMIN, keys=KEYS)
    change_principal(engine, "newcomer", roles=["approver"], groups=[], by=ADMIN, keys=KEYS)
    revoke_token(engine, made.row.id, by=newcomer, keys=KEYS)
    disable_principal(engine, "newcomer", by=ADMIN, keys=KEYS)
    who, whose = {"name": "newcomer"}, {"token": str(made.row.id), "principal": "newcomer"}
    assert said(told(engine)[before:]) == [
        (
            "principal.created",
            "admin",
            {
                **who,
                "kind": "human",
                "roles": ["approver", "proposer"],
                "groups": ["a", "b"],
                "acts_for": None,
                "revision": 1,
            },
        ),
        (
            "token.created",
            "admin",
            {
                **whose,
                "scopes": [],
                "expires_at": made.row.expires_at.isoformat(),
            },
        ),
        ("principal.changed", "admin", {**who, "roles": ["approver"], "groups": [], "revision": 2}),
        ("token.revoked", "newcomer", {**whose, "since": None}),
        ("principal.disabled", "admin", {**who, "revision": 3}),
    ]


def said(events: Sequence[Event]) -> list[tuple[str, str, JsonObject]]:
    """Return what signed events tell, without their signatures and the tokens shown for them."""
    for one in events:
        verify_identity_event(one, KEYS)
    found = [(one.type, one.actor, event_data(one)) for one in events]
    left_out = {"envelope", "with"}
    return [
        (kind, by, {name: value for name, value in data.items() if name not in left_out})
        for kind, by, data in found
    ]


def test_what_is_refused_is_not_told(engine: sa.Engine) -> None:
    before = told(engine)
    for call in (
        lambda: create_token(engine, Principal("ada", "agent"), valid_for=DAY, by=ADMIN, keys=KEYS),
        lambda: change_principal(engine, "ada", roles=[], groups=[], by=AGENT, keys=KEYS),
        lambda: revoke_token(engine, uuid4(), by=ADMIN, keys=KEYS),
        lambda: disable_principal(engine, "admin", by=ADMIN, keys=KEYS),
    ):
        with pytest.raises(RemitError):
            call()
    assert told(engine) == before


def test_many_who_administer_at_once_keep_the_chain_whole(empty_engine: sa.Engine) -> None:
    before = len(told(empty_engine))
    made = at_once(lambda _: create_token(empty_engine, ADA, valid_for=DAY, by=ADMIN, keys=KEYS))
    assert len({one.row.id for one in made}) == 8
    assert [one.type for one in told(empty_engine)[before:]] == ["token.created"] * 8


def test_whom_eight_make_known_at_once_is_one_principal_and_told_once(
    empty_engine: sa.Engine,
) -> None:
    before = len(told(empty_engine))
    wanted = [person("twin"), agent("twin")]

    def make(number: int) -> MadeToken:
        return create_token(empty_engine, wanted[number % 2], valid_for=DAY, by=ADMIN, keys=KEYS)

    made = at_once(refused(make))
    # Whoever asked for the other kind was refused, as they would have been a moment later.
    assert sum(isinstance(one, ConflictError) for one in made) == 4
    created, *tokens = told(empty_engine)[before:]
    assert (created.type, [one.type for one in tokens]) == (
        "principal.created",
        ["token.created"] * 4,
    )
    rows = read_principals(empty_engine, by=ADMIN)
    kinds = {row.principal.name: row.principal.kind for row in rows}
    assert event_data(created)["kind"] == kinds["twin"]


def test_a_forged_row_of_the_chain_is_found(empty_engine: sa.Engine) -> None:
    know(empty_engine, person("mallory"))
    write(
        empty_engine,
        "UPDATE events SET data = jsonb_set(data, '{roles}', '[\"admin\"]')"
        " WHERE directive_id = :id AND data ->> 'name' = 'mallory'",
        id=INSTALLATION,
    )
    [finding] = verify_log(empty_engine, by=ADMIN, keys=KEYS).findings
    assert (finding.directive_id, finding.fault) == (INSTALLATION, "edited")


def dump(engine: sa.Engine) -> Iterator[str]:
    """Yield every row of every table as text, as a thief of a backup would have it."""
    with forging(engine).connect() as connection:
        for table in metadata.tables:
            yield from connection.execute(sa.text(f"SELECT t::text FROM {table} AS t")).scalars()  # noqa: S608 - Remit's own tables


def test_a_dump_of_the_database_holds_no_token(empty_engine: sa.Engine) -> None:
    made = [create_token(empty_engine, ADA, valid_for=DAY, by=ADMIN, keys=KEYS) for _ in range(3)]
    revoke_token(empty_engine, made[0].row.id, by=ADMIN, keys=KEYS)
    stolen = "\n".join(dump(empty_engine))
    for one in made:
        assert one.token.hash in stolen
        assert str(one.row.id) in stolen
        assert one.token.secret not in stolen
        assert str(one.token) not in stolen


NAMES = ["ada2", "7", "ada@example.org", "Ada", "-ada", "ad\u0430", "ada\n", "", "a" * 101]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_database_takes_the_same_names_as_remit(engine: sa.Engine, name: str) -> None:
    try:
        check_name(name, field="name")
        good = True
    except InvalidInputError:
        good = False
    statement = sa.text(
        "INSERT INTO principals (name, kind, roles, groups, created_by)"
        " VALUES (:name, 'human', '[]', '[]', 'nobody')"
    )
    with engine.connect() as connection:
        outcome = contextlib.nullcontext() if good else pytest.raises(sa.exc.IntegrityError)
        with outcome:
            connection.execute(statement, {"name": name})
        connection.rollback()


def test_whoever_owns_the_installation_lets_an_admin_in_again(empty_engine: sa.Engine) -> None:
    made = recover_admin(empty_engine, "admin", valid_for=DAY, keys=KEYS)
    assert authenticate(empty_engine, str(made.token), KEYS).name == "admin"
    newcomer = recover_admin(empty_engine, "new-admin", valid_for=DAY, keys=KEYS)
    assert authenticate(empty_engine, str(newcomer.token), KEYS).roles == ("admin",)
    with pytest.raises(ConflictError, match="grace is known with roles"):
        recover_admin(empty_engine, "grace", valid_for=DAY, keys=KEYS)
    with pytest.raises(InvalidInputError):
        recover_admin(empty_engine, "Remit", valid_for=DAY, keys=KEYS)


def test_nobody_stops_being_an_admin_by_mistake(empty_engine: sa.Engine) -> None:
    with pytest.raises(ConflictError, match="you cannot stop being an admin"):
        change_principal(empty_engine, "admin", roles=["auditor"], groups=[], by=ADMIN, keys=KEYS)


def test_what_somebody_else_wrote_is_never_signed_anew(empty_engine: sa.Engine) -> None:
    write(empty_engine, "UPDATE principals SET kind = 'service' WHERE name = 'grace'")
    with pytest.raises(ConflictError, match="grace does not verify"):
        change_principal(empty_engine, "grace", roles=["auditor"], groups=[], by=ADMIN, keys=KEYS)
    grace = Principal("grace", "service")
    with pytest.raises(ConflictError, match="grace does not verify"):
        create_token(empty_engine, grace, valid_for=DAY, by=ADMIN, keys=KEYS)
