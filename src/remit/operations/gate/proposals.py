"""Propose and submit: freeze, digest, evaluate and record, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from remit.artifacts.repository import NewArtifact
from remit.audit.repository import NewEvent, append_events
from remit.base.json_types import JsonObject
from remit.db.session import transaction
from remit.directives.lifecycle import is_terminal_status
from remit.directives.models import DirectiveCreate, DirectiveRead, intent_of
from remit.directives.repository import (
    find_by_keys,
    get_directive,
    insert_directives,
    lock_directive,
)
from remit.directives.statements import intent_statement, sign_intent
from remit.errors import ConflictError, ForbiddenError
from remit.execution.module_repository import ANNOUNCED, candidates_from_json
from remit.identity.rules import require, require_own
from remit.identity.types import Principal
from remit.operations.gate.authority import Authority
from remit.operations.gate.decisions import STATUS_AFTER, pass_gate
from remit.operations.gate.disclosure import refuse_secrets
from remit.operations.gate.retries import pass_again
from remit.operations.gate.routing import certified_version
from remit.operations.metrics import count_directives
from remit.policy.types import PolicyDecision
from remit.signing.keys import Keyring


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """What became of one directive at the gate.

    Attributes:
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
    """Store directives, all or none, and pass the proposed ones through the gate, in their order.

    Raises:
        ForbiddenError: this principal may not propose, or not in another's name.
        InvalidInputError: a budget is no amount of money, or an intent holds a secret.
        ConflictError: an idempotency key was used before for other content.
        MisconfiguredError: there is no key to sign with who proposes, and what is granted.
    """
    require(by, "propose")
    for content in contents:
        _check_content(content, by)
    if not contents:
        return []
    new = {uuid4(): content for content in contents}
    asking = {id_: content for id_, content in new.items() if content.status == "proposed"}
    signed = {id_: _signed(id_, content, by, authority.keys) for id_, content in asking.items()}
    with transaction(engine) as connection:
        stored = insert_directives(connection, new, signed=signed, grounds=ANNOUNCED)
        drafts = [
            NewEvent(id_, "directive.drafted", by.name, {"action_digest": None})
            for id_ in stored
            if id_ not in signed
        ]
        append_events(connection, drafts)
        asking = {id_: content for id_, content in asking.items() if id_ in stored}
        decided = _decide(connection, asking, stored, authority)
        earlier = _repeated(connection, {id_: new[id_] for id_ in new if id_ not in stored})
    created = {
        id_: _created(id_, new[id_], now, decided.get(id_)) for id_, (now, _) in stored.items()
    }
    count_directives(each.directive for each in created.values())
    return [created.get(id_) or GateOutcome(earlier[id_], None, None, created=False) for id_ in new]


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
        decided = pass_again(connection, directive, authority, by=by)
        if decided is None:
            return GateOutcome(directive, None, None, created=False)
        after = get_directive(connection, directive_id)
    count_directives([after])
    decision, evaluation = decided
    return GateOutcome(after, decision, evaluation.uri, created=False)


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
    _ = content.amount  # raises when the budget is none


def _signed(
    directive_id: UUID, content: DirectiveCreate, by: Principal, keys: Keyring
) -> JsonObject:
    statement = intent_statement(
        directive_id, content.content_digest, content.issued_by, content.idempotency_key
    )
    return sign_intent(statement, by, keys)


def _decide(
    connection: sa.Connection,
    asking: Mapping[UUID, DirectiveCreate],
    stored: Mapping[UUID, tuple[datetime, JsonObject]],
    authority: Authority,
) -> dict[UUID, tuple[PolicyDecision, NewArtifact]]:
    """Pass new directives through the gate, with what was read when they were stored."""
    if not asking:
        return {}
    opened, modules = {}, {}
    for id_, content in asking.items():
        # Of one statement: the time is the same for all, and so are the names.
        now, grounds = stored[id_]
        found, announced = candidates_from_json(grounds)
        modules[id_] = certified_version(connection, content.type, found, authority)
        data: JsonObject = {"action_digest": content.content_digest}
        opened[id_] = NewEvent(id_, "directive.proposed", content.issued_by, data)
    return pass_gate(
        connection,
        asking,
        authority,
        opened=opened,
        modules=modules,
        announced=announced,
        now=now,
    )


def _repeated(
    connection: sa.Connection, refused: Mapping[UUID, DirectiveCreate]
) -> dict[UUID, DirectiveRead]:
    """Return what was stored before under the same keys; ConflictError: something else was."""
    if not refused:
        return {}
    keys = {id_: (one.issued_by, str(one.idempotency_key)) for id_, one in refused.items()}
    found = find_by_keys(connection, keys.values())
    for id_, content in refused.items():
        if intent_of(found[keys[id_]]) != intent_of(content):
            raise ConflictError(
                f"the key {content.idempotency_key!r} was used before for directive "
                f"{found[keys[id_]].id} with other content; use a new key",
                field="idempotency_key",
            )
    return {id_: found[key] for id_, key in keys.items()}


def _created(
    directive_id: UUID,
    content: DirectiveCreate,
    now: datetime,
    decided: tuple[PolicyDecision, NewArtifact] | None,
) -> GateOutcome:
    decision, evaluation = decided or (None, None)
    status, reason = STATUS_AFTER[decision.verdict] if decision else (content.status, None)
    row = {
        **intent_of(content),
        "id": directive_id,
        "status": status,
        "status_reason": reason,
        "action_digest": content.content_digest if decision else None,
        "idempotency_key": content.idempotency_key,
        "created_at": now,
        "updated_at": now,
    }
    directive = DirectiveRead.from_row(row)
    return GateOutcome(directive, decision, evaluation.uri if evaluation else None, created=True)
