"""What rows and events say, held against what was signed of it and against their own digests.

`remit.operations.evidence.auditing` calls this, inside one snapshot.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from remit.approval.statements import POLICY, verify_grant, verify_policy, verify_vote
from remit.artifacts.statements import FILING, verify_filing
from remit.artifacts.types import Artifact, artifact_uri
from remit.audit import scan_repository as scan
from remit.audit.chain import INSTALLATION, Event
from remit.audit.identity_rows import compare_identity
from remit.audit.repository import event_data, stream_own_events
from remit.audit.run_ends import judge_run, worker_keys
from remit.audit.verification import Finding
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.base.progress import Progress
from remit.base.wording import quoted
from remit.directives.digest import action_digest
from remit.directives.statements import intent_statement, verify_intent
from remit.errors import InvalidInputError, RemitError, UnverifiableError
from remit.identity.invitation_repository import list_invitations
from remit.identity.repository import list_principals
from remit.identity.token_repository import list_kept_tokens
from remit.memory.repository import stream_memories
from remit.memory.statements import MEMORY, verify_memory
from remit.signing.keys import Keyring
from remit.signing.statements import claimed, is_earlier, verify_statement

MOST = 1000
"""Most findings of one look at the log; who forges more is found all the same."""

_KEPT_WORKERS = 256
_ROWS_BETWEEN_REPORTS = 1000
_Row = TypeVar("_Row")


class Meter:
    """Counts the rows that pass, and reports them."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def over(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Yield the rows as they are."""
        for row in rows:
            if self._done % _ROWS_BETWEEN_REPORTS == 0:
                self._progress(self._done, self._total)
            self._done += 1
            yield row
        self._progress(self._done, self._total)


def judge_rows(connection: sa.Connection, meter: Meter, keys: Keyring) -> Iterator[Finding]:
    """Yield every row that is not what was signed, or not what its digest says."""
    for intent in meter.over(scan.stream_intents(connection)):
        yield from _intent(intent, keys)
    for artifact, envelope in meter.over(scan.stream_artifacts(connection)):
        yield from _artifact(artifact, envelope, keys)
    for grant in meter.over(scan.stream_grants(connection)):
        what = f"grant {grant.id}"
        yield from _signed(grant.directive_id, what, partial(verify_grant, grant, keys))
    for vote, request in meter.over(scan.stream_votes(connection)):
        what = f"a vote of {quoted(vote.voter)}"
        yield from _signed(request.directive_id, what, partial(verify_vote, vote, request, keys))
    for memory in meter.over(stream_memories(connection)):
        what, about = f"memory {memory.id}", memory.directive_id or INSTALLATION
        yield from _signed(about, what, partial(verify_memory, memory, keys))
    yield from _executed(connection, meter, keys)
    for policy in scan.stream_policies(connection):
        what = f"that somebody confirmed policy {quoted(policy.digest)}"
        yield from _signed(INSTALLATION, what, partial(verify_policy, policy, keys))


def _executed(connection: sa.Connection, meter: Meter, keys: Keyring) -> Iterator[Finding]:
    for worker in meter.over(scan.stream_workers(connection)):
        what = f"the certificate of worker {worker.id}"
        yield from _signed(INSTALLATION, what, partial(worker_keys, worker, keys))
    find = lru_cache(_KEPT_WORKERS)(partial(scan.find_worker, connection))
    for run, attempts in meter.over(scan.stream_runs(connection)):
        if not is_earlier(run.granted_at, keys):
            for problem in judge_run(run, attempts, find, keys):
                yield Finding(run.directive_id, None, "unverifiable", f"run {run.id}: {problem}")


def judge_identity(connection: sa.Connection, keys: Keyring) -> Iterator[Finding]:
    """Yield what is wrong with people, tokens and invitations, and with what is told of them."""
    return compare_identity(
        stream_own_events(connection),
        keys,
        principals=list_principals(connection),
        tokens=list_kept_tokens(connection),
        invitations=list_invitations(connection),
    )


def _intent(intent: scan.AuditedIntent, keys: Keyring) -> Iterator[Finding]:
    digest = intent.action_digest
    if intent.status == "draft" or digest is None:
        if digest is not None or intent.envelope is not None:
            words = "it is a draft, and has what only a proposal has"
            yield Finding(intent.id, None, "told_otherwise", words)
        return
    try:
        is_whole = digest == action_digest(intent.content)
    except InvalidInputError:
        is_whole = False
    if not is_whole:
        words = "its content does not give its action digest"
        yield Finding(intent.id, None, "content_changed", words)
    if intent.envelope is None and is_earlier(intent.created_at, keys):
        return
    issued_by = str(intent.content["issued_by"])
    issued = intent_statement(intent.id, digest, issued_by, intent.idempotency_key)
    yield from _signed(
        intent.id, "who issued it", partial(verify_intent, issued, intent.envelope, keys)
    )


def _artifact(artifact: Artifact, envelope: Any, keys: Keyring) -> Iterator[Finding]:  # noqa: ANN401 - what a forged column holds is unknown
    try:
        content = canonical_json(artifact.metadata)
        found = (artifact_uri(artifact.id), sha256_digest(content), len(content))
        is_whole = found == (artifact.uri, artifact.digest, artifact.size_bytes)
    except InvalidInputError:
        is_whole = False
    if not is_whole:
        words = f"artifact {artifact.id} was changed: its content does not give its digest"
        yield Finding(artifact.directive_id, None, "artifact_changed", words)
    elif artifact.type == "attachment":
        what, about = f"the attachment {artifact.id}", artifact.directive_id or INSTALLATION
        yield from _signed(about, what, partial(verify_filing, artifact, envelope, keys))


def _signed(about: UUID, what: str, verify: Callable[[], object]) -> Iterator[Finding]:
    try:
        verify()
    except RemitError as error:
        yield Finding(about, None, "unverifiable", f"{what} does not verify: {error.message}")


@dataclass
class SignedEvents:
    """Verifies the events of filings, memories and policies, while somebody else reads the log.

    Each carries the statement of whoever did it. So nobody without the key can tell of what never
    happened, in the installation's own log in particular, where no directive's row bears it out.
    People and tokens are judged by :func:`judge_identity`.

    Attributes:
        findings: what does not verify, in the order of the log.
    """

    keys: Keyring
    findings: list[Finding] = field(default_factory=list)

    def through(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events as they are."""
        for event in events:
            verify = _VERIFY.get(event.type)
            is_judged = verify is not None and len(self.findings) < MOST
            if verify and is_judged and not is_earlier(event.occurred_at, self.keys):
                try:
                    verify(event, event_data(event), self.keys)
                except UnverifiableError as error:
                    words = f"its event {quoted(event.type)} does not verify: {error.message}"
                    found = Finding(event.directive_id, event.seq, "unverifiable", words)
                    self.findings.append(found)
            yield event


def _filing(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    """Verify who filed what an event tells of; in a directive's log it may be other evidence."""
    envelope, uri = _envelope(data.get("envelope")), str(data.get("artifact"))
    evidence = data.get("evidence")
    digest = evidence.get(uri) if isinstance(evidence, dict) else None
    # Where it names the evidence, its row says whether somebody must have signed.
    if envelope is None and digest is not None and event.directive_id != INSTALLATION:
        return
    stated: JsonObject = {
        "artifact": uri.rpartition("/")[2],
        "uri": uri,
        "digest": digest if isinstance(digest, str) else None,
        "directive": _about(event),
        "filed_by": event.actor,
        "token": claimed(envelope, "token"),
    }
    verify_statement(FILING, envelope, stated, keys)


def _memories(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    memories, envelopes, run = data.get("memories"), data.get("envelopes"), data.get("run")
    if not isinstance(memories, dict) or not isinstance(envelopes, dict):
        raise UnverifiableError("it was never signed")
    for memory_id, digest in memories.items():
        envelope = _envelope(envelopes.get(memory_id))
        stated: JsonObject = {
            "memory": memory_id,
            "digest": str(digest),
            "created_by": event.actor,
            "directive": _about(event),
            "run": run if isinstance(run, str) else None,
            # No event repeats these two.
            "scope": claimed(envelope, "scope"),
            "token": claimed(envelope, "token"),
        }
        verify_statement(MEMORY, envelope, stated, keys)


def _policy(event: Event, data: Mapping[str, Any], keys: Keyring) -> None:
    stated: JsonObject = {
        "digest": str(data.get("digest")),
        "version": str(data.get("version")),
        "by": event.actor,
    }
    verify_statement(POLICY, _envelope(data.get("envelope")), stated, keys)


_VERIFY: Mapping[str, Callable[[Event, Mapping[str, Any], Keyring], None]] = {
    "artifact.stored": _filing,
    "memory.added": _memories,
    "policy.confirmed": _policy,
}


def _envelope(stored: object) -> JsonObject | None:
    return stored if isinstance(stored, dict) else None


def _about(event: Event) -> str | None:
    return None if event.directive_id == INSTALLATION else str(event.directive_id)
