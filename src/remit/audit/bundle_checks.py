"""What can be found out about a bundle with nothing but the public key. Pure.

A bundle proves that an installation's key signed what the database held. Whether that holds
together is found here: every digest is computed again, every decision is made again, every
signature is verified, and the log must tell of exactly what there is. A bundle may well hold what
does not: it is evidence of that, too.

Whoever can write to the database could rewrite a whole chain of the log, but neither votes nor
grants: they have no key. A checkpoint that was kept elsewhere shows a rewritten chain.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from pydantic import JsonValue

from remit.artifacts.types import Artifact
from remit.audit.bundle import Bundle, encode
from remit.audit.bundle_answers import answers
from remit.audit.bundle_artifacts import artifacts, named
from remit.audit.bundle_attempts import attempts
from remit.audit.bundle_budget import budget
from remit.audit.bundle_checkpoint import against, checkpoint
from remit.audit.bundle_consent import grants, requests, votes
from remit.audit.bundle_events import known_events
from remit.audit.bundle_facts import (
    Check,
    counted,
    judged,
    of_type,
    parsed_data,
    particulars,
    read_evaluation,
    same,
    unlike_log,
)
from remit.audit.bundle_forms import PAYLOAD_TYPES
from remit.audit.bundle_installation import bound, installation
from remit.audit.bundle_issuer import filings, issuer
from remit.audit.bundle_order import ordered
from remit.audit.bundle_records import Evidence
from remit.audit.bundle_runs import leave, runs
from remit.audit.bundle_times import timed
from remit.audit.bundle_voters import voters
from remit.audit.verification import STATUS_OF, verify_chains
from remit.directives.digest import action_digest
from remit.directives.models import DirectiveRead, intent_of
from remit.errors import UnverifiableError
from remit.policy.engine import decide
from remit.policy.types import CHANGED_CONTENT, PolicyInput, PolicyResult, combine
from remit.signing.keys import Keyring


def check_bundle(
    bundle: Bundle,
    keys: Keyring,
    *,
    installation_id: UUID | None = None,
    kept_checkpoint: bytes | None = None,
) -> tuple[Check, ...]:
    """Return what was found out, in the order of the loop; all must hold.

    A bundle of the first format is checked as it always was: it holds no statements but those of
    votes and grants.

    Args:
        bundle: what :func:`remit.audit.bundle.read_bundle` returned.
        keys: the keys that are trusted to have signed the bundle and all that is in it, as they
            were loaded.
        installation_id: the installation that it must be of; None: any that the keys may be used
            for.
        kept_checkpoint: the file of a checkpoint that the log must pass through; None: whoever
            verifies has kept none.
    """
    evidence = bundle.evidence
    used = bound(evidence, keys)
    found = [_signature(bundle, keys), installation(evidence, keys, installation_id)]
    found += _of_rows(evidence, used)
    if evidence.says_who_said_it:
        found += _of_statements(evidence, used)
    if kept_checkpoint is not None:
        found.append(against(evidence, kept_checkpoint, used))
    return tuple(found)


def _of_rows(evidence: Evidence, keys: Keyring) -> Iterator[Check]:
    """Yield what every format lets find out: whether rows, log and evidence agree."""
    yield _action_digest(evidence)
    yield _log(evidence)
    yield _status(evidence)
    yield artifacts(evidence)
    yield _decisions(evidence)
    yield requests(evidence)
    yield votes(evidence, keys)
    yield grants(evidence, keys)
    yield leave(evidence, keys)
    yield runs(evidence)
    yield budget(evidence)


def _of_statements(evidence: Evidence, keys: Keyring) -> Iterator[Check]:
    """Yield what is found out besides since everybody signs what they say."""
    yield issuer(evidence, keys)
    yield known_events(evidence)
    yield ordered(evidence)
    yield timed(evidence)
    yield named(evidence)
    yield answers(evidence, keys)
    yield voters(evidence, keys)
    yield attempts(evidence, keys)
    yield filings(evidence, keys)
    yield checkpoint(evidence, keys)


def _signature(bundle: Bundle, keys: Keyring) -> Check:
    envelope = bundle.envelope
    problems: list[str] = []
    try:
        if keys.verify(envelope, payload_type=PAYLOAD_TYPES[bundle.evidence.format]) != encode(
            bundle.evidence
        ):
            problems.append("something else was signed")
    except UnverifiableError as error:
        problems.append(error.message)
    return judged("signature", problems, f"signed with {envelope.kid}, and unchanged since")


def _action_digest(evidence: Evidence) -> Check:
    directive = evidence.directive
    found, stated = action_digest(intent_of(directive)), directive.action_digest
    problems: list[str] = []
    if stated is None and directive.status != "draft":
        problems.append("the content was never frozen")
    elif stated not in {None, found}:
        problems.append(f"the content gives {found}, and was frozen as {stated}: it was changed")
    words = f"the content gives {found}"
    return judged("action digest", problems, words if stated else "a draft has none yet")


def _log(evidence: Evidence) -> Check:
    directive = evidence.directive
    own = [event for event in evidence.events if event.directive_id == directive.id]
    foreign = len(evidence.events) - len(own)
    problems = [f"{counted(foreign, 'row')} of another directive"] if foreign else []
    problems += [
        f"row {one.seq}: {one.words}"
        for one in verify_chains(own, [(directive.id, directive.status)])
        if one.fault != "status_forged"
    ]
    return judged("log", problems, f"{counted(len(evidence.events), 'row')}, each after the other")


def _status(evidence: Evidence) -> Check:
    directive = evidence.directive
    told = [event for event in evidence.events if event.type in STATUS_OF]
    status = STATUS_OF[told[-1].type] if told else None
    reason: JsonValue = None
    if status in {"blocked", "aborted"} or (told and told[-1].type == "directive.in_doubt"):
        reason = parsed_data(told[-1].data).get("reason")
    problems: list[str] = []
    if (directive.status, directive.status_reason) != (status, reason):
        stands = _with_reason(directive.status, directive.status_reason)
        problems.append(f"it is {stands}, and the log says {_with_reason(status, reason)}")
    words = f"{_with_reason(directive.status, directive.status_reason)}, as the log says"
    return judged("status", problems, words)


def _with_reason(status: object, reason: object) -> str:
    return f"{status}" if reason is None else f"{status} ({reason})"


def _decisions(evidence: Evidence) -> Check:
    made = of_type(evidence, "policy_evaluation")
    problems = [
        f"the decision {one.id} {problem}"
        for one in made
        for problem in _of_decision(one, evidence.directive)
    ]
    held: list[JsonValue] = [
        [one.uri, one.metadata.get("verdict"), one.metadata.get("policy_digest")] for one in made
    ]
    said: list[JsonValue] = [
        [data.get("artifact"), data.get("verdict"), data.get("policy_digest")]
        for data in particulars(evidence, "policy.evaluated")
    ]
    problems += unlike_log("decision", held, said)
    words = f"{counted(len(made), 'decision')}, made again with the same result"
    return judged("decisions", problems, words if made else "none was made")


def _of_decision(artifact: Artifact, directive: DirectiveRead) -> Iterator[str]:
    """Yield what is wrong with a stored decision, which is made again from its input."""
    stored = read_evaluation(artifact)
    if stored is None:
        yield "cannot be read"
        return
    if stored.policy.digest != stored.policy_digest:
        yield "was made by another policy than it says"
    if action_digest(stored.intent) != stored.action_digest:
        yield "is about another action than it says"
    if not same(stored.intent, dict(intent_of(directive))):
        yield "is about other content than the directive has"
    seen = PolicyInput(stored.intent, stored.action_digest, stored.committed, stored.announced)
    again = list(decide(seen, stored.policy).results)
    if stored.action_digest != directive.action_digest:
        # The gate knows the digest that the content was frozen with, which no policy sees.
        again.append(CHANGED_CONTENT)
    if stored.verdict is not combine(again) or _outline(stored.results) != _outline(again):
        yield f"comes out otherwise when it is made again: {combine(again).value}"


def _outline(results: Iterable[PolicyResult]) -> list[tuple[str, ...]]:
    """Return what was found, by whom, and why; of changed content the gate's words may differ."""
    return [
        (one.policy, one.verdict, "" if one.policy == CHANGED_CONTENT.policy else one.reason)
        for one in results
    ]
