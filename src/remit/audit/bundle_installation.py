"""Checks of a bundle about its installation: whose it is, and since when it signs. Pure.

What was stored before the installation began to name itself may carry statements of the first
version, or none. So the moment when it began decides what is missing and what never was: it may not
be put off.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from remit.audit.bundle_facts import Check, judged
from remit.audit.bundle_records import Evidence
from remit.base.json_types import JsonObject
from remit.signing.keys import Installation, Keyring

UNNAMED: Final = Installation(UUID(int=0), datetime.max.replace(tzinfo=UTC))
"""Stands for the installation of a bundle of the first format: all in it was signed in the first
version of statements, which named none."""


def bound(evidence: Evidence, keys: Keyring) -> Keyring:
    """Return keys that verify the statements in a bundle, whichever installation it is of."""
    return replace(keys, installation=evidence.installation or UNNAMED)


def installation(evidence: Evidence, keys: Keyring, wanted: UUID | None) -> Check:
    """Check that a bundle is of the installation that is meant.

    Args:
        evidence: what the bundle says.
        keys: the keys that are trusted, as they were loaded: with the pin of their folder.
        wanted: the installation that was asked for; None: any that the keys may be used for.
    """
    found = evidence.installation
    if found is None:
        named = [] if wanted is None else [f"it names none, and {wanted} was asked for"]
        return judged("installation", named, "not named: it was made before bundles named theirs")
    problems = [
        f"it is of {found.id}, and {words} {other}"
        for other, words in ((wanted, "asked for was"), (keys.pinned, "these keys are those of"))
        if other not in {None, found.id}
    ]
    if found.since > evidence.exported_at:
        problems.append("it says that it began after the bundle was made")
    for what, when in _signed_for_one(evidence):
        if when < found.since:
            problems.append(f"{what} was signed for an installation before it is said to begin")
    return judged(
        "installation",
        problems,
        f"{found.id}, which signs for itself since {found.since.isoformat(timespec='seconds')}",
    )


def is_before(evidence: Evidence, when: datetime) -> bool:
    """Return whether a row was made before every statement named its installation.

    In the first format all were.
    """
    return evidence.installation is None or when < evidence.installation.since


def _signed_for_one(evidence: Evidence) -> Iterator[tuple[str, datetime]]:
    """Yield what was signed in the second version in the moment that its row was made, and when."""
    for asked in evidence.requests:
        for vote in asked.votes:
            if _is_second(vote.envelope):
                yield f"the vote of {vote.voter}", vote.cast_at
    for grant in evidence.grants:
        if _is_second(grant.envelope):
            yield f"grant {grant.id}", grant.issued_at
    for worker in evidence.workers:
        yield f"the certificate of worker {worker.id}", worker.started_at
    for attempt in evidence.attempts:
        yield f"attempt {attempt.attempt} of run {attempt.run_id}", attempt.started_at


def _is_second(envelope: JsonObject | None) -> bool:
    return envelope is not None and str(envelope.get("payloadType")).endswith(".v2+json")
