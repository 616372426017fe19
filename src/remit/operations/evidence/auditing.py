"""Audit: hold the whole log, the evidence and the signatures against each other.

`remit audit` calls these. They read one moment of the database and write nothing to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from remit.audit import scan_repository as scan
from remit.audit.chain import INSTALLATION
from remit.audit.checkpoint import Checkpoint, make_checkpoint, read_checkpoint, sign_checkpoint
from remit.audit.claims_repository import stream_broken
from remit.audit.history import History
from remit.audit.refused_repository import RefusedRow, stream_refused
from remit.audit.scan_repository import Counts, Mention
from remit.audit.verification import Finding, verify_chains
from remit.base.progress import Progress, tell_nobody
from remit.base.wording import quoted
from remit.db.session import database_time, snapshot
from remit.errors import ConflictError
from remit.identity.rules import require
from remit.identity.types import Principal
from remit.operations.evidence.audited_events import SignedEvents
from remit.operations.evidence.audited_rows import Meter, judge_identity, judge_rows
from remit.signing.keys import Keyring

MAX_FINDINGS = 1000
"""Most findings that a report holds; it counts the rest."""

_ROWS_BETWEEN_TELLINGS = 1000
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found.

    Attributes:
        read: how much was verified.
        checkpoint: what the log was held against; None: the chains were trusted alone.
        findings: what is wrong, at most :data:`MAX_FINDINGS`; empty when nothing is.
        found: how many things are wrong in all.
    """

    read: Counts
    checkpoint: Checkpoint | None
    findings: tuple[Finding, ...]
    found: int


@dataclass(frozen=True, slots=True)
class TakenCheckpoint:
    """A checkpoint that was taken.

    Attributes:
        checkpoint: what it says.
        data: the file to be kept away from the database.
    """

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

    Args:
        engine: the database.
        by: who asks.
        keys: the keys that are trusted to have signed what is signed.
        checkpoint: what every chain must still pass through. With None, the end of a chain may
            have been cut off, or the chain rewritten, and this does not see it.
        progress: told how far it is.

    Raises:
        ForbiddenError: whoever asks may not audit.
        UnavailableError: the database does not answer.
    """
    require(by, "audit")
    kept: list[Finding] = []
    found = 0
    with snapshot(engine) as connection:
        total = scan.count_all(connection)
        meter = _Meter(total.streamed, progress)
        for finding in judge(connection, keys, checkpoint, meter):
            found += 1
            if len(kept) < MAX_FINDINGS:
                kept.append(finding)
    return AuditReport(total, checkpoint, tuple(kept), found)


def take_checkpoint(
    engine: sa.Engine, keys: Keyring, *, by: Principal, previous: bytes | None = None
) -> TakenCheckpoint:
    """Sign the heads of all chains.

    Args:
        engine: the database.
        keys: with the key to sign it.
        by: who asks.
        previous: the file of the checkpoint before. The log is held against it first: a rewritten
            log never gets a checkpoint that claims to follow from one before the rewriting. With
            None a new line begins, and everything is verified first: what does not hold now would
            pass for what was there.

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
        heads, now = scan.list_heads(connection), database_time(connection)
    taken = make_checkpoint(heads, now, previous=previous)
    return TakenCheckpoint(taken, sign_checkpoint(taken, keys))


def _require_soundness(connection: sa.Connection, keys: Keyring) -> None:
    # All of it is read, so that no cursor stays open behind the error.
    found = tuple(judge(connection, keys))
    if found:
        broken = found[0]
        where = "" if broken.seq is None else f", row {broken.seq}"
        raise ConflictError(
            f"{len(found)} things do not hold, and a first checkpoint would vouch for them "
            f"(directive {broken.directive_id}{where}: {broken.words}); look into it with `remit "
            "audit verify`"
        )


def _require_continuation(connection: sa.Connection, before: Checkpoint) -> None:
    events, statuses = scan.stream_events(connection), scan.stream_statuses(connection)
    # All of it is read, so that no cursor stays open behind the error.
    found = tuple(verify_chains(events, statuses, before))
    if found:
        broken = found[0]
        where = "" if broken.seq is None else f", row {broken.seq}"
        raise ConflictError(
            f"the log does not hold against the previous checkpoint (directive "
            f"{broken.directive_id}{where}: {broken.words}); look into it with `remit audit "
            "verify --checkpoint FILE`, and then begin anew without --previous",
            field="previous",
        )


class _Meter:
    """Counts the rows that pass, and tells of them."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def over(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Yield the rows as they are."""
        for row in rows:
            if self._done % _ROWS_BETWEEN_TELLINGS == 0:
                self._progress(self._done, self._total)
            self._done += 1
            yield row
        self._progress(self._done, self._total)


class _Unmetered:
    """Counts nothing."""

    def over(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Yield the rows as they are."""
        yield from rows


def judge(
    connection: sa.Connection,
    keys: Keyring,
    checkpoint: Checkpoint | None = None,
    meter: Meter | None = None,
) -> Iterator[Finding]:
    """Yield everything that is wrong: the log first, then both ways, then what was signed.

    Args:
        connection: a transaction that sees one moment.
        keys: the keys that are trusted.
        checkpoint: as of :func:`verify_log`.
        meter: counts the rows that are read; None counts none.
    """
    meter = meter or _Unmetered()
    history, told = History(), SignedEvents(keys)
    events = history.through(told.through(meter.over(scan.stream_events(connection))))
    broken: set[UUID | None] = set()
    for finding in verify_chains(events, scan.stream_statuses(connection), checkpoint):
        broken.add(finding.directive_id)
        yield finding
    # What a chain that does not hold tells is not gone into.
    for finding in (*history.findings, *told.findings):
        if finding.directive_id not in broken:
            yield finding
    yield from map(_refused, stream_refused(connection))
    yield from map(_mentioned, scan.stream_mentions(connection))
    for claim in stream_broken(connection):
        if claim.directive_id not in broken:
            yield Finding(claim.directive_id, claim.seq, claim.claim.fault, claim.words)
    yield from judge_rows(connection, meter, keys)
    for finding in judge_identity(connection, keys):
        of_row = finding.seq is None and finding.fault == "unverifiable"
        if of_row or INSTALLATION not in broken:
            yield finding


def _refused(row: RefusedRow) -> Finding:
    if row.rule:
        words = f"row {quoted(row.key)} of {row.table} holds what the check {row.rule} refuses"
    else:
        words = f"a row of {row.table} is such that the database itself cannot look into it"
    return Finding(row.directive_id, None, "row_refused", words)


def _mentioned(mention: Mention) -> Finding:
    about, seq, named = mention.directive_id, mention.seq, quoted(mention.uri)
    if mention.is_there:
        words = f"it speaks of {named}, whose digest was another one then"
        return Finding(about, seq, "artifact_changed", words)
    return Finding(about, seq, "artifact_missing", f"it speaks of {named}, which is gone")
