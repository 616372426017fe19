"""Audit: hold the whole log, the evidence and the signatures against each other.

`remit audit` calls these. They read one moment of the database and write nothing to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from remit.audit.chain import INSTALLATION
from remit.audit.checkpoint import Checkpoint, make_checkpoint, read_checkpoint, sign_checkpoint
from remit.audit.claims_repository import stream_broken, stream_mentions, stream_refused
from remit.audit.event_rules import LogCheck
from remit.audit.repository import list_heads, stream_events, stream_statuses
from remit.audit.scan_repository import Counts, count_all
from remit.audit.verification import Finding, verify_chains
from remit.base.progress import Progress, tell_nobody
from remit.db.session import database_time, snapshot
from remit.errors import ConflictError
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.operations.evidence.signatures import Meter, SignedEvents, judge_identity, judge_rows
from remit.signing.keys import Keyring

MAX_FINDINGS = 1000
"""Most findings that a report holds; it counts the rest."""


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes:
        checkpoint: what the log was held against; None: the chains were trusted alone.
        findings: what is wrong, at most :data:`MAX_FINDINGS`.
        found: how many things are wrong in all.
    """

    read: Counts
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...]
    found: int


@dataclass(frozen=True, slots=True)
class TakenCheckpoint:
    """A checkpoint that was taken, with its file, to be kept away from the database."""

    checkpoint: Checkpoint
    data: bytes


def verify_log(
    engine: sa.Engine,
    *,
    by: Principal,
    keys: Keyring,
    checkpoint: Checkpoint | None = None,
    progress: Progress = tell_nobody,
) -> AuditReport:
    """Verify every chain, hold rows and events against each other, and verify what was signed.

    `checkpoint` is what every chain must still pass through. With None, the end of a chain may have
    been cut off, or the chain rewritten, and this does not see it.

    Raises:
        ForbiddenError: whoever asks may not audit.
        UnavailableError: the database does not answer.
    """
    require(by, "audit")
    kept: list[Finding] = []
    found = 0
    with snapshot(engine) as connection:
        total = count_all(connection)
        meter = Meter(total.streamed, progress)
        for finding in judge(connection, keys, checkpoint, meter):
            found += 1
            if len(kept) < MAX_FINDINGS:
                kept.append(finding)
    return AuditReport(total, checkpoint, tuple(kept), found)


def take_checkpoint(
    engine: sa.Engine, keys: Keyring, *, by: Principal, previous: bytes | None = None
) -> TakenCheckpoint:
    """Sign the heads of all chains.

    `previous` is the file of the checkpoint before. The log is held against it first: a rewritten
    log never gets a checkpoint that claims to follow from one before the rewriting. With None a new
    line begins, and everything is verified first: what does not hold now would pass for what was
    there.

    Raises:
        ForbiddenError: whoever asks may not audit.
        UnverifiableError: `previous` is no checkpoint that `keys` verify.
        ConflictError: the log no longer holds what `previous` says; or without it, anything at all
            does not hold.
        MisconfiguredError: there is no key to sign with.
        UnavailableError: the database does not answer.
    """
    require(by, "audit")
    before = None if previous is None else read_checkpoint(previous, keys)
    with snapshot(engine) as connection:
        if before is None:
            _require_soundness(connection, keys)
        else:
            _require_continuation(connection, before)
        heads, now = list_heads(connection), database_time(connection)
    taken = make_checkpoint(heads, now, previous=previous)
    return TakenCheckpoint(taken, sign_checkpoint(taken, keys))


def _require_soundness(connection: sa.Connection, keys: Keyring) -> None:
    # All of it is read, so that no cursor stays open behind the error.
    found = tuple(judge(connection, keys))
    if found:
        raise ConflictError(
            f"{len(found)} things do not hold, and a first checkpoint would vouch for them "
            f"({_first(found)}); look into it with `remit audit verify`"
        )


def _require_continuation(connection: sa.Connection, before: Checkpoint) -> None:
    events, statuses = stream_events(connection), stream_statuses(connection)
    # All of it is read, so that no cursor stays open behind the error.
    found = tuple(verify_chains(events, statuses, before))
    if found:
        raise ConflictError(
            f"the log does not hold against the previous checkpoint ({_first(found)}); look into "
            "it with `remit audit verify --checkpoint FILE`, and then begin anew without "
            "--previous",
            field="previous",
        )


def _first(found: tuple[Finding, ...]) -> str:
    broken = found[0]
    where = "" if broken.seq is None else f", row {broken.seq}"
    return f"directive {broken.directive_id}{where}: {broken.words}"


def judge(
    connection: sa.Connection,
    keys: Keyring,
    checkpoint: Checkpoint | None = None,
    meter: Meter | None = None,
) -> Iterator[Finding]:
    """Yield everything that is wrong: the log first, then both ways, then what was signed.

    `connection` is a transaction that sees one moment.
    """
    meter = meter or Meter(0, tell_nobody)
    log, signed = LogCheck(), SignedEvents(keys)
    events = log.through(signed.through(meter.over(stream_events(connection))))
    broken: set[UUID | None] = set()
    for finding in verify_chains(events, stream_statuses(connection), checkpoint):
        broken.add(finding.directive_id)
        yield finding
    # What a chain that does not hold tells is not gone into.
    for finding in (*log.findings, *signed.findings):
        if finding.directive_id not in broken:
            yield finding
    yield from stream_refused(connection)
    yield from stream_mentions(connection)
    for finding in stream_broken(connection):
        if finding.directive_id not in broken:
            yield finding
    yield from judge_rows(connection, meter, keys)
    for finding in judge_identity(connection, keys):
        of_row = finding.seq is None and finding.fault == "unverifiable"
        if of_row or INSTALLATION not in broken:
            yield finding
