"""Checks of a bundle about who asked, and who filed: the log names whoever signed it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from remit.artifacts.statements import FILED_BY, verify_filing
from remit.artifacts.types import Artifact
from remit.audit.bundle_facts import Check, counted, judged, parsed_data
from remit.audit.bundle_installation import is_before
from remit.audit.bundle_records import Evidence
from remit.audit.chain import Event
from remit.base.json_types import JsonObject
from remit.directives.statements import Proposer, intent_statement, verify_intent
from remit.errors import UnverifiableError
from remit.signing.keys import Keyring


def issuer(evidence: Evidence, keys: Keyring) -> Check:
    """Check that the directive was issued by whom it names, and that the log says so."""
    directive = evidence.directive
    problems = [
        f"the log begins with {event.actor}, and {directive.issued_by} issued it"
        for event in evidence.events[:1]
        if event.actor != directive.issued_by
    ]
    unborne: list[str] = []
    if directive.action_digest is None:
        return judged("issuer", problems, "a draft is nobody's word yet")
    issued = intent_statement(
        directive.id, directive.action_digest, directive.issued_by, directive.idempotency_key
    )
    try:
        proposer = verify_intent(issued, evidence.issued, keys)
        problems += _of_proposer(evidence, proposer)
    except UnverifiableError as error:
        if evidence.issued is None and is_before(evidence, directive.created_at):
            unborne.append("who issued the directive: it was stored before they signed that")
        else:
            problems.append(f"that {directive.issued_by} issued it {_not_so(error)}")
    return judged("issuer", problems, f"{directive.issued_by}, as was signed", unborne)


def _of_proposer(evidence: Evidence, proposer: Proposer) -> Iterator[str]:
    """Yield what is wrong with who proposed a directive, as was signed."""
    told = next((one for one in evidence.events if one.type == "directive.proposed"), None)
    if told is not None and told.actor != proposer.name:
        yield f"the log says that {told.actor} proposed it, and {proposer.name} did"
    person = next((one for one in evidence.people if one.name == proposer.name), None)
    if person is None or person.acts_for != proposer.acts_for:
        yield f"{proposer.name} acts for somebody else than was signed, or is not known"
    if proposer.token is not None:
        token = next((one for one in evidence.tokens if one.id == proposer.token), None)
        if token is None or token.principal != proposer.name:
            yield f"it was proposed with a token that is not one of {proposer.name}"


def filings(evidence: Evidence, keys: Keyring) -> Check:
    """Check that each attachment was filed by whom it names, and that the log says so."""
    signed = {one.about: one.envelope for one in evidence.filings}
    filed = [one for one in evidence.artifacts if one.type == "attachment"]
    problems: list[str] = []
    unborne: list[str] = []
    for one in filed:
        if is_before(evidence, one.created_at) and one.id not in signed:
            unborne.append(f"who filed attachment {one.id}: it was before they signed that")
        else:
            try:
                verify_filing(one, signed.get(one.id), keys)
            except UnverifiableError as error:
                problems.append(f"attachment {one.id} {_not_so(error)}")
        problems += _unlike_log(evidence, one)
    problems += [
        f"row {event.seq} tells of a filing in other words than were signed"
        for event in evidence.events
        if event.type == "artifact.stored" and not _in_its_words(event, filed, signed)
    ]
    known = {one.id for one in filed}
    gone = sum(about not in known for about in signed)
    if gone:
        problems.append(f"{counted(gone, 'attachment')} that was signed is not there")
    words = f"{counted(len(filed), 'attachment')}, each by whom it names"
    return judged("filings", problems, words if filed else "nothing was filed", unborne)


def _unlike_log(evidence: Evidence, artifact: Artifact) -> Iterator[str]:
    told = [event for event in evidence.events if _tells_of(event, artifact)]
    actors = {event.actor for event in told}
    if actors != {artifact.metadata.get(FILED_BY)}:
        yield f"the log names another one who filed attachment {artifact.id}"


def _in_its_words(
    event: Event, filed: Sequence[Artifact], signed: Mapping[UUID, JsonObject | None]
) -> bool:
    """Return whether an event has the very statement that is kept of what it tells; none for none.

    Evidence that is no attachment is filed by nobody, and so was each before that was signed.
    """
    kept = next((signed.get(one.id) for one in filed if _tells_of(event, one)), None)
    return parsed_data(event.data).get("envelope") == kept


def _tells_of(event: Event, artifact: Artifact) -> bool:
    is_filing = event.type == "artifact.stored"
    return is_filing and parsed_data(event.data).get("artifact") == artifact.uri


def _not_so(error: UnverifiableError) -> str:
    return f"does not verify: {error.message}"
