"""What no check of a bundle can find out, and why: to be said beside what it did. Pure.

A bundle shows what an installation's key signed, and what was signed in it. It cannot show what
nobody signed, nor that who signed told the truth.
"""

from collections.abc import Iterator

from remit.audit.bundle_facts import Check
from remit.audit.bundle_records import Evidence

ALWAYS = (
    "that the directive is the only one of its kind: a bundle is about one, and others may have "
    "been left out of the log altogether; `remit audit verify` looks at all of them",
    "that the policy is the one that people meant: its digest is in the decision, and what it ought "
    "to say is not",
    "that whoever used a token was the person whose token it is",
    "what roles a voter had when they voted: the bundle has those that they have now",
    "that the clocks were right: all times are those of the database and of its workers",
    "that what a module reported is what it did, and what its artifacts describe is true",
    "who canceled or retried, and other actors in the log whom no statement names: the log says so, "
    "and whoever could write to the database could have written it",
    "what was signed with a key that was stolen: whoever has the installation's key can sign anything",
)
UNCOVERED = (
    "that the log was not rewritten before the export, in what nobody signs, or cut off after the "
    "last thing that somebody did: the bundle carries no proof against a checkpoint"
)
LATER = (
    "that the rows after the one in the checkpoint were not rewritten, in what nobody signs: only a "
    "later checkpoint covers those"
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
