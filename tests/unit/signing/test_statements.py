"""A statement is signed as bytes, and holds only for the very same bytes, type and key."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.dsse import envelope_from_json
from remit.signing.keys import Keyring, load_keyring, new_signing_key
from remit.signing.statements import moment, sign_statement, verify_statement

KEYS = load_keyring(None, signing_key=new_signing_key())
TYPE = "application/vnd.remit.test+json"
CONTENT = b'{"a":1}'


def test_what_was_signed_verifies_also_where_nothing_can_be_signed() -> None:
    envelope = sign_statement(TYPE, CONTENT, KEYS)
    verify_statement(TYPE, envelope, CONTENT, KEYS)
    verify_statement(TYPE, envelope, CONTENT, Keyring(KEYS.trusted))


def test_the_envelope_holds_the_statement_as_it_is() -> None:
    envelope = envelope_from_json(sign_statement(TYPE, CONTENT, KEYS))
    assert (envelope.payload_type, envelope.payload, envelope.kid) == (TYPE, CONTENT, KEYS.kid)


def test_what_nobody_signed_does_not_verify() -> None:
    with pytest.raises(UnverifiableError) as caught:
        verify_statement(TYPE, None, CONTENT, KEYS)
    assert str(caught.value) == "it was never signed"


@pytest.mark.parametrize("content", [b"", b'{"a":2}', b'{"a": 1}', CONTENT + b"\n"])
def test_a_row_that_says_something_else_does_not_verify(content: bytes) -> None:
    with pytest.raises(UnverifiableError) as caught:
        verify_statement(TYPE, sign_statement(TYPE, CONTENT, KEYS), content, KEYS)
    assert str(caught.value) == "it is not what was signed: its row was changed"


def test_what_was_signed_as_something_else_or_by_somebody_else_does_not_verify() -> None:
    with pytest.raises(UnverifiableError, match="the envelope holds"):
        verify_statement(TYPE, sign_statement(TYPE + "2", CONTENT, KEYS), CONTENT, KEYS)
    others = load_keyring(None, signing_key=new_signing_key())
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        verify_statement(TYPE, sign_statement(TYPE, CONTENT, others), CONTENT, KEYS)


def test_what_is_no_envelope_does_not_verify() -> None:
    with pytest.raises(UnverifiableError, match="exactly the keys"):
        verify_statement(TYPE, {}, CONTENT, KEYS)


def test_a_keyring_that_only_verifies_signs_nothing() -> None:
    with pytest.raises(MisconfiguredError, match="no key to sign with"):
        sign_statement(TYPE, CONTENT, Keyring(KEYS.trusted))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))], ids=str)
def test_a_moment_is_written_alike_in_every_zone_to_the_microsecond(zone: timezone) -> None:
    when = datetime(2030, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    assert moment(when.astimezone(zone)) == "2030-01-02T03:04:05.000060Z"
