"""Who takes part in what a bundle tells: principals and their tokens. Pure."""

from typing import cast
from uuid import UUID

from remit.audit.bundle_records import Evidence, Person, Token
from remit.audit.bundle_said import claims
from remit.base.json_types import JsonObject
from remit.identity.types import KeptToken, Principal, PrincipalRow, TokenRow
from remit.vocabulary import Ability, Role


def people_named(evidence: Evidence) -> set[str]:
    """Return everybody who issued, voted, filed, or owns or made one of the tokens."""
    voters = {vote.voter for asked in evidence.requests for vote in asked.votes}
    owners = {name for token in evidence.tokens for name in (token.principal, token.created_by)}
    filed = {
        str(one.metadata.get("filed_by")) for one in evidence.artifacts if one.type == "attachment"
    }
    proposed = {str(one) for one in [claims(evidence.issued).get("proposed_by")] if one is not None}
    return {evidence.directive.issued_by, *proposed, *voters, *owners, *filed}


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


def principal_row(person: Person) -> PrincipalRow:
    """Return a principal as identity keeps it."""
    return PrincipalRow(
        Principal(
            person.name,
            person.kind,
            cast("tuple[Role, ...]", person.roles),
            person.groups,
            person.acts_for,
        ),
        person.created_by,
        person.created_at,
        person.disabled_at,
        person.revision,
        person.envelope,
    )


def kept_token(token: Token) -> KeptToken:
    """Return a token as identity keeps it."""
    row = TokenRow(
        token.id,
        token.principal,
        cast("tuple[Ability, ...]", token.scopes),
        token.created_by,
        token.created_at,
        token.expires_at,
        token.revoked_at,
        token.created_with,
        token.redeemed,
        token.revoked_since,
        token.revocation,
    )
    return KeptToken(row, token.hash, token.envelope)
