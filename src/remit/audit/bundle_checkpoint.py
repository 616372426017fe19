"""Checks of a bundle against a checkpoint: the log still passes through what was noted then. Pure.

Whoever can write to the database can rewrite a whole log with hashes to match, and the events that
nobody signs with it. A checkpoint that was taken before, and kept elsewhere, shows it.
"""

from remit.audit.bundle_facts import Check, judged
from remit.audit.bundle_records import Evidence
from remit.audit.checkpoint import Head, read_checkpoint
from remit.audit.inclusion import verify_inclusion
from remit.errors import UnverifiableError
from remit.signing.keys import Keyring


def checkpoint(evidence: Evidence, keys: Keyring) -> Check:
    """Check the proof that a bundle carries, if it carries one."""
    proof = evidence.inclusion
    if proof is None:
        return judged("checkpoint", [], "the bundle carries none")
    problems: list[str] = []
    words = ""
    try:
        taken_at = verify_inclusion(proof, keys)
        words = f"row {proof.head.seq} is in the one of {taken_at.isoformat(timespec='seconds')}"
        if taken_at > evidence.exported_at:
            problems.append("the checkpoint is younger than the bundle")
    except UnverifiableError as error:
        problems.append(error.message)
    problems += _off(evidence, proof.head)
    return judged("checkpoint", problems, words)


def against(evidence: Evidence, data: bytes, keys: Keyring) -> Check:
    """Check a bundle against the file of a checkpoint, which whoever verifies has kept."""
    try:
        held = read_checkpoint(data, keys)
    except UnverifiableError as error:
        return judged("kept checkpoint", [error.message], "")
    heads = [head for head in held.heads if head.directive_id == evidence.directive.id]
    taken = held.taken_at.isoformat(timespec="seconds")
    if not heads:
        born = evidence.events[:1]
        problems = [
            f"the checkpoint of {taken} has no row of it, and its log begins before"
            for event in born
            if event.occurred_at < held.taken_at
        ]
        return judged("kept checkpoint", problems, f"it began after the one of {taken}")
    [head] = heads
    if held.taken_at > evidence.exported_at and len(evidence.events) < head.seq:
        words = f"the one of {taken} is younger, and noted a later row: it says nothing of these"
        return judged("kept checkpoint", [], words)
    words = f"row {head.seq} is in the one of {taken}"
    return judged("kept checkpoint", _off(evidence, head), words)


def _off(evidence: Evidence, head: Head) -> list[str]:
    """Return in what the log differs from a head that was noted."""
    if head.directive_id != evidence.directive.id:
        return ["the head is that of another directive"]
    if len(evidence.events) < head.seq:
        return [f"the log had {head.seq} rows at the checkpoint, and has {len(evidence.events)}"]
    if head.seq < 1 or evidence.events[head.seq - 1].hash != head.hash:
        return [f"row {head.seq} had another hash at the checkpoint: the log was rewritten"]
    return []
