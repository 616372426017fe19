"""Whether a bundle is whole: what was changed of content, log and evidence is found.

Whatever is changed here is signed anew with the key that is trusted, as if the database had held it
when the bundle was made. Exactly one check fails: the one that guards against it.
"""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from remit.audit.bundle.checks import check_bundle
from remit.audit.bundle.file import encode, read_bundle
from remit.errors import UnverifiableError
from tests.unit.audit.bundle_files import leaves, signed
from tests.unit.audit.bundle_parts import (
    KEYS,
    artifact,
)
from tests.unit.audit.bundle_tamperings import (
    OTHER,
    Life,
    Tampering,
    both,
    of,
    telling,
    with_artifact,
    with_event,
    without_artifact,
    without_event,
)
from tests.unit.audit.bundles import (
    INTEGRITY,
    blocked,
    done,
    failing,
    ready,
    stuck,
)

ALONE: dict[str, tuple[str, Life, Tampering, str]] = {
    "frozen digest": ("action digest", stuck, of(action_digest="sha256:0"), "was changed"),
    "content": ("action digest", stuck, of(objective="Other."), "was changed"),
    "no digest": ("action digest", stuck, of(action_digest=None), "the content was never frozen"),
    "edited row": (
        "log",
        done,
        lambda one: replace(one, events=(replace(one.events[0], actor="mallory"), *one.events[1:])),
        "row 1: it was edited: its content does not give its hash",
    ),
    "missing row": (
        "log",
        stuck,
        lambda one: replace(one, events=(*one.events, replace(one.events[0], seq=3, type="note"))),
        "row 2: it is missing",
    ),
    "row of another directive": (
        "log",
        blocked,
        lambda one: replace(
            one, events=(*one.events, replace(one.events[0], directive_id=OTHER, type="note"))
        ),
        "1 row of another directive",
    ),
    "reason of the status": (
        "status",
        blocked,
        of(status_reason="canceled"),
        "it is blocked (canceled), and the log says blocked (policy)",
    ),
    "status": ("status", stuck, of(status="blocked", status_reason="policy"), "says proposed"),
    "log without a status": (
        "status",
        stuck,
        with_event(0, type="note"),
        "it is proposed, and the log says None",
    ),
    "content of an artifact": (
        "artifacts",
        done,
        lambda one: replace(
            one,
            artifacts=tuple(
                replace(a, metadata={"text": "x"}) if a.type == "module_output" else a
                for a in one.artifacts
            ),
        ),
        "module_output 00000000-0000-0000-0000-000000000067 was changed",
    ),
    "artifact that a run left": (
        "artifacts",
        done,
        without_artifact("module_output"),
        "a run left",
    ),
    "artifact that the log speaks of": (
        "artifacts",
        stuck,
        telling("note", '{"artifact": "artifact://local/x"}'),
        "the log speaks of artifact://local/x, which is not there",
    ),
    "digest that the log speaks of": (
        "artifacts",
        blocked,
        telling(
            "note",
            f'{{"evidence": {{"{artifact(1, "policy_evaluation", {}).uri}": "x"}}}}',
        ),
        "with another digest",
    ),
    "a run that lists no artifacts": (
        "artifacts",
        done,
        both(
            with_artifact("execution_end", artifacts="x"),
            without_artifact("module_output"),
            telling("note", '{"artifact": 7}', 2),
        ),
        "the log speaks of 7",
    ),
    "decision that cannot be read": (
        "decisions",
        blocked,
        with_artifact("policy_evaluation", committed=...),
        "cannot be read",
    ),
    "policy of a decision": (
        "decisions",
        blocked,
        both(
            with_artifact("policy_evaluation", policy_digest="sha256:p"),
            with_event(
                1,
                data='{"verdict": "block", "policy_digest": "sha256:p", '
                f'"artifact": "{artifact(1, "policy_evaluation", {}).uri}"}}',
            ),
        ),
        "was made by another policy than it says",
    ),
    "reason of a decision": (
        "decisions",
        blocked,
        with_artifact("policy_evaluation", results=[]),
        "comes out otherwise when it is made again: block",
    ),
    "sum that a decision saw": (
        "decisions",
        ready,
        with_artifact("policy_evaluation", committed={"daily": "0.00"}),
        "comes out otherwise when it is made again: allow",
    ),
    "modules that a decision saw": (
        "decisions",
        ready,
        with_artifact("policy_evaluation", announced=["noop"]),
        "comes out otherwise when it is made again: block",
    ),
    "verdict of a decision": (
        "decisions",
        blocked,
        both(
            with_artifact("policy_evaluation", verdict="allow"),
            with_event(
                1,
                data='{"verdict": "allow", '
                f'"policy_digest": "{blocked().artifacts[0].metadata["policy_digest"]}", '
                f'"artifact": "{artifact(1, "policy_evaluation", {}).uri}"}}',
            ),
        ),
        "comes out otherwise when it is made again: block",
    ),
    "digest that a decision saw": (
        "decisions",
        blocked,
        with_artifact("policy_evaluation", action_digest="sha256:a"),
        "is about another action than it says",
    ),
    "decision that the log does not tell of": (
        "decisions",
        blocked,
        without_event("policy.evaluated"),
        "the log does not tell of 1 decision",
    ),
    "decision that the log alone tells of": (
        "decisions",
        stuck,
        telling("policy.evaluated", "{}"),
        "the log tells of 1 decision beyond what there is",
    ),
}
"""Which check fails, of which life, by what, and what it says."""


@pytest.mark.parametrize("name", ALONE)
def test_a_tampering_is_found_by_the_check_that_guards_against_it(name: str) -> None:
    check, live, tamper, words = ALONE[name]
    failed = failing(tamper(live()))
    assert list(failed) == [check]
    assert words in failed[check]


def test_each_of_these_checks_has_a_tampering_that_it_alone_finds() -> None:
    assert {check for check, *_ in ALONE.values()} == set(INTEGRITY)


def altered(value: Any) -> Any:
    """Return another value of the same kind; a moment is a year later."""
    if isinstance(value, str):
        return value.replace("2030-", "2031-") if value.startswith("2030-") else f"{value}x"
    return 7 if value != 7 else 8


def general(path: tuple[Any, ...]) -> str:
    """Return a path with a star for each place in a list."""
    return ".".join("*" if isinstance(key, int) else key for key in path)


UNGUARDED = {
    "exported_at",
    "exported_by",
}
"""What only the bundle's own signature guards: when it was made, and for whom."""


def test_every_other_field_of_the_database_is_guarded_by_a_check() -> None:
    content = json.loads(encode(done()))
    free = set()
    # Of each list the first and the last stand for all: every kind of row has a field of its own.
    kinds = [(general(path), path) for path in leaves(content)]
    for path in {*dict(kinds).values(), *dict(reversed(kinds)).values()}:
        copy = json.loads(json.dumps(content))
        place = copy
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = altered(place[path[-1]])
        with suppress(UnverifiableError):  # no reader takes it
            bundle = read_bundle(signed(copy), KEYS)
            if all(check.holds for check in check_bundle(bundle, KEYS)):
                free.add(general(path))
    assert free == UNGUARDED
