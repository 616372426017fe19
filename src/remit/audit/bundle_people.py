"""Who takes part in what a bundle tells: principals and their tokens. Pure."""

from uuid import UUID

from remit.audit.bundle_records import Evidence
from remit.audit.bundle_said import claims
from remit.json_types import JsonObject


def people_named(evidence: Evidence) -> set[str]:
    """Return everybody who issued, voted, filed, or owns or made one of the tokens."""
    voters = {vote.voter for asked in evidence.requests for vote in asked.votes}
    owners = {name for token in evidence.tokens for name in (token.principal, token.created_by)}
    filed = {
        str(one.metadata.get("filed_by")) for one in evidence.artifacts if one.type == "attachment"
    }
    return {evidence.directive.issued_by, *voters, *owners, *filed}


def tokens_named(evidence: Evidence, issued: JsonObject | None) -> set[UUID]:
    """Return the tokens that somebody voted with, and the one that the directive came with."""
    cast = {vote.token_id for asked in evidence.requests for vote in asked.votes}
    return {one for one in (*cast, token_said(issued)) if one is not None}


def token_said(envelope: JsonObject | None) -> UUID | None:
    """Return the token that a statement names; None: it names none. It is not verified here."""
    named = claims(envelope).get("token")
    try:
        return UUID(named) if isinstance(named, str) else None
    except ValueError:
        return None
