"""Checks of a bundle about artifacts: whole, named by the log, filed by whom they name. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from pydantic import JsonValue

from remit.artifacts.statements import FILED_BY, verify_filing
from remit.artifacts.types import Artifact, artifact_uri
from remit.audit.bundle.facts import Check, counted, judged, of_type
from remit.audit.bundle.origin import is_before
from remit.audit.bundle.types import Bundle
from remit.audit.chain import Event, parsed_data
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead
from remit.errors import UnverifiableError
from remit.signing.keys import Keyring


def artifacts(bundle: Bundle) -> Check:
    """Check that each artifact gives its digest, and that all that is spoken of is there."""
    problems = [
        f"{one.type} {one.id} was changed: its content does not give its digest"
        for one in bundle.artifacts
        if not _is_intact(one, bundle.directive)
    ]
    digests = {one.uri: one.digest for one in bundle.artifacts}
    for event in bundle.events:
        data = parsed_data(event.data)
        about = data.get("artifact")
        named: dict[str, JsonValue] = {} if about is None else {str(about): None}
        for uri, digest in {**named, **_with_digests(data)}.items():
            if uri not in digests:
                problems.append(f"the log speaks of {uri}, which is not there")
            elif digest is not None and digests[uri] != digest:
                problems.append(f"the log speaks of {uri} with another digest")
    for end in of_type(bundle, "execution_end"):
        left = end.metadata.get("artifacts")
        uris = map(str, left) if isinstance(left, list) else ()
        problems += [f"a run left {uri}, which is not there" for uri in uris if uri not in digests]
    words = f"{counted(len(bundle.artifacts), 'artifact')}, each as its digest says"
    return judged("artifacts", problems, words)


def _is_intact(artifact: Artifact, directive: DirectiveRead) -> bool:
    content = canonical_json(artifact.metadata)
    stated = (artifact.directive_id, artifact.uri, artifact.digest, artifact.size_bytes)
    found = (directive.id, artifact_uri(artifact.id), sha256_digest(content), len(content))
    return stated == found


def named_evidence(bundle: Bundle) -> Check:
    """Check that the log names each artifact, once, with its digest."""
    naming = Counter(
        (uri, canonical_json(digest))
        for event in bundle.events
        for uri, digest in _with_digests(parsed_data(event.data)).items()
    )
    problems = []
    for one in bundle.artifacts:
        times = naming[one.uri, canonical_json(one.digest)]
        if times != 1:
            often = "does not name" if times == 0 else "names more than once"
            problems.append(f"the log {often} {one.type} {one.id} with its digest")
    words = f"{counted(len(bundle.artifacts), 'artifact')}, each named by the log"
    return judged("named evidence", problems, words)


def _with_digests(data: JsonObject) -> dict[str, JsonValue]:
    evidence = data.get("evidence")
    return evidence if isinstance(evidence, dict) else {}


def filings(bundle: Bundle, keys: Keyring) -> Check:
    """Check that each attachment was filed by whom it names, and that the log says so."""
    signed = {one.about: one.envelope for one in bundle.filings}
    filed = of_type(bundle, "attachment")
    problems: list[str] = []
    unborne: list[str] = []
    for one in filed:
        if is_before(bundle, one.created_at) and one.id not in signed:
            unborne.append(f"who filed attachment {one.id}: it was before they signed that")
        else:
            try:
                verify_filing(one, signed.get(one.id), keys)
            except UnverifiableError as error:
                problems.append(f"attachment {one.id} does not verify: {error.message}")
        actors = {event.actor for event in bundle.events if _tells_of(event, one)}
        if actors != {one.metadata.get(FILED_BY)}:
            problems.append(f"the log names another one who filed attachment {one.id}")
    problems += _in_other_words(bundle, filed, signed)
    known = {one.id for one in filed}
    gone = sum(about not in known for about in signed)
    if gone:
        problems.append(f"{counted(gone, 'attachment')} that was signed is not there")
    words = f"{counted(len(filed), 'attachment')}, each by whom it names"
    return judged("filings", problems, words if filed else "nothing was filed", unborne)


def _in_other_words(
    bundle: Bundle, filed: Sequence[Artifact], signed: Mapping[UUID, JsonObject | None]
) -> Iterator[str]:
    # Evidence that is no attachment is filed by nobody, and so was each before that was signed.
    for event in bundle.events:
        if event.type == "artifact.stored":
            kept = next((signed.get(one.id) for one in filed if _tells_of(event, one)), None)
            if parsed_data(event.data).get("envelope") != kept:
                yield f"row {event.seq} tells of a filing in other words than were signed"


def _tells_of(event: Event, artifact: Artifact) -> bool:
    is_filing = event.type == "artifact.stored"
    return is_filing and parsed_data(event.data).get("artifact") == artifact.uri
