"""What a token is, and how little of it is shown or kept."""

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import UnauthenticatedError
from remit.identity.tokens import Code, Token, new_code, new_token, parse_code, parse_token

TOKEN = Token(UUID(int=0xABC), "s" * 43)
TEXT = f"remit_{'0' * 29}abc_{'s' * 43}"


def test_a_token_is_written_in_one_way() -> None:
    assert str(TOKEN) == TEXT
    assert len(TEXT) == 82
    assert parse_token(TEXT) == TOKEN


def test_space_around_a_token_does_not_matter() -> None:
    assert parse_token(f"  {TEXT}\n") == TOKEN


def test_a_new_token_is_like_no_other_and_reads_back() -> None:
    made = [new_token() for _ in range(100)]
    assert len({one.id for one in made}) == len({one.secret for one in made}) == 100
    assert [parse_token(str(one)) for one in made] == made


def test_the_whole_token_goes_into_its_hash() -> None:
    assert TOKEN.hash == hashlib.sha256(TEXT.encode()).hexdigest()
    assert Token(UUID(int=0xABD), TOKEN.secret).hash != TOKEN.hash
    assert Token(TOKEN.id, "t" + "s" * 42).hash != TOKEN.hash


def test_only_its_own_hash_matches() -> None:
    assert TOKEN.matches(TOKEN.hash)
    for stored in ("", TOKEN.hash.upper(), TOKEN.hash[:-1], new_token().hash, TEXT):
        assert not TOKEN.matches(stored)


def test_hashes_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return True

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert TOKEN.matches("anything")
    assert compared == [(TOKEN.hash, "anything")]


def test_a_log_or_a_traceback_shows_no_secret() -> None:
    assert repr(TOKEN) == f"Token({TOKEN.id})"
    assert TOKEN.secret not in repr([TOKEN]) + f"{TOKEN!r}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "remit",
        TEXT[:-1],
        TEXT + "s",
        TEXT.replace("remit", "Remit"),
        TEXT.replace("abc", "ABC"),
        TEXT.replace("_", "-", 1),
        TEXT[:-1] + "\u0455",
        TEXT[:-1] + "=",
        TEXT.replace("abc", "ab\u0441"),
        f"{TEXT} {TEXT}",
        f"Bearer {TEXT}",
    ],
    ids=ascii,
)
def test_what_has_another_form_is_refused_and_nothing_of_it_is_repeated(text: str) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        parse_token(text)
    assert str(caught.value) == (
        "this is no token: it begins with remit_ and is 82 characters long; "
        "`remit token create` makes one"
    )


@given(st.text())
def test_any_other_text_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(UnauthenticatedError, match="this is no token"):
        parse_token(text)


def test_a_code_reads_back_and_is_no_token() -> None:
    code = new_code()
    assert parse_code(f" {code}\n") == code
    assert len(str(code)) == 89
    assert repr(code) == f"Code({code.id})"
    with pytest.raises(UnauthenticatedError, match="this is no token"):
        parse_token(str(code))


@pytest.mark.parametrize(
    "text", ["", TEXT, str(Code(TOKEN.id, TOKEN.secret)) + "s", "remit_invite_"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError, match="this is no invitation's code") as caught:
        parse_code(text)
    assert TOKEN.secret not in str(caught.value)
