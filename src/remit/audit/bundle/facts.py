"""What the checks of a bundle share: their answer, and what rows and log say, parsed. Pure.

Nothing that is read here is trusted to have the shape that Remit gives it: the bundle may be of a
database that somebody tampered with.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from pydantic import JsonValue, TypeAdapter, ValidationError

from remit.approval.statements import verify_vote
from remit.approval.types import Vote
from remit.artifacts.types import Artifact
from remit.audit.bundle.types import Asked, Bundle, Person, Token
from remit.audit.chain import parsed_data
from remit.audit.run_ends import claims
from remit.base.canonical import canonical_json
from remit.base.json_types import JsonObject
from remit.errors import UnverifiableError
from remit.identity.types import KeptToken, Principal, PrincipalRow, TokenRow
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
        detail: what was found, for a person.
        unborne: what was taken as the rows say it, since it was made before it had to be signed.
    """

    name: str
    holds: bool
    detail: str
    unborne: tuple[str, ...] = ()


def judged(
    name: str, problems: Iterable[str], otherwise: str, unborne: Iterable[str] = ()
) -> Check:
    """Return the check of that name; `otherwise` is said when nothing is wrong."""
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


def unlike_log(noun: str, held: Iterable[JsonValue], logged: Iterable[JsonValue]) -> list[str]:
    """Return what of the rows the log does not tell, and what it tells beyond them.

    `noun` is what the rows are, in the singular; `held` is what the log must tell of each.
    """
    rows, events = Counter(map(canonical_json, held)), Counter(map(canonical_json, logged))
    untold, gone = (rows - events).total(), (events - rows).total()
    problems = [f"the log does not tell of {counted(untold, noun)}"] if untold else []
    if gone:
        problems.append(f"the log tells of {counted(gone, noun)} beyond what there is")
    return problems


def particulars(bundle: Bundle, event_type: str) -> Iterator[JsonObject]:
    """Yield the data of every event of one type, oldest first."""
    return (parsed_data(event.data) for event in bundle.events if event.type == event_type)


def of_type(bundle: Bundle, wanted: ArtifactType) -> list[Artifact]:
    """Return the artifacts of one type, oldest first."""
    return [one for one in bundle.artifacts if one.type == wanted]


@dataclass(frozen=True)
class StoredDecision:
    """A decision of the gate with all of its input, as its artifact has it.

    Attributes:
        committed: what stood under each limit on spending.
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


_DECISION = TypeAdapter(StoredDecision)


def read_decision(artifact: Artifact) -> StoredDecision | None:
    """Return the decision that an artifact holds; None when it holds none."""
    try:
        return _DECISION.validate_python(artifact.metadata)
    except ValidationError:
        return None


def decisions_of(bundle: Bundle) -> list[StoredDecision]:
    """Return every decision that can be read, oldest first."""
    found = map(read_decision, of_type(bundle, "policy_evaluation"))
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


def people_named(bundle: Bundle) -> set[str]:
    """Return everybody who issued, voted, filed, or owns or made one of the tokens."""
    voters = {vote.voter for asked in bundle.requests for vote in asked.votes}
    owners = {name for token in bundle.tokens for name in (token.principal, token.created_by)}
    filed = {
        str(one.metadata.get("filed_by")) for one in bundle.artifacts if one.type == "attachment"
    }
    proposed = {str(one) for one in [claims(bundle.issued).get("proposed_by")] if one is not None}
    return {bundle.directive.issued_by, *proposed, *voters, *owners, *filed}


def tokens_named(bundle: Bundle) -> set[UUID]:
    """Return the tokens that somebody voted with, and the one that the directive came with."""
    cast = {vote.token_id for asked in bundle.requests for vote in asked.votes}
    return {one for one in (*cast, claimed_token(bundle.issued)) if one is not None}


def claimed_token(envelope: JsonObject | None) -> UUID | None:
    """Return the token that a statement names, unverified; None: it names none."""
    named = claims(envelope).get("token")
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None


def principal_row(person: Person) -> PrincipalRow:
    """Return a principal as identity keeps it."""
    one = _values(person)
    shown = {name: one.pop(name) for name in ("name", "kind", "roles", "groups", "acts_for")}
    return PrincipalRow(Principal(**shown), **one)


def kept_token(token: Token) -> KeptToken:
    """Return a token as identity keeps it."""
    one = _values(token)
    beside = {name: one.pop(name) for name in ("hash", "envelope")}
    return KeptToken(TokenRow(**one), **beside)


def _values(one: Person | Token) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}
