"""How an insider edits what a bundle holds: whoever writes to the database, and has it exported.

Such an insider can change every row, and compute digests and hashes again so that they fit. The
bundle is then signed by the installation's key, which knows no better. What the insider cannot do
is sign for a voter, a worker, or the installation what these never said.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle.types import Bundle
from remit.audit.chain import Event
from remit.audit.run_ends import Attempt
from remit.base.canonical import canonical_json, sha256_digest
from tests.unit.audit.chains import linked

Edit = Callable[[Bundle], Bundle]
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def fitted(evidence: Bundle) -> Bundle:
    """Return edited evidence whose digests, sizes and hashes fit again."""
    made = tuple(map(_digested, evidence.artifacts))
    digests = {one.uri: one.digest for one in made}
    chain = [replace(event, data=_named(event.data, digests)) for event in evidence.events]
    return replace(evidence, artifacts=made, events=tuple(linked(chain)))


def _digested(artifact: Artifact) -> Artifact:
    content = canonical_json(artifact.metadata)
    return replace(artifact, digest=sha256_digest(content), size_bytes=len(content))


def _named(data: str, digests: dict[str, str]) -> str:
    said = json.loads(data)
    if "evidence" not in said:
        return data
    named = {uri: digests.get(uri, old) for uri, old in said["evidence"].items()}
    return canonical_json({**said, "evidence": named}).decode()


def then(*edits: Edit) -> Edit:
    """Return what makes several edits, one after the other."""

    def edit(one: Bundle) -> Bundle:
        for each in edits:
            one = each(one)
        return one

    return edit


def of(**changes: Any) -> Edit:
    """Return what changes fields of the directive."""
    return lambda one: replace(one, directive=one.directive.model_copy(update=changes))


def run(**changes: Any) -> Edit:
    """Return what changes fields of the last run."""
    return lambda one: replace(one, runs=(*one.runs[:-1], one.runs[-1].model_copy(update=changes)))


def attempt(**changes: Any) -> Edit:
    """Return what changes the last attempt."""

    def edit(one: Bundle) -> Bundle:
        last: Attempt = replace(one.attempts[-1], **changes)
        return replace(one, attempts=(*one.attempts[:-1], last))

    return edit


def grant(**changes: Any) -> Edit:
    """Return what changes the last grant."""

    def edit(one: Bundle) -> Bundle:
        last: Grant = replace(one.grants[-1], **changes)
        return replace(one, grants=(*one.grants[:-1], last))

    return edit


def request(place: int = -1, **changes: Any) -> Edit:
    """Return what changes a request, the last one if it is not said which."""

    def edit(one: Bundle) -> Bundle:
        asked = list(one.requests)
        new: ApprovalRequest = replace(asked[place].request, **changes)
        asked[place] = replace(asked[place], request=new)
        return replace(one, requests=tuple(asked))

    return edit


def votes(change: Callable[[list[Vote]], Iterable[Vote]], place: int = -1) -> Edit:
    """Return what changes the votes on a request, the last one if it is not said which."""

    def edit(one: Bundle) -> Bundle:
        asked = list(one.requests)
        asked[place] = replace(asked[place], votes=tuple(change([*asked[place].votes])))
        return replace(one, requests=tuple(asked))

    return edit


def first_vote(**changes: Any) -> Edit:
    """Return what changes the first vote on the last request."""
    return votes(lambda cast: [replace(cast[0], **changes), *cast[1:]])


def log(change: Callable[[list[Event]], Iterable[Event]]) -> Edit:
    """Return what changes the log."""
    return lambda one: replace(one, events=tuple(change([*one.events])))


def event(kind: str, data: dict[str, Any] | None = None, **changes: Any) -> Edit:
    """Return what changes the last event of a type: its particulars, and other fields."""

    def change(chain: list[Event]) -> list[Event]:
        place = max(at for at, one in enumerate(chain) if one.type == kind)
        said = {**json.loads(chain[place].data), **(data or {})}
        kept = {name: value for name, value in said.items() if value is not ...}
        chain[place] = replace(chain[place], data=canonical_json(kept).decode(), **changes)
        return chain

    return log(change)


def without(*kinds: str) -> Edit:
    """Return what takes the last event of each type out of the log."""

    def change(chain: list[Event]) -> list[Event]:
        for kind in kinds:
            del chain[max(at for at, one in enumerate(chain) if one.type == kind)]
        return chain

    return log(change)


def telling(
    kind: str, data: dict[str, Any], *, before: str | None = None, actor: str = "remit"
) -> Edit:
    """Return what adds an event to the log: before the last one of a type, or at the end."""

    def change(chain: list[Event]) -> list[Event]:
        types = [one.type for one in chain]
        place = len(chain) if before is None else len(types) - 1 - types[::-1].index(before)
        text = canonical_json(data).decode()
        new = replace(chain[max(place - 1, 0)], type=kind, actor=actor, data=text)
        return [*chain[:place], new, *chain[place:]]

    return log(change)


def swapped(first: str, second: str) -> Edit:
    """Return what lets two events change places, and keep their times in order."""

    def change(chain: list[Event]) -> list[Event]:
        one, other = (
            max(at for at, each in enumerate(chain) if each.type == kind)
            for kind in (first, second)
        )
        times = chain[one].occurred_at, chain[other].occurred_at
        chain[one], chain[other] = (
            replace(chain[other], occurred_at=times[0]),
            replace(chain[one], occurred_at=times[1]),
        )
        return chain

    return log(change)


def artifact(kind: str, **changes: Any) -> Edit:
    """Return what changes the metadata of the last artifact of a type."""

    def edit(one: Bundle) -> Bundle:
        made = list(one.artifacts)
        place = max(at for at, each in enumerate(made) if each.type == kind)
        made[place] = replace(made[place], metadata={**made[place].metadata, **changes})
        return replace(one, artifacts=tuple(made))

    return edit


def without_artifact(kind: str) -> Edit:
    """Return what takes the last artifact of a type away, and its name out of the log."""

    def edit(one: Bundle) -> Bundle:
        gone = [each for each in one.artifacts if each.type == kind][-1]
        kept = tuple(each for each in one.artifacts if each.id != gone.id)
        chain = tuple(replace(each, data=_unnamed(each.data, gone.uri)) for each in one.events)
        return replace(one, artifacts=kept, events=chain)

    return edit


def _unnamed(data: str, uri: str) -> str:
    said = json.loads(data)
    if uri not in said.get("evidence", {}):
        return data
    named = {name: digest for name, digest in said["evidence"].items() if name != uri}
    return canonical_json({**said, "evidence": named}).decode()


def dated(**shifts: timedelta) -> Callable[[Any], Any]:
    """Return what shifts fields of a row by so much."""
    return lambda row: replace(
        row, **{name: getattr(row, name) + by for name, by in shifts.items()}
    )
