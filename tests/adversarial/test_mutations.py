"""Content changed behind Remit's back after its approval: nothing of it executes."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Literal
from uuid import UUID

import pytest
import sqlalchemy as sa

from remit.directives.digest import action_digest
from remit.directives.models import INTENT_FIELDS, DirectiveRead
from remit.execution import grants
from tests.adversarial.attacking import (
    Hands,
    believe_grants,
    ended,
    forgery,
    proposed_many,
    worker,
)
from tests.adversarial.mutating import CHANGED, CONTENT, HARMFUL, HARMLESS, Content, merged
from tests.support.contents import cast, waiting

Depth = Literal["content", "digest", "grant"]
Step = Callable[[Hands, UUID], object]
JSON = ("payload", "constraints", "success_metrics")
RANDOM = 1000


@pytest.fixture
def hands(engine: sa.Engine) -> Iterator[Hands]:
    with worker(engine) as made:
        yield made


def rewrite(engine: sa.Engine, changed: dict[UUID, Content], depth: Depth = "content") -> None:
    """Write other content into directives, and make what else is asked for fit it.

    `digest`: the directive's own digest; `grant`: its grant's digest and module as well.
    """
    sets = ", ".join(
        f"{name} = %({name})s::jsonb" if name in JSON else f"{name} = %({name})s"
        for name in INTENT_FIELDS
    )
    with forgery(engine, "directives", "grants") as connection:
        for directive_id, content in changed.items():
            values = {
                name: value if value is None or name not in JSON else json.dumps(value)
                for name, value in content.items()
            }
            values |= {"id": directive_id, "digest": action_digest(content)}
            connection.execute(f"UPDATE directives SET {sets} WHERE id = %(id)s".encode(), values)  # noqa: S608 - Remit's own names
            if depth != "content":
                connection.execute(
                    "UPDATE directives SET action_digest = %(digest)s WHERE id = %(id)s", values
                )
            if depth == "grant":
                connection.execute(
                    "UPDATE grants SET action_digest = %(digest)s, module = %(type)s"
                    " WHERE directive_id = %(id)s",
                    values,
                )


def by_field(engine: sa.Engine, **changes: Any) -> dict[str, DirectiveRead]:
    """Return one approved directive for each field that is to be changed."""
    found = proposed_many(engine, [CONTENT | changes] * len(INTENT_FIELDS))
    return dict(zip(INTENT_FIELDS, found, strict=True))


def attack(
    engine: sa.Engine, victims: dict[str, DirectiveRead], depth: Depth = "content", **base: Any
) -> None:
    """Change one field of each victim."""
    rewrite(
        engine,
        {one.id: merged(CONTENT | base, {name: CHANGED[name]}) for name, one in victims.items()},
        depth,
    )


def nothing(hands: Hands, directive_id: UUID) -> None:
    """Leave the directive as its approval left it: granted, and not started."""


def create_the_run(hands: Hands, directive_id: UUID) -> None:
    """Let the run of a long module be created, and not begun."""
    assert hands.start(directive_id).long_module_seconds is not None


def lose_the_worker(hands: Hands, directive_id: UUID) -> None:
    """Let the first attempt begin, and its worker be lost before it calls the module."""
    hands.lose(directive_id)


STEPS = {
    "granted": (nothing, "test", "blocked"),
    "granted, long": (nothing, "validate", "blocked"),
    "run created": (create_the_run, "validate", "aborted"),
    "attempt lost": (lose_the_worker, "test", "executing"),
    "attempt lost, long": (lose_the_worker, "validate", "executing"),
}
"""How far each directive goes before it is changed, its module, and what it must become.

Whether an attempt that was lost had an effect, nobody knows."""

REASONS = {
    "content": "action_changed",
    "digest": "action_changed",
    "grant": "approval_unverifiable",
}
"""What Remit must say, by how thoroughly the attacker made the rows fit one another."""


@pytest.mark.parametrize("depth", REASONS)
@pytest.mark.parametrize("step", STEPS)
def test_no_field_that_is_changed_after_the_approval_is_executed(
    engine: sa.Engine, hands: Hands, step: str, depth: Depth
) -> None:
    advance, module, status = STEPS[step]
    victims = by_field(engine, type=module)
    for one in victims.values():
        advance(hands, one.id)
    attack(engine, victims, depth, type=module)
    for one in victims.values():
        hands.work(one.id)
    found = {name: ended(engine, one.id) for name, one in victims.items()}
    reason = "in_doubt" if status == "executing" else REASONS[depth]
    assert found == dict.fromkeys(victims, (status, reason))
    assert hands.effects == []


@pytest.mark.parametrize("step", STEPS)
def test_without_the_check_of_the_digest_every_changed_field_is_executed(
    engine: sa.Engine, hands: Hands, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe_grants(monkeypatch)
    advance, module, _ = STEPS[step]
    victims = by_field(engine, type=module)
    # A change of `type` is refused a second time, by the database: no grant names that module.
    victims.pop("type")
    for one in victims.values():
        advance(hands, one.id)
    attack(engine, victims, type=module)
    for one in victims.values():
        hands.work(one.id)
    assert hands.struck == {one.id for one in victims.values()}
    harmed = {effect.payload["amount"] for effect in hands.effects}
    assert harmed == {CONTENT["payload"]["amount"], CHANGED["payload"]["amount"]}


def test_content_that_changes_while_people_are_asked_is_not_executed(
    engine: sa.Engine, hands: Hands
) -> None:
    for name in INTENT_FIELDS:
        asked = CONTENT | {"scope": "staging"}
        victim = waiting(engine, **asked)
        rewrite(engine, {victim.id: merged(asked, {name: CHANGED[name]})})
        cast(engine, victim)
        hands.work(victim.id)
        assert ended(engine, victim.id) == ("blocked", "action_changed"), name
    assert hands.effects == []


@pytest.mark.slow
@pytest.mark.timeout(90)
def test_of_a_thousand_random_mutations_only_those_that_change_nothing_are_executed(
    engine: sa.Engine, hands: Hands
) -> None:
    rng = random.Random("remit")
    found = proposed_many(engine, [CONTENT] * RANDOM)
    harmless, changed = set(), {}
    for number, one in enumerate(found):
        kind = rng.choice(HARMLESS if number % 20 == 0 else HARMFUL)
        changed[one.id] = merged(CONTENT, kind(CONTENT, rng))
        if kind in HARMLESS:
            harmless.add(one.id)
        else:
            # Told without any code of Remit: the attacker did change something.
            assert json.dumps(changed[one.id], sort_keys=True) != CONTENT_TEXT, kind
    rewrite(engine, changed)
    for one in found:
        hands.start(one.id)
    assert hands.struck == harmless
    assert len(hands.effects) == len(harmless) == RANDOM // 20
    others = {ended(engine, one.id) for one in found if one.id not in harmless}
    assert others == {("blocked", "action_changed")}


CONTENT_TEXT = json.dumps(CONTENT, sort_keys=True)


@pytest.mark.parametrize(
    "amount", ["1e300", "9007199254740993", "1" + "0" * 308], ids=["1e300", "2**53+1", "10**308"]
)
def test_content_that_no_digest_can_be_made_of_is_blocked_as_changed(
    engine: sa.Engine, hands: Hands, amount: str
) -> None:
    [victim] = proposed_many(engine, [CONTENT])
    with forgery(engine, "directives") as connection:
        connection.execute(
            "UPDATE directives SET payload = %s::jsonb WHERE id = %s",
            ['{"amount": ' + amount + "}", victim.id],
        )
    hands.start(victim.id)
    assert ended(engine, victim.id) == ("blocked", "action_changed")
    assert hands.effects == []


def test_a_mutation_is_told_from_a_harmless_one_by_the_digest_alone(
    engine: sa.Engine, hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Takes the digest's sight of the payload out, and shows the damage."""

    def blind(intent: Content) -> str:
        return action_digest(intent | {"payload": CONTENT["payload"]})

    monkeypatch.setattr(grants, "action_digest", blind)
    [victim] = proposed_many(engine, [CONTENT])
    rewrite(engine, {victim.id: merged(CONTENT, {"payload": {"amount": 500000}})})
    hands.start(victim.id)
    assert [effect.payload for effect in hands.effects] == [{"amount": 500000}]
