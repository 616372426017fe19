"""A statement is signed as bytes, and holds only for the very same bytes, type and key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from remit.base.json_types import JsonObject
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.dsse import envelope_from_json, envelope_to_json
from remit.signing.keys import Installation
from remit.signing.statements import (
    Kind,
    canonical,
    moment,
    sign_statement,
    stated,
    verify_statement,
)
from tests.support.keys import INSTALLATION, new_keys

KEYS = new_keys()
TYPE = Kind("test")
CONTENT: JsonObject = {"a": 1}
SIGNED = b'{"a":1,"installation":"%s"}' % str(INSTALLATION.id).encode()


def test_what_was_signed_verifies_also_where_nothing_can_be_signed() -> None:
    envelope = sign_statement(TYPE, CONTENT, KEYS)
    verify_statement(TYPE, envelope, CONTENT, KEYS)
    verify_statement(TYPE, envelope, CONTENT, replace(KEYS, signing_key=None))


def test_the_envelope_holds_the_statement_as_it_is() -> None:
    envelope = envelope_from_json(sign_statement(TYPE, CONTENT, KEYS))
    assert (envelope.payload_type, envelope.payload, envelope.kid) == (
        TYPE.payload_type,
        SIGNED,
        KEYS.kid,
    )


def test_what_nobody_signed_does_not_verify() -> None:
    with pytest.raises(UnverifiableError) as caught:
        verify_statement(TYPE, None, CONTENT, KEYS)
    assert str(caught.value) == "it was never signed"


@pytest.mark.parametrize("content", [{}, {"a": 2}, {"a": "1"}, {"a": 1, "b": 1}])
def test_a_row_that_says_something_else_does_not_verify(content: JsonObject) -> None:
    with pytest.raises(UnverifiableError) as caught:
        verify_statement(TYPE, sign_statement(TYPE, CONTENT, KEYS), content, KEYS)
    assert str(caught.value) == "it is not what was signed: its row was changed"


def test_what_was_signed_as_something_else_or_by_somebody_else_does_not_verify() -> None:
    with pytest.raises(UnverifiableError, match="the envelope holds"):
        verify_statement(TYPE, sign_statement(Kind("test2"), CONTENT, KEYS), CONTENT, KEYS)
    others = new_keys()
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        verify_statement(TYPE, sign_statement(TYPE, CONTENT, others), CONTENT, KEYS)


def test_what_is_no_envelope_does_not_verify() -> None:
    with pytest.raises(UnverifiableError, match="exactly the keys"):
        verify_statement(TYPE, {}, CONTENT, KEYS)


def test_a_keyring_that_only_verifies_signs_nothing() -> None:
    with pytest.raises(MisconfiguredError, match="no key to sign with"):
        sign_statement(TYPE, CONTENT, replace(KEYS, signing_key=None))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30))], ids=str)
def test_a_moment_is_written_alike_in_every_zone_to_the_microsecond(zone: timezone) -> None:
    when = datetime(2030, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    assert moment(when.astimezone(zone)) == "2030-01-02T03:04:05.000060Z"


def test_what_was_signed_for_one_installation_means_nothing_in_another() -> None:
    envelope = sign_statement(TYPE, CONTENT, KEYS)
    elsewhere = replace(KEYS, installation=Installation(UUID(int=2), INSTALLATION.since))
    with pytest.raises(UnverifiableError, match="it was signed for another installation"):
        verify_statement(TYPE, envelope, CONTENT, elsewhere)


def test_keys_that_are_used_for_no_installation_sign_and_verify_no_statement() -> None:
    envelope = sign_statement(TYPE, CONTENT, KEYS)
    unused = replace(KEYS, installation=None)
    with pytest.raises(MisconfiguredError, match="not used for any installation"):
        sign_statement(TYPE, CONTENT, unused)
    with pytest.raises(MisconfiguredError, match="not used for any installation"):
        verify_statement(TYPE, envelope, CONTENT, unused)


def test_keys_that_are_settled_for_an_installation_are_used_for_no_other() -> None:
    settled = replace(KEYS, pinned=INSTALLATION.id)
    assert settled.used_for(INSTALLATION).installation == INSTALLATION
    with pytest.raises(MisconfiguredError, match="these keys are those of the installation"):
        settled.used_for(Installation(UUID(int=2), INSTALLATION.since))


def test_the_first_version_counts_for_what_was_there_before_and_for_nothing_later() -> None:
    first = envelope_to_json(KEYS.sign(TYPE.first_type, canonical(CONTENT)))
    since = INSTALLATION.since
    before = since - timedelta(microseconds=1)
    verify_statement(TYPE, first, {"b": 2}, KEYS, earlier=CONTENT, stamped_at=before)
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_statement(TYPE, first, CONTENT, KEYS, earlier={"a": 2}, stamped_at=before)
    for stamped_at in (since, None):
        with pytest.raises(UnverifiableError, match="names no installation"):
            verify_statement(TYPE, first, CONTENT, KEYS, earlier=CONTENT, stamped_at=stamped_at)
    with pytest.raises(UnverifiableError, match="the envelope holds"):
        verify_statement(TYPE, first, CONTENT, KEYS)


def test_what_no_text_can_hold_has_no_statement() -> None:
    with pytest.raises(UnverifiableError, match="no canonical JSON"):
        sign_statement(TYPE, {"a": "\ud800"}, KEYS)


def test_a_signed_payload_that_is_no_statement_is_not_what_the_row_says() -> None:
    envelope = envelope_to_json(KEYS.sign(TYPE.payload_type, b"no statement"))
    with pytest.raises(UnverifiableError, match="its row was changed"):
        verify_statement(TYPE, envelope, CONTENT, KEYS)


def test_fields_are_stated_as_text_in_one_form() -> None:
    assert stated(INSTALLATION, "since", installation="id") == {
        "since": moment(INSTALLATION.since),
        "installation": str(INSTALLATION.id),
    }
