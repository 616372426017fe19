"""What only a person can do is given to nothing else, and what has it from before is no trouble."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from remit.errors import InvalidInputError
from remit.identity.types import Principal
from remit.operations.identities.authentication import authenticate
from remit.operations.identities.directory import (
    change_principal,
    ensure_principals,
    read_principals,
    read_tokens,
)
from remit.vocabulary import PrincipalKind, Role
from tests.integration.operations.test_identity import token_for, told
from tests.support.keys import KEYS
from tests.support.people import ADMIN, know, person

FOR_PEOPLE: dict[str, tuple[tuple[Role, ...], str]] = {
    "admin": (("admin",), "admin"),
    "approver": (("proposer", "approver"), "approver"),
    "both": (("admin", "approver", "auditor"), "approver and admin"),
}


@pytest.mark.parametrize("case", FOR_PEOPLE)
@pytest.mark.parametrize("kind", ["agent", "service"])
def test_no_door_gives_a_machine_what_only_a_person_can_do(
    engine: sa.Engine, kind: PrincipalKind, case: str
) -> None:
    roles, named = FOR_PEOPLE[case]
    machine = Principal(f"robot-{kind}", kind, roles=("proposer", "operator", "auditor"))
    ensure_principals(engine, [machine], by=ADMIN, keys=KEYS)
    before = (told(engine), read_tokens(engine, by=ADMIN), read_principals(engine, by=ADMIN))
    for call in (
        lambda: token_for(engine, Principal("robot-new", kind, roles=roles)),
        lambda: token_for(engine, replace(machine, roles=roles)),
        lambda: ensure_principals(
            engine, [person("new"), replace(machine, roles=roles)], by=ADMIN, keys=KEYS
        ),
        lambda: change_principal(engine, machine.name, roles=roles, groups=[], by=ADMIN, keys=KEYS),
    ):
        with pytest.raises(InvalidInputError) as caught:
            call()
        article = "an" if kind == "agent" else "a"
        assert str(caught.value) == (
            f"role: {named}: only for people, since {article} {kind} can never vote or "
            "administer; say proposer, operator or auditor"
        )
    assert before == (
        told(engine),
        read_tokens(engine, by=ADMIN),
        read_principals(engine, by=ADMIN),
    )


def test_a_machine_that_was_given_a_role_for_people_is_listed_and_still_acts(
    engine: sa.Engine,
) -> None:
    old = Principal("old-robot", "agent", roles=("admin", "proposer"))
    know(engine, old)
    assert old in [one.principal for one in read_principals(engine, by=ADMIN)]
    made = token_for(engine, replace(old, roles=()))
    assert authenticate(engine, str(made.token), KEYS) == old
    row = change_principal(engine, old.name, roles=["proposer"], groups=[], by=ADMIN, keys=KEYS)
    assert row.principal.roles == ("proposer",)
