"""What people have said so far, as one line that nothing can be cut out of unseen. Pure.

Each vote names the digest of the one before it on its request, and a grant names all of them, those
of earlier requests of its directive included. So a rejection that somebody removed is missed by the
next vote, and by the grant. Whoever casts a vote or issues a grant asks this, and whoever audits.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from remit.approval.types import ApprovalRequest, Grant, Vote
from remit.base.canonical import canonical_json, sha256_digest
from remit.base.json_types import JsonObject

Answered = tuple[ApprovalRequest, Sequence[Vote]]
"""A request with every vote on it whose signature verifies, in the order of their rows."""


def vote_digest(vote: Vote) -> str:
    """Return the digest by which a later vote or a grant names this one: of its envelope."""
    return sha256_digest(canonical_json(vote.envelope))


def in_line(votes: Sequence[Vote]) -> list[Vote]:
    """Return signed votes each once, in the order given: a row can be written once more."""
    found: dict[str, Vote] = {}
    for vote in votes:
        found.setdefault(vote_digest(vote), vote)
    return list(found.values())


def previous_of(votes: Sequence[Vote]) -> str | None:
    """Return what the next vote must name as the one before it; None: it is the first."""
    line = in_line(votes)
    return vote_digest(line[-1]) if line else None


def line_problems(votes: Sequence[Vote]) -> list[str]:
    """Return where verified votes on one request do not follow from one another.

    One without a standing was cast before this was noted, and names none.
    """
    problems, before = [], None
    for vote in in_line(votes):
        if vote.standing is not None and vote.standing.get("previous") != before:
            problems.append(f"the vote of {vote.voter} follows another one than the one before it")
        before = vote_digest(vote)
    return problems


def heard(answers: Sequence[Vote], earlier: Sequence[Answered]) -> JsonObject | None:
    """Return what a grant says of all that people had answered; None: nobody was ever asked."""
    if not answers and not earlier:
        return None
    requests: list[JsonValue] = [
        {"id": str(request.id), "status": request.status, "answers": _digests(votes)}
        for request, votes in earlier
    ]
    return {"answers": _digests(answers), "requests": requests}


def heard_problems(grant: Grant, answers: Sequence[Vote], earlier: Sequence[Answered]) -> list[str]:
    """Return in what a grant of the second version differs from what there is; empty: in nothing.

    A grant of the first version says nothing of this, and must not be asked.
    """
    wanted = heard(answers, earlier)
    if canonical_json(grant.heard) == canonical_json(wanted):
        return []
    said, there = grant.heard or {}, wanted or {}
    problems = [
        words
        for name, words in (
            ("answers", "was issued after other answers than there are"),
            ("requests", "was issued after other requests, or answers to them, than there are"),
        )
        if said.get(name, []) != there.get(name, [])
    ]
    return problems or ["says otherwise than there is what was answered before it"]


def _digests(votes: Sequence[Vote]) -> list[JsonValue]:
    return [vote_digest(vote) for vote in in_line(votes)]
