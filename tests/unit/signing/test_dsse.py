"""An envelope has one form, and nothing in it can change unnoticed."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import UnverifiableError
from remit.signing.dsse import Envelope, envelope_from_json, envelope_to_json, pae
from remit.signing.keys import Keyring, load_keyring
from remit.signing.pem import private_text

TYPE = "application/vnd.remit.grant+json"
PAYLOAD = b'{"directive":"d","n":1}'

# The first key pair of RFC 8032, section 7.1.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")

VISIBLE = st.text(min_size=1).filter(str.isprintable)


@pytest.fixture(scope="module")
def keys() -> Keyring:
    return load_keyring(
        None, signing_key=private_text(Ed25519PrivateKey.from_private_bytes(SECRET))
    )


def stored(**changes: Any) -> dict[str, Any]:
    """Return the JSON of an envelope, some keys of it or of its signature replaced."""
    value: dict[str, Any] = {"payload": "e30=", "payloadType": TYPE, "signatures": None}
    signature = {"keyid": "ed25519:0", "sig": "AAA="}
    signature |= {key: changes.pop(key) for key in list(changes) if key in signature}
    return value | {"signatures": [signature]} | changes


def test_the_encoding_is_that_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_count_bytes_and_payloads_are_taken_as_they_are() -> None:
    assert pae("é", b"\x00\xff ") == b"DSSEv1 2 \xc3\xa9 3 \x00\xff "
    assert pae("", b"") == b"DSSEv1 0  0 "


@given(st.tuples(st.text("1 a"), st.text("1 a")), st.tuples(st.text("1 a"), st.text("1 a")))
def test_two_contents_are_never_encoded_alike(one: tuple[str, str], two: tuple[str, str]) -> None:
    alike = pae(one[0], one[1].encode()) == pae(two[0], two[1].encode())
    assert alike == (one == two)


def test_the_form_of_an_envelope_never_changes(keys: Keyring) -> None:
    signature = (
        "eoNTjEzq0gKy5tdcHTCxz8HuQvqvT5Lq3EXYc72ddvMvXfGOBaVffNquFy17KNA0D+hgy+qONbWWl7XNOKDLBQ=="
    )
    assert envelope_to_json(keys.sign(TYPE, PAYLOAD)) == {
        "payload": "eyJkaXJlY3RpdmUiOiJkIiwibiI6MX0=",
        "payloadType": "application/vnd.remit.grant+json",
        "signatures": [{"keyid": "ed25519:21fe31dfa154a261626bf854046fd227", "sig": signature}],
    }


@given(VISIBLE, st.binary(), VISIBLE, st.binary())
def test_an_envelope_comes_back_from_its_json(
    payload_type: str, payload: bytes, kid: str, signature: bytes
) -> None:
    envelope = Envelope(payload_type, payload, kid, signature)
    assert envelope_from_json(json.loads(json.dumps(envelope_to_json(envelope)))) == envelope


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(["payload", "payloadType", "signatures", "keyid", "sig"]), JSON)
def test_whatever_is_read_is_written_back_the_same_or_refused(key: str, value: Any) -> None:
    given_json = stored(**{key: value})
    try:
        envelope = envelope_from_json(given_json)
    except UnverifiableError:
        return
    assert envelope_to_json(envelope) == given_json


SIGNATURE = {"keyid": "ed25519:0", "sig": "AAA="}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, "envelope"),
        ("{}", "envelope"),
        ([stored()], "envelope"),
        ({}, "envelope"),
        (stored() | {"more": 1}, "envelope"),
        ({key: value for key, value in stored().items() if key != "payloadType"}, "envelope"),
        (stored(signatures=None), "signatures"),
        (stored(signatures=SIGNATURE), "signatures"),
        (stored(signatures=[]), "signatures"),
        (stored(signatures=[SIGNATURE, SIGNATURE]), "signatures"),
        (stored(signatures=["AAA="]), "signatures.0"),
        (stored(signatures=[{"sig": "AAA="}]), "signatures.0"),
        (stored(signatures=[SIGNATURE | {"cert": "AAA="}]), "signatures.0"),
        (stored(payloadType=""), "payloadType"),
        (stored(payloadType=1), "payloadType"),
        (stored(payloadType="a\u202eb"), "payloadType"),
        (stored(payloadType="\ud800"), "payloadType"),
        (stored(keyid=""), "signatures.0.keyid"),
        (stored(keyid=None), "signatures.0.keyid"),
        (stored(keyid="ed25519:0\n"), "signatures.0.keyid"),
        (stored(payload=None), "payload"),
        (stored(payload="e30"), "payload"),
        (stored(payload="e30=="), "payload"),
        (stored(payload="e30=e30="), "payload"),
        (stored(payload="e31="), "payload"),
        (stored(payload="e3 0="), "payload"),
        (stored(payload="e30=\n"), "payload"),
        (stored(payload="é30="), "payload"),
        (stored(sig="__8="), "signatures.0.sig"),
        (stored(sig=b"AAA="), "signatures.0.sig"),
        (stored(sig="AAB="), "signatures.0.sig"),
    ],
)
def test_anything_else_is_refused_with_the_place(value: Any, field: str) -> None:
    with pytest.raises(UnverifiableError) as caught:
        envelope_from_json(value)
    assert caught.value.field == field


def test_an_envelope_with_any_bit_flipped_does_not_verify(keys: Keyring) -> None:
    text = json.dumps(envelope_to_json(keys.sign(TYPE, PAYLOAD)), separators=(",", ":")).encode()
    assert keys.verify(envelope_from_json(json.loads(text)), payload_type=TYPE) == PAYLOAD
    verified = []
    for index in range(len(text)):
        for bit in range(8):
            changed = text[:index] + bytes([text[index] ^ 1 << bit]) + text[index + 1 :]
            try:
                keys.verify(envelope_from_json(json.loads(changed)), payload_type=TYPE)
            except (UnverifiableError, ValueError):
                continue
            verified.append((index, bit, changed))
    assert verified == []


def test_an_envelope_cut_off_anywhere_does_not_verify(keys: Keyring) -> None:
    envelope = keys.sign(TYPE, PAYLOAD)
    for field, whole in (("payload", envelope.payload), ("signature", envelope.signature)):
        for length in range(len(whole)):
            parts = {"payload": envelope.payload, "signature": envelope.signature}
            parts[field] = whole[:length]
            with pytest.raises(UnverifiableError):
                keys.verify(Envelope(TYPE, kid=envelope.kid, **parts), payload_type=TYPE)
