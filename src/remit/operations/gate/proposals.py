"""Propose: freeze, digest, evaluate and record, in one transaction.

The decision itself is `remit.policy.engine.decide`, a pure function. What follows from it is
written here: blocked with every reason, approved with a grant, or waiting on an approval request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.audit.repository import Entry, record
from remit.base.money import parse_budget
from remit.db.session import transaction
from remit.directives.digest import action_digest
from remit.directives.lifecycle import is_terminal_status
from remit.directives.models import DirectiveCreate, DirectiveRead, intent_of
from remit.directives.repository import (
    NewDirective,
    Stored,
    find_by_keys,
    get_directive,
    insert_directives,
    lock_directive,
)
from remit.directives.statements import Issued, sign_intent
from remit.errors import ConflictError, ForbiddenError
from remit.execution.catalog import ANNOUNCED, candidates_from_json
from remit.identity.rules import require, require_own
from remit.identity.types import Principal
from remit.operations.gate.authority import Authority
from remit.operations.gate.decisions import Case, decide_case, record_cases
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.gate.grants import Footing
from remit.operations.gate.retries import pass_again
from remit.operations.gate.routing import choose
from remit.operations.gate.spending import lock_spending
from remit.operations.gate.telling import tell_arrivals
from remit.policy.config import PolicyConfig
from remit.policy.types import PolicyDecision
from remit.signing.keys import Keyring
from remit.vocabulary import EventType


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What became of one directive at the gate.

    Attributes:
        directive: the directive as it stands after the gate.
        decision: the gate's answer; None for a draft, and for a directive that had passed before.
        artifact_uri: the stored evaluation; None when `decision` is.
        created: whether this call stored the directive; False when its idempotency key had been
            used for the same content before, or when it passed the gate again.
    """

    directive: DirectiveRead
    decision: PolicyDecision | None
    artifact_uri: str | None
    created: bool


def propose(
    engine: sa.Engine,
    contents: Sequence[DirectiveCreate],
    authority: Authority,
    *,
    by: Principal,
) -> list[GateOutcome]:
    """Store directives and pass those that are proposed through the gate; all of them or none.

    Args:
        engine: the database.
        contents: what the callers sent, checked.
        authority: the policy in force, and the keys that sign grants.
        by: who proposes; whoever issues a directive proposes it.

    Returns:
        One outcome for each of `contents`, in their order.

    Raises:
        ForbiddenError: this principal may not propose, or not in another's name.
        InvalidInputError: a budget is no amount of money, or an intent holds a secret.
        ConflictError: an idempotency key was used before for other content.
        MisconfiguredError: there is no key to sign with who proposes, and what is granted.
        UnavailableError: the database does not answer; nothing was stored.
    """
    require(by, "propose")
    for content in contents:
        _check_content(content, by)
    if not contents:
        return []
    new = [_new_directive(content, by, authority.keys) for content in contents]
    with transaction(engine) as connection:
        stored = insert_directives(connection, new, grounds=ANNOUNCED)
        cases = _record(connection, [one for one in new if one.id in stored], stored, authority)
        earlier = _repeated(connection, [one for one in new if one.id not in stored])
    arrived = [one for one in new if one.id in stored]
    created = {one.id: _created(one, stored[one.id], cases.get(one.id)) for one in arrived}
    tell_arrivals(each.directive for each in created.values())
    return [created.get(one.id) or _earlier(earlier[one.id]) for one in new]


def submit(
    engine: sa.Engine, directive_id: UUID, authority: Authority, *, by: Principal
) -> GateOutcome:
    """Pass one stored directive through the gate: a draft, a blocked one again, or a stuck one.

    A directive that already waits for people, or has gone further, is returned as it is: asking
    twice changes nothing. One that waits under another policy than the one in force is asked about
    again, as no vote on it counts any more.

    Raises:
        ForbiddenError: this principal neither issued it nor operates.
        NotFoundError: there is no such directive.
        ConflictError: it is complete or aborted, which is final.
    """
    with transaction(engine) as connection:
        directive = lock_directive(connection, directive_id)
        require_own(by, directive.issued_by)
        if is_terminal_status(directive.status):
            raise ConflictError(
                f"directive {directive_id} is {directive.status}, which is final; "
                "propose a new one instead"
            )
        case = pass_again(connection, directive, authority, by=by)
        if case is None:
            return GateOutcome(directive, None, None, created=False)
        after = get_directive(connection, directive_id)
    tell_arrivals([after])
    return GateOutcome(after, case.decision, case.evaluation.uri, created=False)


def _check_content(content: DirectiveCreate, by: Principal) -> None:
    if content.issued_by != by.name:
        raise ForbiddenError(
            f"you are {by.name}, and a directive is issued by whoever proposes it; "
            "leave this out, or use that principal's token",
            field="issued_by",
        )
    refuse_secrets({**intent_of(content)})
    # By its form alone: many random letters are an ordinary key of this kind.
    refuse_secrets(content.idempotency_key, field="idempotency_key")
    if content.budget is not None:
        parse_budget(content.budget)


def _new_directive(content: DirectiveCreate, by: Principal, keys: Keyring) -> NewDirective:
    directive_id = uuid4()
    if content.status == "draft":
        return NewDirective(directive_id, content, None, None)
    digest = action_digest(intent_of(content))
    issued = Issued(directive_id, digest, content.issued_by, content.idempotency_key)
    return NewDirective(directive_id, content, digest, sign_intent(issued, by, keys))


def _opening(one: NewDirective, event: EventType) -> Entry:
    content = one.content
    return Entry(one.id, event, content.issued_by, {"action_digest": one.action_digest})


def _record(
    connection: sa.Connection,
    new: Sequence[NewDirective],
    stored: Mapping[UUID, Stored],
    authority: Authority,
) -> dict[UUID, Case]:
    """Record drafts as drafted, decide about the others, and return what was decided."""
    drafts = [one for one in new if one.action_digest is None]
    if drafts:
        record(connection, [_opening(one, "directive.drafted") for one in drafts])
    asking = [one for one in new if one.action_digest]
    footings = {one.id: _footing(connection, one, stored[one.id], authority) for one in asking}
    cases = _decide(connection, asking, footings, authority.policy)
    record_cases(connection, list(cases.values()), authority, footings)
    return cases


def _footing(
    connection: sa.Connection, one: NewDirective, stored: Stored, authority: Authority
) -> Footing:
    found = candidates_from_json(stored.grounds or {})
    return Footing(stored.created_at, choose(connection, one.content.type, found, authority))


def _decide(
    connection: sa.Connection,
    new: Sequence[NewDirective],
    footings: Mapping[UUID, Footing],
    policy: PolicyConfig,
) -> dict[UUID, Case]:
    """Decide about directives, one after another: each may leave less for the next to spend."""
    spending = lock_spending(connection, policy, [intent_of(one.content) for one in new])
    return {
        one.id: decide_case(
            one.content,
            _opening(one, "directive.proposed"),
            policy,
            spending=spending,
            announced=footings[one.id].module.names,
        )
        for one in new
    }


def _repeated(
    connection: sa.Connection, refused: Sequence[NewDirective]
) -> dict[UUID, DirectiveRead]:
    """Return what was stored before under the same keys.

    Raises:
        ConflictError: under the same key something else was stored.
    """
    if not refused:
        return {}
    keys = {one.id: (one.content.issued_by, str(one.content.idempotency_key)) for one in refused}
    stored = find_by_keys(connection, keys.values())
    for one in refused:
        if intent_of(stored[keys[one.id]]) != intent_of(one.content):
            raise ConflictError(
                f"the key {one.content.idempotency_key!r} was used before for directive "
                f"{stored[keys[one.id]].id} with other content; use a new key",
                field="idempotency_key",
            )
    return {one.id: stored[keys[one.id]] for one in refused}


def _earlier(directive: DirectiveRead) -> GateOutcome:
    """Describe a directive that an earlier call stored."""
    return GateOutcome(directive, None, None, created=False)


def _created(one: NewDirective, as_stored: Stored, case: Case | None) -> GateOutcome:
    """Describe a directive that this call stored, without reading it back."""
    status = case.status if case else one.content.status
    row = {
        **intent_of(one.content),
        "id": one.id,
        "status": status,
        "status_reason": "policy" if status == "blocked" else None,
        "action_digest": one.action_digest,
        "idempotency_key": one.content.idempotency_key,
        "created_at": as_stored.created_at,
        "updated_at": as_stored.created_at,
    }
    directive = DirectiveRead.from_row(row)
    if case is None:
        return GateOutcome(directive, None, None, created=True)
    return GateOutcome(directive, case.decision, case.evaluation.uri, created=True)
