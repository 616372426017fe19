"""What can be found out about a bundle with nothing but the public key, and what cannot. Pure.

Every digest is computed again, every decision is made again, every signature is verified, and the
log must tell of exactly what there is.
"""

from collections.abc import Iterator
from uuid import UUID

from remit.audit.bundle.artifacts import artifacts, filings, named_evidence
from remit.audit.bundle.budget import budget
from remit.audit.bundle.consent import decisions, grants, requests, votes
from remit.audit.bundle.facts import Check, judged
from remit.audit.bundle.file import PAYLOAD_TYPES, encode
from remit.audit.bundle.log import against_kept, checkpoint, events, log, order, status, times
from remit.audit.bundle.origin import bound, installation, issuer
from remit.audit.bundle.runs import attempts, no_run_without_grant, runs
from remit.audit.bundle.types import Bundle, SignedBundle
from remit.audit.bundle.voters import answers, voters
from remit.directives.digest import action_digest
from remit.directives.models import intent_of
from remit.errors import UnverifiableError
from remit.signing.keys import Keyring


def check_bundle(
    signed: SignedBundle,
    keys: Keyring,
    *,
    installation_id: UUID | None = None,
    kept_checkpoint: bytes | None = None,
) -> tuple[Check, ...]:
    """Return what was found out, in the order of the loop; all must hold.

    `keys` are those that are trusted, as they were loaded. `installation_id` is the installation
    that it must be of; None: any that the keys may be used for. `kept_checkpoint` is the file of a
    checkpoint that the log must pass through, if whoever verifies has kept one.
    """
    return tuple(_checks(signed, keys, installation_id, kept_checkpoint))


def _checks(
    signed: SignedBundle, keys: Keyring, wanted: UUID | None, kept: bytes | None
) -> Iterator[Check]:
    bundle = signed.bundle
    used = bound(bundle, keys)
    # 1. The file is as it was signed, by an installation that is trusted.
    yield signature(signed, keys)
    yield installation(bundle, keys, wanted)
    # 2. Its rows agree with one another, and with its log.
    yield digest(bundle)
    yield log(bundle)
    yield status(bundle)
    yield artifacts(bundle)
    yield decisions(bundle)
    yield requests(bundle)
    yield votes(bundle, used)
    yield grants(bundle, used)
    yield no_run_without_grant(bundle, used)
    yield runs(bundle)
    yield budget(bundle)
    # 3. Everybody signed what the rows say that they did, and the log can be what happened.
    if bundle.has_statements:
        yield issuer(bundle, used)
        yield events(bundle)
        yield order(bundle)
        yield times(bundle)
        yield named_evidence(bundle)
        yield answers(bundle, used)
        yield voters(bundle, used)
        yield attempts(bundle, used)
        yield filings(bundle, used)
        yield checkpoint(bundle, used)
    # 4. The log passes through what somebody kept away from the database.
    if kept is not None:
        yield against_kept(bundle, kept, used)


def signature(signed: SignedBundle, keys: Keyring) -> Check:
    """Check that one of the keys signed exactly this bundle."""
    bundle, envelope = signed.bundle, signed.envelope
    problems: list[str] = []
    try:
        if keys.verify(envelope, payload_type=PAYLOAD_TYPES[bundle.format]) != encode(bundle):
            problems.append("something else was signed")
    except UnverifiableError as error:
        problems.append(error.message)
    return judged("signature", problems, f"signed with {envelope.kid}, and unchanged since")


def digest(bundle: Bundle) -> Check:
    """Check that the content of the directive gives the action digest that was frozen."""
    directive = bundle.directive
    found, stated = action_digest(intent_of(directive)), directive.action_digest
    problems: list[str] = []
    if stated is None and directive.status != "draft":
        problems.append("the content was never frozen")
    elif stated not in {None, found}:
        problems.append(f"the content gives {found}, and was frozen as {stated}: it was changed")
    words = f"the content gives {found}"
    return judged("action digest", problems, words if stated else "a draft has none yet")


ALWAYS = (
    (
        "that nothing was left out as a whole: a bundle is about one directive, and others, or a "
        "way of this one that left no row, are seen by `remit audit verify`"
    ),
    (
        "that the policy is the one that people meant: its digest stands in the decision, and what "
        "it ought to say does not"
    ),
    "that whoever used a token was the person whose token it is",
    "which roles a voter had when they voted: the bundle has those that they had at the export",
    "that clocks were right: all times are those of the database and of its workers",
    "that what a module reported is what it did, and what its artifacts describe is true",
    (
        "who retried, or canceled what had not begun, and other actors in the log whom no "
        "statement names: whoever could write to the database could have written it"
    ),
    "what was signed with a stolen key: whoever has the installation's can sign anything",
)
UNCOVERED = (
    "that the log was not rewritten before the export, in what nobody signs, or cut off after the "
    "last thing that somebody signed: the bundle carries no proof against a checkpoint"
)
LATER = (
    "that the rows after that of the checkpoint were not rewritten, in what nobody signs: a later "
    "checkpoint would cover them"
)


def not_checkable(bundle: Bundle, checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Return what the checks of a bundle cannot find out, most particular first."""
    unborne = [f"{each}: not borne out" for check in checks for each in check.unborne]
    return (*unborne, *_of_log(bundle, checks), *ALWAYS)


def _of_log(bundle: Bundle, checks: tuple[Check, ...]) -> Iterator[str]:
    kept = any(check.name == "kept checkpoint" for check in checks)
    if bundle.inclusion is None and not kept:
        yield UNCOVERED
    elif bundle.inclusion is None or bundle.inclusion.head.seq < len(bundle.events):
        yield LATER
    if not bundle.has_statements:
        yield (
            "who issued it, who voted with which token, and how its runs ended: the bundle was "
            "made before statements named an installation, and none of it is borne out"
        )
