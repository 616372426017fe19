"""What the checks of a bundle share: their answer, and what evidence and log say, parsed. Pure.

Nothing that is read here is trusted to have the shape that Remit gives it: the bundle may be of a
database that somebody tampered with.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter, ValidationError

from remit.approval.statements import verify_vote
from remit.approval.types import Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle import carried
from remit.audit.bundle_records import Asked, Evidence
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.policy.config import PolicyConfig
from remit.policy.types import PolicyDecision, PolicyResult
from remit.signing.keys import Keyring
from remit.vocabulary import ArtifactType, PolicyVerdict

MOST_TOLD = 3
"""How many problems one check tells of; it counts the rest."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was found out about a bundle.

    Attributes:
        name: what was looked at.
        holds: whether it is as it must be.
        detail: what was found, for a person.
        unborne: what was taken as the rows say it, since it was made before it had to be signed.
    """

    name: str
    holds: bool
    detail: str
    unborne: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """A decision of the gate, as its artifact has it.

    Attributes:
        intent: the content that the gate saw.
        action_digest: the digest of that content, as it was then.
        committed: what stood under each limit on spending.
        policy: the policy in force.
        policy_digest: the digest of that policy, as it was then.
        verdict: the gate's answer.
        results: what every policy found.
        announced: the tools that workers had announced; None: the gate did not ask yet.
    """

    intent: JsonObject
    action_digest: str
    committed: dict[str, str]
    policy: PolicyConfig
    policy_digest: str
    verdict: PolicyVerdict
    results: tuple[PolicyResult, ...]
    announced: tuple[str, ...] | None = None

    @property
    def approval_reasons(self) -> tuple[str, ...]:
        """Every reason for which a person had to decide."""
        decision = PolicyDecision(self.verdict, self.results, "", self.policy_digest)
        return decision.approval_reasons


def judged(
    name: str, problems: Iterable[str], otherwise: str, unborne: Iterable[str] = ()
) -> Check:
    """Return the check of that name.

    Args:
        name: what was looked at.
        problems: all that is wrong.
        otherwise: what to say when nothing is.
        unborne: what nothing but the rows themselves says, as for :class:`Check`.
    """
    found, taken = list(problems), tuple(unborne)
    if not found:
        words = f"as far as it had to be signed ({len(taken)} not borne out): {otherwise}"
        return Check(name, holds=True, detail=words if taken else otherwise, unborne=taken)
    more = [f"and {len(found) - MOST_TOLD} more"] if len(found) > MOST_TOLD else []
    return Check(name, holds=False, detail="; ".join([*found[:MOST_TOLD], *more]), unborne=taken)


def counted(number: int, noun: str) -> str:
    """Return "1 vote", "2 votes"; nouns that take an s only."""
    return f"{number} {noun}" + "s" * (number != 1)


def same(one: JsonValue, other: JsonValue) -> bool:
    """Return whether two values are the same JSON; Python takes 1 and true for the same."""
    return canonical_json(one) == canonical_json(other)


def particulars(evidence: Evidence, event_type: str) -> Iterator[JsonObject]:
    """Yield the data of every event of one type, oldest first; none when it is no object."""
    for event in evidence.events:
        if event.type == event_type:
            yield parsed_data(event.data)


def parsed_data(text: str) -> JsonObject:
    """Return the object that the data of an event is; another one when it is none."""
    try:
        return carried(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def of_type(evidence: Evidence, wanted: ArtifactType) -> list[Artifact]:
    """Return the artifacts of one type, oldest first."""
    return [one for one in evidence.artifacts if one.type == wanted]


def read_evaluation(artifact: Artifact) -> Evaluation | None:
    """Return the decision that an artifact holds; None when it holds none."""
    try:
        return _EVALUATION.validate_python(artifact.metadata)
    except ValidationError:
        return None


def evaluations(evidence: Evidence) -> list[Evaluation]:
    """Return every decision that can be read, oldest first."""
    found = map(read_evaluation, of_type(evidence, "policy_evaluation"))
    return [one for one in found if one is not None]


def signed_votes(asked: Asked, keys: Keyring) -> tuple[list[Vote], list[str]]:
    """Return the votes on a request that were signed, and what is wrong with the others."""
    signed: list[Vote] = []
    problems: list[str] = []
    for vote in asked.votes:
        try:
            verify_vote(vote, asked.request, keys)
            signed.append(vote)
        except UnverifiableError as error:
            problems.append(f"the vote of {vote.voter} does not verify: {error}")
    return signed, problems


def unlike_log(noun: str, held: Iterable[JsonValue], said: Iterable[JsonValue]) -> list[str]:
    """Return what of the rows the log does not tell, and what it tells beyond them.

    Args:
        noun: what the rows are, in the singular.
        held: what the log must tell of each row.
        said: what it does tell.
    """
    rows, told = Counter(map(canonical_json, held)), Counter(map(canonical_json, said))
    untold, gone = sum((rows - told).values()), sum((told - rows).values())
    problems = [f"the log does not tell of {counted(untold, noun)}"] if untold else []
    if gone:
        problems.append(f"the log tells of {counted(gone, noun)} beyond what there is")
    return problems


_EVALUATION = TypeAdapter(Evaluation)
