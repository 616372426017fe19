"""Ways to change what a bundle says, for the tests of the checks that must find it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from remit.approval.statements import sign_vote
from remit.artifacts.types import Artifact
from remit.audit.bundle.types import Asked, Bundle
from remit.audit.chain import Event
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.execution.models import output_to_json
from remit.execution.modules.types import ModuleOutput
from tests.unit.audit.bundle_parts import (
    KEYS,
    artifact,
    at,
    directive,
    entry,
    evaluation,
    grant,
    vote,
)
from tests.unit.audit.bundle_speakers import signed_by_all
from tests.unit.audit.bundles import (
    retold,
)

Life = Callable[[], Bundle]
Tampering = Callable[[Bundle], Bundle]
OTHER = UUID(int=99)


def of(**changes: Any) -> Tampering:
    """Return what changes fields of the directive."""
    return lambda one: replace(one, directive=one.directive.model_copy(update=changes))


def with_event(at_index: int, **changes: Any) -> Tampering:
    """Return what changes an event, and the whole chain after it."""

    def change(chain: list[Event]) -> list[Event]:
        chain[at_index] = replace(chain[at_index], **changes)
        return chain

    return lambda one: retold(one, change)


def without_event(kind: str) -> Tampering:
    """Return what takes out the events of one type, with hashes that fit."""
    return lambda one: retold(one, lambda chain: [each for each in chain if each.type != kind])


def telling(kind: str, data: str, before: int | None = None) -> Tampering:
    """Return what adds an event, with hashes that fit."""

    def change(chain: list[Event]) -> list[Event]:
        place = len(chain) if before is None else before
        new = replace(chain[0], type=kind, actor="remit", data=data)
        return [*chain[:place], new, *chain[place:]]

    return lambda one: retold(one, change)


def with_artifact(kind: str, **changes: Any) -> Tampering:
    """Return what changes the content of an artifact, digest included; ... takes a key away."""

    def change(one: Artifact) -> Artifact:
        if one.type != kind:
            return one
        content = {**one.metadata, **changes}
        kept = {name: value for name, value in content.items() if value is not ...}
        new = artifact(one.id.int - 100, one.type, kept, one.run_id)
        return replace(new, created_at=one.created_at)

    return lambda one: renamed(replace(one, artifacts=tuple(map(change, one.artifacts))))


def without_artifact(kind: str) -> Tampering:
    """Return what takes out the artifacts of one type."""

    def tamper(one: Bundle) -> Bundle:
        kept = tuple(artifact for artifact in one.artifacts if artifact.type != kind)
        return renamed(replace(one, artifacts=kept))

    return tamper


def renamed(one: Bundle) -> Bundle:
    """Let the log name each artifact with the digest that it has now, with hashes that fit."""
    digests = {artifact.uri: artifact.digest for artifact in one.artifacts}

    def change(chain: list[Event]) -> list[Event]:
        return [replace(event, data=_renaming(event.data, digests)) for event in chain]

    return retold(one, change)


def _renaming(data: str, digests: dict[str, str]) -> str:
    said = json.loads(data)
    if not isinstance(said, dict) or "evidence" not in said:
        return data
    named: JsonObject = {uri: digests[uri] for uri in said["evidence"] if uri in digests}
    return canonical_json({**said, "evidence": named}).decode()


def with_request(**changes: Any) -> Tampering:
    """Return what changes the request; its votes stay as they are."""

    def tamper(one: Bundle) -> Bundle:
        [asked] = one.requests
        return replace(one, requests=(replace(asked, request=replace(asked.request, **changes)),))

    return tamper


def with_vote(**changes: Any) -> Tampering:
    """Return what changes the first vote."""

    def tamper(one: Bundle) -> Bundle:
        [asked] = one.requests
        first, *others = asked.votes
        return replace(one, requests=(replace(asked, votes=(replace(first, **changes), *others)),))

    return tamper


def with_grant(**changes: Any) -> Tampering:
    """Return what changes the grant and signs it again, as only a thief of the key can."""

    def tamper(one: Bundle) -> Bundle:
        [issued] = one.grants
        stated = {name: getattr(issued, name) for name in issued.__slots__}
        return replace(one, grants=(grant(one.directive, **(stated | changes)),))

    return tamper


def unsigned(**changes: Any) -> Tampering:
    """Return what changes the row of the grant, whose signature stays."""
    return lambda one: replace(one, grants=(replace(one.grants[0], **changes),))


def with_run(**changes: Any) -> Tampering:
    """Return what changes the run."""
    return lambda one: replace(one, runs=(one.runs[0].model_copy(update=changes),))


def with_budget(*entries: Any) -> Tampering:
    """Return what puts other entries in the ledger."""
    return lambda one: replace(one, budget=entries)


def both(*tamperings: Tampering) -> Tampering:
    """Return what does several things."""

    def tamper(one: Bundle) -> Bundle:
        for each in tamperings:
            one = each(one)
        return one

    return tamper


def issuer_votes(one: Bundle) -> Bundle:
    """Let the issuer vote, signed and in the log."""
    asked = one.requests[0].request
    own = replace(vote(asked, "agent-1", 2), envelope=None)
    cast = (sign_vote(own, asked, KEYS),)
    told = with_event(3, actor="agent-1")
    return told(replace(one, requests=(Asked(asked, cast),)))


def of_changed_content(one: Bundle, *, seen: bool) -> Bundle:
    """Add a decision about content that was changed after it was frozen; the gate saw it or not."""
    changed = directive("blocked", "policy", type="rm", objective="Other.")
    first = evaluation(changed)
    results = [
        *first.metadata["results"],  # type: ignore[misc]
        {"policy": "frozen_content", "verdict": "block", "reason": "it was changed"},
    ]
    new = evaluation(changed, **({"results": results} if seen else {}))
    frozen_as = one.directive.action_digest
    kept = changed.model_copy(update={"action_digest": frozen_as})
    return renamed(replace(one, directive=kept, artifacts=(new,)))


CANCELED = both(
    of(status="aborted", status_reason="canceled"),
    with_run(status="canceled", result=None),
    without_artifact("execution_checkpoint"),
    without_artifact("execution_end"),
    without_artifact("module_output"),
    with_event(-2, data='{"outcome": "canceled"}'),
    with_event(-1, type="directive.aborted", data='{"reason": "canceled"}'),
    signed_by_all,
)
"""What makes a canceled directive of one that is complete."""

RUNNING = both(
    CANCELED,
    of(status="executing", status_reason=None),
    with_run(status="running", ended_at=None),
    without_event("directive.aborted"),
    without_event("run.ended"),
    with_budget(entry("reserve", 5)),
)
VOID = both(
    unsigned(voided_at=at(8), void_reason="canceled"),
    telling("grant.voided", '{"reason": "canceled"}'),
)


def paid(output: ModuleOutput, *closing: Any) -> Tampering:
    """Return what gives the run another result, and closes its promise so."""
    stored = output_to_json(output)
    return both(
        with_run(result=stored),
        with_artifact("execution_checkpoint", output=stored),
        with_budget(entry("reserve", 5), *closing),
        signed_by_all,
    )
