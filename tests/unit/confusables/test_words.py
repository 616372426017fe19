"""Two names that a person takes for each other are found to look alike."""

import pytest

from remit.confusables.words import look_alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prod", "prod"),
        ("prod", "PROD"),
        ("prod", "pr\u043ed"),
        ("PROD", "pr\u043ed"),
        ("test", "\uff54est"),
        ("a-b", "a\u2010b"),
        ("a\u2010b", "a\u2011b"),
        ("a b", "ab"),
        ("a\u2800b", "ab"),
        ("l0g", "IOg"),
        ("team1", "teaml"),
        ("stra\u00dfe", "STRA\u1e9eE"),
    ],
)
def test_names_that_are_one_to_the_eye_look_alike(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("prod", "product"), ("eu-1", "eu-2"), ("test", "rest"), ("a-b", "a_b"), ("", "a")],
)
def test_names_that_differ_to_the_eye_do_not(one: str, other: str) -> None:
    assert not look_alike(one, other)
    assert not look_alike(other, one)
