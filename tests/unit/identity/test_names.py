"""What a principal may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import InvalidInputError
from remit.identity.names import check_name, name_from

GOOD = ["a", "7", "ada", "ada.lovelace", "ada@example.org", "agent-1", "a_b", "a" * 100]
BAD = [
    "",
    " ",
    "Ada",
    "a b",
    " ada",
    "ada ",
    "ada\n",
    "-ada",
    ".ada",
    "@ada",
    "_ada",
    "a" * 101,
    "a/b",
    "a,b",
    "a\x00",
    "ad\u0430",  # a Cyrillic a
    "ad\u0131",  # a dotless i
    "\u202eada",  # written from right to left
    "ada\u200b",  # with a space that nobody sees
    "\uff41da",  # a wide a
    "7\u0661",  # an Arabic digit
]


@pytest.mark.parametrize("name", GOOD)
def test_a_plain_name_is_taken(name: str) -> None:
    check_name(name, field="name")


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_any_other_is_refused_with_its_field(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_name(name, field="acts_for")
    assert caught.value.field == "acts_for"
    assert caught.value.message.endswith(
        "is no principal's name: use lower-case letters, digits, and . _ @ - "
        "after the first, at most 100 in all"
    )
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ("ada", "ada"),
        ("Ada Lovelace", "ada-lovelace"),
        ("_apt", "apt"),
        ("Ä", "operator"),
        ("", "operator"),
        ("---", "operator"),
        ("x" * 300, "x" * 100),
        ("CORP\\ada", "corp-ada"),
    ],
)
def test_an_account_gets_the_nearest_name(account: str, name: str) -> None:
    assert name_from(account) == name


@given(st.text())
def test_the_nearest_name_to_anything_is_a_name(text: str) -> None:
    check_name(name_from(text), field="name")


def test_nobody_is_called_as_remit_calls_itself() -> None:
    with pytest.raises(InvalidInputError) as caught:
        check_name("remit", field="name")
    assert str(caught.value) == "name: remit is what Remit calls itself: choose another"
    assert name_from("Remit") == "operator"
