"""Of two names that are taken for each other none is chosen by chance: the file is refused."""

import pytest

from tests.unit.policy.policy_files import file
from tests.unit.policy.test_faults import refused


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (file(more='approval.approver_groups = ["sre", "SRE"]'), '"SRE" can be taken for "sre"'),
        (file(more='approval.approver_groups = ["a", "\u0430"]'), '"\\u0430" can be taken for "a"'),
        (file(scopes='"strasse", "stra\u00dfe"'), '"stra\u00dfe" can be taken for "strasse"'),
    ],
)
def test_names_that_are_taken_for_each_other_are_refused(text: str, told: str) -> None:
    assert told in refused(text)
