"""Who may do what: every identity by every verb, of the operations and of the facade."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import get_args
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from temporalio.client import Client

from remit.approval.types import Ballot
from remit.control import Control
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.errors import ForbiddenError
from remit.identity.types import Principal
from remit.operations.evidence.records import read_directive
from remit.operations.gate import proposals
from remit.operations.gate.approvals import vote
from remit.operations.identities import directory as people
from remit.operations.identities.principals import MadeToken
from remit.operations.identities.revocation import revoke_token
from remit.operations.runs.cancellation import cancel
from remit.vocabulary import Ability, PrincipalKind, Role
from tests.adversarial.attacking import armed
from tests.support.contents import AUTHORITY, directive
from tests.support.keys import KEYS
from tests.support.people import ADMIN, AGENT, know, shown
from tests.support.workers import control

GIVES: dict[Role, set[Ability]] = {
    "proposer": {"propose"},
    "approver": {"vote"},
    "operator": {"operate"},
    "auditor": {"audit"},
    "admin": {"propose", "vote", "operate", "audit", "administer"},
}
"""What each role gives, said a second time: this table is what the code is held against."""

KINDS: tuple[PrincipalKind, ...] = get_args(PrincipalKind)
ROLES: tuple[tuple[Role, ...], ...] = ((), *((role,) for role in GIVES), tuple(GIVES))
SCOPES: tuple[tuple[Ability, ...] | None, ...] = (None, *((one,) for one in get_args(Ability)))


def name_of(kind: str, roles: tuple[Role, ...]) -> str:
    return f"{kind}-{'-'.join(roles) if len(roles) < 2 else 'everything'}".rstrip("-")


EVERYBODY = {
    name_of(kind, roles): shown(Principal(name_of(kind, roles), kind, roles))
    for kind, roles in product(KINDS, ROLES)
}


def can(by: Principal, *wanted: Ability) -> bool:
    """Return whether the design lets a principal do what needs one of these."""
    has = {ability for role in by.roles for ability in GIVES[role]}
    if by.kind != "human":
        has -= {"vote", "administer"}
    if by.scopes is not None:
        has &= set(by.scopes)
    return bool(has & set(wanted))


@pytest.fixture(scope="module", autouse=True)
def known(engine: sa.Engine) -> None:
    armed(engine)
    know(engine, *EVERYBODY.values())


def stored(engine: sa.Engine, count: int, issued_by: str = "agent-1") -> list[UUID]:
    """Return directives that wait for a person."""
    contents = [directive(type="test", scope="staging", issued_by=issued_by)] * count
    by = replace(AGENT, name=issued_by)
    return [one.directive.id for one in proposals.propose(engine, contents, AUTHORITY, by=by)]


DIGEST = action_digest(intent_of(directive(type="test", scope="staging")))
"""The action of all that :func:`stored` returns for one issuer."""

YES, NO = Ballot("approve", None, DIGEST), Ballot("reject", "not today", DIGEST)


Verbs = dict[str, tuple[Callable[[Principal], object], set[Ability]]]


def about_directives(engine: sa.Engine, ids: Iterator[UUID]) -> Verbs:
    """Return every verb about directives, with the abilities of which it needs one."""

    def propose(by: Principal) -> object:
        content = directive(type="test", issued_by=by.name)
        return proposals.propose(engine, [content], AUTHORITY, by=by)

    return {
        "propose": (propose, {"propose"}),
        "submit": (lambda by: proposals.submit(engine, next(ids), AUTHORITY, by=by), {"operate"}),
        "vote": (lambda by: vote(engine, next(ids), YES, AUTHORITY, by=by), {"vote"}),
        "cancel": (lambda by: cancel(engine, next(ids), by=by, reason=None), {"operate"}),
    }


def about_people(engine: sa.Engine) -> Verbs:
    """Return every verb about principals and tokens, with the abilities of which it needs one."""
    grace = Principal("grace", "human")

    def token(by: Principal) -> MadeToken:
        return people.create_token(engine, grace, valid_for=timedelta(hours=1), by=by, keys=KEYS)

    def introduce(by: Principal) -> object:
        new = Principal(f"new-{uuid4().hex}", "human", ("admin",))
        return people.ensure_principals(engine, [new], by=by, keys=KEYS)

    def shut_out(by: Principal) -> object:
        old = Principal(f"old-{uuid4().hex}", "human", ("approver",))
        know(engine, old)
        return people.disable_principal(engine, old.name, by=by, keys=KEYS)

    def promote(by: Principal) -> object:
        return people.change_principal(
            engine, "ada", roles=["approver"], groups=[], by=by, keys=KEYS
        )

    return {
        "token": (token, {"administer"}),
        "revoke": (
            lambda by: revoke_token(engine, token(ADMIN).row.id, by=by, keys=KEYS),
            {"administer"},
        ),
        "introduce": (introduce, {"administer"}),
        "promote": (promote, {"administer"}),
        "shut out": (shut_out, {"administer"}),
        "look": (lambda by: people.read_principals(engine, by=by), {"administer", "audit"}),
    }


def allowed(call: Callable[[Principal], object], by: Principal) -> bool:
    """Return whether a call was let in; nothing but a refusal may stop it."""
    try:
        call(by)
    except ForbiddenError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_lets_in_exactly_those_whom_the_design_lets_in(
    engine: sa.Engine, kind: PrincipalKind
) -> None:
    callers = [
        replace(by, scopes=scopes)
        for by in EVERYBODY.values()
        if by.kind == kind
        for scopes in SCOPES
    ]
    ids = iter(stored(engine, 3 * len(callers)))
    verbs = about_directives(engine, ids) | about_people(engine)
    for verb, (call, needs) in verbs.items():
        for by in callers:
            assert allowed(call, by) == can(by, *needs), (verb, by)


@pytest.mark.parametrize("kind", KINDS)
def test_an_issuer_steers_their_own_directives_and_never_approves_them(
    engine: sa.Engine, kind: PrincipalKind
) -> None:
    for by in (one for one in EVERYBODY.values() if one.kind == kind):
        steers = can(by, "propose", "operate")
        found = {verb: allowed(call, by) for verb, call in of_their_own(engine, by).items()}
        assert found == {"vote": False, "submit": steers, "cancel": steers}, by


def of_their_own(engine: sa.Engine, by: Principal) -> dict[str, Callable[[Principal], object]]:
    """Return what may be done to a directive that waits, and that `by` issued."""
    [about] = stored(engine, 1, issued_by=by.name)
    digest = action_digest(intent_of(read_directive(engine, about)))
    ballot = replace(YES, action_digest=digest)
    return {
        "vote": lambda by: vote(engine, about, ballot, AUTHORITY, by=by),
        "submit": lambda by: proposals.submit(engine, about, AUTHORITY, by=by),
        "cancel": lambda by: cancel(engine, about, by=by, reason=None),
    }


async def test_the_facade_lets_in_exactly_those_whom_the_design_lets_in(
    engine: sa.Engine, client: Client
) -> None:
    remit: Control = control(client, engine)
    ids = iter(stored(engine, 3 * len(EVERYBODY)))
    for by in EVERYBODY.values():
        calls: dict[str, tuple[Awaitable[object], Ability]] = {
            "propose": (remit.propose([directive(issued_by=by.name)], by=by), "propose"),
            "submit": (remit.submit(next(ids), by=by), "operate"),
            "vote": (remit.vote(next(ids), NO, by=by), "vote"),
            "cancel": (remit.cancel(next(ids), by=by), "operate"),
        }
        for verb, (call, needs) in calls.items():
            try:
                await call
                let_in = True
            except ForbiddenError:
                let_in = False
            assert let_in == can(by, needs), (verb, by)


def test_nobody_proposes_in_another_name(engine: sa.Engine) -> None:
    def propose(by: Principal) -> object:
        return proposals.propose(engine, [directive(issued_by="grace")], AUTHORITY, by=by)

    for by in EVERYBODY.values():
        assert not allowed(propose, by), by
