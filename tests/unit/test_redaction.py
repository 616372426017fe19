"""Secrets are found by the name they stand under and by their form, and nothing else is touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from remit.identity.tokens import new_token
from remit.redaction.masking import MASK, find_secret, redact, redact_object, redact_text
from remit.redaction.names import names_secret

CANARY = "c4n4ryc4n4ryc4n4ryc4n4ryc4n4ry"

FORMS = [
    f"password={CANARY}",
    f'"api_key": "{CANARY}"',
    f"token: {CANARY}",
    f"client secret={CANARY}",
    f"OPENAI_API_KEY={CANARY}",
    f"AWS_SECRET_ACCESS_KEY = {CANARY}",
    f"PGPASSWORD='x' PGPASSWORD={CANARY}",
    f'"db_password": "{CANARY}"',
    f"Authorization: Bearer {CANARY}",
    f"authorization: basic {CANARY}",
    f"postgresql://remit:{CANARY}@db.example:5432/remit",
    f"redis://:{CANARY}@cache.example/0",
    f"sk-ant-api03-{CANARY}",
    f"sk-proj-{CANARY}",
    f"sk_live_{CANARY}",
    f"glpat-{CANARY}",
    f"hf_{CANARY}",
    f"password='{CANARY}'",
    f"DB_PASSWORD='{CANARY}'",
    f"{{'password': '{CANARY}', 'api_key': '{CANARY}'}}",
    f"ghp_{CANARY}{CANARY}",
    f"github_pat_{CANARY}",
    f"xoxb-{CANARY}",
    f"AIza{CANARY}abcde",
    f"eyJhbGciOiJI.{CANARY}.{CANARY}",
    f"remit_{'0' * 32}_{CANARY}abcdefghijklm",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{CANARY}\n-----END OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("around", ["{}", "before {} after", '{{"x": "{}"}}'])
def test_a_secret_is_known_by_its_form(text: str, around: str) -> None:
    found = redact_text(around.format(text))
    assert CANARY not in found
    assert MASK in found


def test_a_token_of_remit_s_own_and_an_access_key_are_masked() -> None:
    assert redact_text(f"with {new_token()}.") == f"with {MASK}."
    assert redact_text("AKIAIOSFODNN7EXAMPLE") == MASK


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Password", "dbPassword", "DB_PASSWORD", "db-password", "passwd", "pwd"),
        *("secret", "clientSecret", "client_secret", "token", "accessToken", "access_token"),
        *("password1", "db_password_2", "accesstoken"),
        *("apikey", "apiKey", "api_key", "X-API-Key", "privateKey", "signing_key", "secret key"),
        *("Authorization", "Cookie", "credentials", "passphrase", "AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_what_stands_under_a_name_of_a_secret_is_masked_whole(name: str) -> None:
    assert names_secret(name)
    values: list[JsonValue] = [CANARY, 7, [CANARY], {"deep": CANARY}]
    for value in values:
        assert redact_object({name: value}) == {name: MASK}
    assert redact_object({name: None}) == {name: None}
    assert redact_object({name: True}) == {name: True}


@pytest.mark.parametrize(
    "name",
    [
        *("", "key", "keys", "primary_key", "idempotency_key", "total_tokens", "max_tokens"),
        *("tokenizer", "secretary", "author", "monkey", "public_key", "kid", "digest", "name"),
    ],
)
def test_other_names_are_left_alone(name: str) -> None:
    assert not names_secret(name)
    assert redact_object({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the token was revoked",
        "sha256:" + "0" * 64,
        "artifact://local/00000000-0000-4000-8000-000000000000",
        "https://example.com:8443/a/b?c=d",
        "mailto:ada@example.com",
        "Temporal at 127.0.0.1:7233 does not answer",
        "-----BEGIN PUBLIC KEY-----",
        "risk-of-something-that-is-long-enough",
        "OPENAI_API_KEY: missing: set it",
        "max_tokens=40960 total_tokens = 90000",
    ],
)
def test_other_texts_are_left_alone(text: str) -> None:
    assert redact_text(text) == text


def test_what_is_nested_is_found_and_the_rest_keeps_its_shape() -> None:
    value: JsonValue = {"a": [1, 2.5, None, {"token": "t", "n": f"password={CANARY}"}], "b": "c"}
    assert redact(value) == {
        "a": [1, 2.5, None, {"token": MASK, "n": f"password={MASK}"}],
        "b": "c",
    }


def test_a_key_that_is_itself_a_secret_is_masked() -> None:
    assert redact_object({f"sk-{CANARY}": 1}) == {MASK: 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(FORMS),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(FORMS), inner),
    max_leaves=20,
)


@pytest.mark.untraced
@given(JSON)
def test_masking_twice_is_masking_once_and_no_canary_is_left(value: JsonValue) -> None:
    once = redact(value)
    assert redact(once) == once
    assert CANARY not in repr(once)


@pytest.mark.untraced
@given(JSON)
def test_a_secret_is_found_exactly_where_something_would_be_masked(value: JsonValue) -> None:
    assert (find_secret(value, "x") is not None) == (redact(value) != value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"payload": {"password": CANARY}}, "payload.password"),
        ({"payload": {"deep": [1, {"note": f"token={CANARY}"}]}}, "payload.deep.1.note"),
        ({"objective": f"Bearer {CANARY}"}, "objective"),
        ({"payload": {f"sk-{CANARY}": 1}}, f"payload.{MASK}"),
        ({"payload": {"password": MASK, "note": f"token={MASK}"}}, None),
        ({"payload": {"password": None, "has_token": True, "password_name": "db"}}, None),
        ({}, None),
    ],
)
def test_the_place_of_a_secret_is_told_and_nothing_of_it(
    value: JsonValue, place: str | None
) -> None:
    assert find_secret(value) == place


@pytest.mark.untraced
def test_the_time_grows_with_the_text_and_not_faster() -> None:
    """Texts that make a pattern with nested repetitions take minutes."""
    for piece in (
        "a://",
        "token ",
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaaaa.",
        "eyJ-",
        "sk-",
        "://:",
        "_token=",
        "_",
    ):
        redact_text(piece * 100_000)
