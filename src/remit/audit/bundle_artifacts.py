"""Checks of a bundle about artifacts: each is whole, and the log names each of them. Pure."""

from collections import Counter

from pydantic import JsonValue

from remit.artifacts.types import Artifact, artifact_uri
from remit.audit.bundle_facts import Check, counted, judged, of_type, parsed_data
from remit.audit.bundle_records import Evidence
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject
from remit.directives.models import DirectiveRead


def artifacts(evidence: Evidence) -> Check:
    """Check that each artifact gives its digest, and that all that is spoken of is there."""
    problems = [
        f"{one.type} {one.id} was changed: its content does not give its digest"
        for one in evidence.artifacts
        if not _is_intact(one, evidence.directive)
    ]
    digests = {one.uri: one.digest for one in evidence.artifacts}
    for event in evidence.events:
        for uri, digest in _named(parsed_data(event.data)).items():
            if uri not in digests:
                problems.append(f"the log speaks of {uri}, which is not there")
            elif digest is not None and digests[uri] != digest:
                problems.append(f"the log speaks of {uri} with another digest")
    problems += [
        f"a run left {uri}, which is not there"
        for end in of_type(evidence, "execution_end")
        for uri in _texts(end.metadata.get("artifacts"))
        if uri not in digests
    ]
    words = f"{counted(len(evidence.artifacts), 'artifact')}, each as its digest says"
    return judged("artifacts", problems, words)


def named(evidence: Evidence) -> Check:
    """Check that the log names each artifact, once, with its digest: it tells of no other."""
    told = Counter(
        (uri, canonical_json(digest))
        for event in evidence.events
        for uri, digest in _with_digests(parsed_data(event.data)).items()
    )
    problems = []
    for one in evidence.artifacts:
        times = told[one.uri, canonical_json(one.digest)]
        if times != 1:
            often = "does not name" if times == 0 else "names more than once"
            problems.append(f"the log {often} {one.type} {one.id} with its digest")
    words = f"{counted(len(evidence.artifacts), 'artifact')}, each named by the log"
    return judged("named evidence", problems, words)


def _with_digests(data: JsonObject) -> dict[str, JsonValue]:
    evidence = data.get("evidence")
    return evidence if isinstance(evidence, dict) else {}


def _named(data: JsonObject) -> dict[str, JsonValue]:
    """Return the artifacts that an event names, each with its digest; None where it gives none."""
    uri, evidence = data.get("artifact"), data.get("evidence")
    named: dict[str, JsonValue] = {} if uri is None else {str(uri): None}
    return {**named, **evidence} if isinstance(evidence, dict) else named


def _is_intact(artifact: Artifact, directive: DirectiveRead) -> bool:
    content = canonical_json(artifact.metadata)
    stated = (artifact.directive_id, artifact.uri, artifact.digest, artifact.size_bytes)
    found = (directive.id, artifact_uri(artifact.id), sha256_digest(content), len(content))
    return stated == found


def _texts(value: JsonValue) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
