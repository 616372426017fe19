"""Checks of a bundle about where it is from: which installation, and who issued it. Pure.

What was stored before the installation began to name itself may carry statements of the first
version, or none. So the moment when it began decides what is missing and what never was: it may not
be put off.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from remit.audit.bundle.facts import Check, judged
from remit.audit.bundle.types import Bundle
from remit.base.json_types import JsonObject
from remit.directives.statements import Proposer, intent_statement, verify_intent
from remit.errors import UnverifiableError
from remit.signing.keys import Installation, Keyring

UNNAMED: Final = Installation(UUID(int=0), datetime.max.replace(tzinfo=UTC))
"""Stands for the installation of a bundle of the first format: all in it was signed in the first
version of statements, which named none."""


def bound(bundle: Bundle, keys: Keyring) -> Keyring:
    """Return keys that verify the statements in a bundle, whichever installation it is of."""
    return replace(keys, installation=bundle.installation or UNNAMED)


def is_before(bundle: Bundle, when: datetime) -> bool:
    """Return whether a row was made before every statement named its installation."""
    return bundle.installation is None or when < bundle.installation.since


def installation(bundle: Bundle, keys: Keyring, wanted: UUID | None) -> Check:
    """Check that a bundle is of the installation that is meant.

    `keys` are as they were loaded, with the pin of their folder. `wanted` is the installation that
    was asked for; None: any that the keys may be used for.
    """
    found = bundle.installation
    if found is None:
        named = [] if wanted is None else [f"it names none, and {wanted} was asked for"]
        return judged("installation", named, "not named: it was made before bundles named theirs")
    problems = [
        f"it is of {found.id}, and {words} {other}"
        for other, words in ((wanted, "asked for was"), (keys.pinned, "these keys are those of"))
        if other not in {None, found.id}
    ]
    if found.since > bundle.exported_at:
        problems.append("it says that it began after the bundle was made")
    problems += [
        f"{what} was signed for an installation before it is said to begin"
        for what, when in _signed_for_one(bundle)
        if when < found.since
    ]
    since = found.since.isoformat(timespec="seconds")
    return judged("installation", problems, f"{found.id}, which signs for itself since {since}")


def _signed_for_one(bundle: Bundle) -> Iterator[tuple[str, datetime]]:
    """Yield what was signed in the second version in the moment that its row was made, and when."""
    for asked in bundle.requests:
        for vote in asked.votes:
            if _is_second(vote.envelope):
                yield f"the vote of {vote.voter}", vote.cast_at
    for grant in bundle.grants:
        if _is_second(grant.envelope):
            yield f"grant {grant.id}", grant.issued_at
    for worker in bundle.workers:
        yield f"the certificate of worker {worker.id}", worker.started_at
    for attempt in bundle.attempts:
        yield f"attempt {attempt.attempt} of run {attempt.run_id}", attempt.started_at


def _is_second(envelope: JsonObject | None) -> bool:
    return envelope is not None and str(envelope.get("payloadType")).endswith(".v2+json")


def issuer(bundle: Bundle, keys: Keyring) -> Check:
    """Check that the directive was issued by whom it names, and that the log says so."""
    directive = bundle.directive
    problems = [
        f"the log begins with {event.actor}, and {directive.issued_by} issued it"
        for event in bundle.events[:1]
        if event.actor != directive.issued_by
    ]
    unborne: list[str] = []
    if directive.action_digest is None:
        return judged("issuer", problems, "a draft is nobody's word yet")
    issued = intent_statement(
        directive.id, directive.action_digest, directive.issued_by, directive.idempotency_key
    )
    try:
        problems += _of_proposer(bundle, verify_intent(issued, bundle.issued, keys))
    except UnverifiableError as error:
        if bundle.issued is None and is_before(bundle, directive.created_at):
            unborne.append("who issued the directive: it was stored before they signed that")
        else:
            words = f"that {directive.issued_by} issued it does not verify: {error.message}"
            problems.append(words)
    return judged("issuer", problems, f"{directive.issued_by}, as was signed", unborne)


def _of_proposer(bundle: Bundle, proposer: Proposer) -> Iterator[str]:
    proposed = next((one for one in bundle.events if one.type == "directive.proposed"), None)
    if proposed is not None and proposed.actor != proposer.name:
        yield f"the log says that {proposed.actor} proposed it, and {proposer.name} did"
    person = next((one for one in bundle.people if one.name == proposer.name), None)
    if person is None or person.acts_for != proposer.acts_for:
        yield f"{proposer.name} acts for somebody else than was signed, or is not known"
    if proposer.token is not None:
        token = next((one for one in bundle.tokens if one.id == proposer.token), None)
        if token is None or token.principal != proposer.name:
            yield f"it was proposed with a token that is not one of {proposer.name}"
