"""What rows say, held against what was signed of it and against their own digests.

`remit.operations.evidence.auditing` calls this, inside one snapshot.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from remit.approval.confirmation import verify_policy
from remit.approval.statements import verify_grant, verify_vote
from remit.artifacts.statements import verify_filing
from remit.artifacts.types import Artifact, artifact_uri
from remit.audit import runs_repository as runs
from remit.audit import scan_repository as scan
from remit.audit.bundle_records import Worker
from remit.audit.bundle_said import worker_keys
from remit.audit.chain import INSTALLATION
from remit.audit.identity_rows import Kept, compare_identity
from remit.audit.run_ends import judge_run
from remit.audit.verification import Finding
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.base.wording import quoted
from remit.directives.digest import action_digest
from remit.directives.statements import intent_statement, verify_intent
from remit.errors import InvalidInputError, RemitError
from remit.identity.invitation_repository import list_invitations
from remit.identity.repository import list_principals
from remit.identity.token_repository import list_kept_tokens
from remit.memory.repository import stream_memories
from remit.memory.statements import verify_memory
from remit.signing.keys import Keyring
from remit.signing.statements import is_earlier
from remit.vocabulary import Fault

_KEPT_WORKERS = 256
_Row = TypeVar("_Row")


class Meter(Protocol):
    """Counts the rows that pass."""

    def over(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Yield the rows as they are."""
        ...


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
    """Yield every worker, run and attempt that is not what was signed."""
    for worker in meter.over(runs.stream_workers(connection)):
        what = f"the certificate of worker {worker.id}"
        yield from _signed(INSTALLATION, what, partial(_certified, worker, keys))
    find = lru_cache(_KEPT_WORKERS)(partial(runs.find_worker, connection))
    for run, attempts in meter.over(runs.stream_runs(connection)):
        if is_earlier(run.granted_at, keys):
            continue
        for problem in judge_run(run, attempts, find, keys):
            yield Finding(run.directive_id, None, "unverifiable", f"run {run.id}: {problem}")


def _certified(worker: Worker, keys: Keyring) -> None:
    worker_keys(worker, keys)


def judge_identity(connection: sa.Connection, keys: Keyring) -> Iterator[Finding]:
    """Yield what is wrong with people, tokens and invitations, and with what is told of them."""
    kept = Kept(
        list_principals(connection), list_kept_tokens(connection), list_invitations(connection)
    )
    for one in compare_identity(scan.stream_own_events(connection), kept, keys):
        yield Finding(INSTALLATION, one.seq, one.fault, one.words)


def _intent(intent: scan.AuditedIntent, keys: Keyring) -> Iterator[Finding]:
    """Yield what is wrong with what was asked for, and with who is said to have asked."""
    digest = intent.action_digest
    if intent.status == "draft" or digest is None:
        if digest is not None or intent.envelope is not None:
            words = "it is a draft, and has what only a proposal has"
            yield Finding(intent.id, None, "told_otherwise", words)
        return
    if not _gives(digest, intent.content):
        words = "its content does not give its action digest"
        yield Finding(intent.id, None, "content_changed", words)
    if intent.envelope is None and is_earlier(intent.created_at, keys):
        return
    issued = intent_statement(
        intent.id, digest, str(intent.content["issued_by"]), intent.idempotency_key
    )
    verify = partial(_issued, issued, intent.envelope, keys)
    yield from _signed(intent.id, "who issued it", verify)


def _issued(issued: JsonObject, envelope: JsonObject | None, keys: Keyring) -> None:
    verify_intent(issued, envelope, keys)


def _gives(digest: str, content: dict[str, Any]) -> bool:
    try:
        return digest == action_digest(content)
    except InvalidInputError:
        return False


def _artifact(artifact: Artifact, envelope: Any, keys: Keyring) -> Iterator[Finding]:  # noqa: ANN401 - what a forged column holds is unknown
    if not _is_intact(artifact):
        words = f"artifact {artifact.id} was changed: its content does not give its digest"
        yield Finding(artifact.directive_id, None, "artifact_changed", words)
        return
    if artifact.type == "attachment":
        what = f"the attachment {artifact.id}"
        about = artifact.directive_id or INSTALLATION
        yield from _signed(about, what, partial(verify_filing, artifact, envelope, keys))


def _is_intact(artifact: Artifact) -> bool:
    try:
        content = canonical_json(artifact.metadata)
    except InvalidInputError:
        return False
    stated = (artifact.uri, artifact.digest, artifact.size_bytes)
    return stated == (artifact_uri(artifact.id), sha256_digest(content), len(content))


def _signed(about: UUID, what: str, verify: Callable[[], None]) -> Iterator[Finding]:
    fault: Fault = "unverifiable"
    try:
        verify()
    except RemitError as error:
        yield Finding(about, None, fault, f"{what} does not verify: {error.message}")
