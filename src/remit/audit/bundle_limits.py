"""What no check of a bundle can find out, and why: to be said beside what it did. Pure.

A bundle shows what an installation's key signed, and what was signed in it. It cannot show what
nobody signed, nor that who signed told the truth.
"""

from collections.abc import Iterator

from remit.audit.bundle_facts import Check
from remit.audit.bundle_records import Evidence

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


def not_checkable(evidence: Evidence, checks: tuple[Check, ...]) -> tuple[str, ...]:
    """Return what cannot be found out about a bundle by itself, most particular first.

    Args:
        evidence: what the bundle says.
        checks: what was found out.
    """
    return (*_of_rows(checks), *_of_log(evidence, checks), *ALWAYS)


def _of_rows(checks: tuple[Check, ...]) -> Iterator[str]:
    """Yield what nothing but the rows says, since it was made before it had to be signed."""
    for check in checks:
        for each in check.unborne:
            yield f"{each}: not borne out"


def _of_log(evidence: Evidence, checks: tuple[Check, ...]) -> Iterator[str]:
    kept = any(check.name == "kept checkpoint" for check in checks)
    if evidence.inclusion is None and not kept:
        yield UNCOVERED
    elif evidence.inclusion is None or evidence.inclusion.head.seq < len(evidence.events):
        yield LATER
    if not evidence.says_who_said_it:
        yield (
            "who issued it, who voted with which token, and how its runs ended: the bundle was "
            "made before statements named an installation, and none of it is borne out"
        )
