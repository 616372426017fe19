"""What the scenes of a tour show together. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from remit.approval.rules import approvers
from remit.approval.statements import verify_grant, verify_vote
from remit.approval.types import Vote
from remit.base.wording import listed
from remit.errors import UnverifiableError
from remit.identity.types import Principal
from remit.operations.evidence.records import Record
from remit.operations.evidence.upkeep import ArtifactCheck
from remit.signing.keys import Keyring

if TYPE_CHECKING:
    from remit.tour.report import Played


@dataclass(frozen=True)
class Proof:
    """Something that must hold whatever the script says.

    Attributes:
        holds: whether it does.
        text: what was examined and found, in one line.
    """

    holds: bool
    text: str


def prove(
    played: "Sequence[Played]", people: Mapping[str, Principal], keys: Keyring
) -> tuple[Proof, ...]:
    """Return what the scenes show together; a proof that examined nothing does not hold.

    Args:
        played: every scene.
        people: who is known, by name.
        keys: what grants and votes must be signed with.
    """
    records = [one.record for one in played if one.record is not None]
    killed = [one for one in played if one.killed_pid is not None]
    return (
        _prove_ended(records),
        _prove_chains(records),
        _prove_grants(records, keys),
        *_prove_votes(records, people, keys),
        *(_prove_kill(one) for one in killed),
    )


def prove_evidence(found: ArtifactCheck) -> Proof:
    """Return what reading every artifact back shows, those in the object store too."""
    if found.failed or not found.checked:
        which = "; ".join(found.problems) or "there is none"
        return Proof(holds=False, text=f"not every artifact is what its digest says: {which}")
    return Proof(
        holds=True,
        text=f"every artifact was read back and is what its digest says: {found.checked}, "
        f"{found.objects} of them in the object store",
    )


def _prove_ended(records: Sequence[Record]) -> Proof:
    counts = Counter[str](record.directive.status for record in records)
    ends = ("complete", "aborted", "blocked")
    told = ", ".join(f"{counts[status]} {status}" for status in ends if counts[status])
    stuck = [f"{counts[status]} {status}" for status in sorted(set(counts) - set(ends))]
    if stuck or not records:
        which = ", ".join(stuck) or "there is none"
        return Proof(holds=False, text=f"not every directive came to an end: {which}")
    return Proof(
        holds=True,
        text=f"all {len(records)} came to one end, each that stopped with its reason: {told}",
    )


def _prove_chains(records: Sequence[Record]) -> Proof:
    broken = [record for record in records if record.broken_at is not None or not record.events]
    if broken or not records:
        ids = ", ".join(str(record.directive.id) for record in broken) or "none was written"
        return Proof(holds=False, text=f"an event log does not verify: {ids}")
    events = sum(len(record.events) for record in records)
    return Proof(
        holds=True,
        text=f"every log verifies: {len(records)} hash chains, {events} events",
    )


def _prove_grants(records: Sequence[Record], keys: Keyring) -> Proof:
    ran = [record for record in records if record.run is not None or _consumed(record)]
    without = [str(record.directive.id) for record in ran if not _granted(record, keys)]
    if without:
        return Proof(
            holds=False, text=f"ran without a signed grant of its own: {', '.join(without)}"
        )
    return Proof(
        holds=True,
        text=f"nothing ran without a signed grant: {len(ran)} runs, each consumed its own "
        f"for that action; {len(records) - len(ran)} never ran",
    )


def _prove_votes(
    records: Sequence[Record], people: Mapping[str, Principal], keys: Keyring
) -> tuple[Proof, ...]:
    """Return what the votes show; nothing when there is none."""
    cast = [(record, vote) for record in records for vote in record.votes]
    granted = [(record, name) for record in records if record.grant for name in record.grant.votes]
    unfit = [(record, vote.voter) for record, vote in cast if not _is_signed(record, vote, keys)]
    unfit += [(record, vote.voter) for record, vote in cast if not _is_person(people, vote.voter)]
    unfit += [(record, name) for record, name in granted if name not in approvers(record.votes)]
    if unfit:
        told = ", ".join(f"{name}'s on {record.directive.id}" for record, name in unfit)
        return (Proof(holds=False, text=f"a vote is not signed, or no person's: {told}"),)
    if not cast:
        return ()
    voters = listed(sorted({vote.voter for _, vote in cast}), "and")
    return (
        Proof(holds=True, text=f"every vote is signed, and a person's: {len(cast)} by {voters}"),
    )


def _prove_kill(one: "Played") -> Proof:
    pids = one.ledger.worker_pids
    successors = [pid for pid in pids if pid != one.killed_pid]
    once = one.ledger.effects == 1 and one.killed_pid in pids and len(successors) == 1
    if not once:
        return Proof(
            holds=False,
            text=f"worker {one.killed_pid} was killed: attempts by "
            f"{', '.join(map(str, pids)) or 'nobody'}; {one.ledger.effects} effects",
        )
    return Proof(
        holds=True,
        text=f"worker {one.killed_pid} was killed in attempt 1, worker {successors[0]} finished "
        "in attempt 2: one effect",
    )


def _consumed(record: Record) -> bool:
    return any(event.type == "grant.consumed" for event in record.events)


def _is_signed(record: Record, vote: Vote, keys: Keyring) -> bool:
    if record.request is None:
        return False
    try:
        verify_vote(vote, record.request, keys)
    except UnverifiableError:
        return False
    return True


def _is_person(people: Mapping[str, Principal], name: str) -> bool:
    return name in people and people[name].kind == "human"


def _granted(record: Record, keys: Keyring) -> bool:
    """Return whether a run consumed the directive's grant, which covers the directive as it is."""
    run, grant = record.run, record.grant
    if run is None or grant is None:
        return False
    try:
        verify_grant(grant, keys)
    except UnverifiableError:
        return False
    return (
        _consumed(record)
        and run.grant_id == grant.id
        and grant.directive_id == record.directive.id
        and grant.action_digest == record.directive.action_digest
        and grant.module == run.module
        and grant.voided_at is None
    )
