"""What a keyring signs and verifies."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.dsse import Envelope
from remit.signing.keys import (
    Keyring,
    ensure_keys,
    load_keyring,
    load_public_keys,
    public_pem,
    rotate_keys,
)
from remit.signing.pem import key_id
from tests.support.keys import new_keys

GRANT = "application/vnd.remit.grant+json"
VOTE = "application/vnd.remit.vote+json"


def fresh_keys() -> Keyring:
    """Return a keyring of its own, which lies in no file."""
    return new_keys()


KEYS = fresh_keys()


def drop(folder: Path, kid: str | None) -> None:
    """Take the trust from a key."""
    (folder / "verify" / f"{kid}.pem").unlink()


@given(st.sampled_from([GRANT, VOTE, "x/é"]), st.binary())
def test_what_a_key_signs_it_verifies(payload_type: str, payload: bytes) -> None:
    envelope = KEYS.sign(payload_type, payload)
    assert KEYS.verify(envelope, payload_type=payload_type) == payload
    assert envelope.kid == KEYS.kid


@given(st.binary(), st.binary())
def test_a_signature_holds_for_no_other_payload(signed: bytes, shown: bytes) -> None:
    envelope = replace(KEYS.sign(GRANT, signed), payload=shown)
    if signed == shown:
        assert KEYS.verify(envelope, payload_type=GRANT) == shown
        return
    with pytest.raises(UnverifiableError, match="the signature is not one of ed25519:"):
        KEYS.verify(envelope, payload_type=GRANT)


def test_an_envelope_of_one_type_never_counts_as_another() -> None:
    envelope = KEYS.sign(VOTE, b"{}")
    with pytest.raises(UnverifiableError) as caught:
        KEYS.verify(envelope, payload_type=GRANT)
    assert str(caught.value) == f'the envelope holds "{VOTE}", not "{GRANT}"'
    with pytest.raises(UnverifiableError, match="the signature is not one of"):
        KEYS.verify(replace(envelope, payload_type=GRANT), payload_type=GRANT)


def test_an_unknown_key_is_an_error_that_says_how_to_trust_it() -> None:
    stranger = fresh_keys()
    with pytest.raises(UnverifiableError) as caught:
        KEYS.verify(stranger.sign(GRANT, b"{}"), payload_type=GRANT)
    assert str(caught.value) == (
        f'the key "{stranger.kid}" is not trusted here: if it should be, put its public key into '
        "the folder verify of the key folder"
    )


@pytest.mark.parametrize("kid", ["", "none", "ed25519:", "../signing"])
def test_a_good_signature_without_the_name_of_its_key_is_an_error(kid: str) -> None:
    nameless = replace(KEYS.sign(GRANT, b"{}"), kid=kid)
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        KEYS.verify(nameless, payload_type=GRANT)


def test_a_signature_under_the_name_of_another_trusted_key_is_an_error(tmp_path: Path) -> None:
    old = ensure_keys(tmp_path)
    new = rotate_keys(tmp_path)
    assert old.kid is not None
    borrowed = replace(new.sign(GRANT, b"{}"), kid=old.kid)
    with pytest.raises(UnverifiableError, match="the signature is not one of"):
        new.verify(borrowed, payload_type=GRANT)


@pytest.mark.parametrize("signature", [b"", bytes(64), bytes(63), bytes(65), b"\xff" * 64])
def test_what_is_no_signature_is_an_error(signature: bytes) -> None:
    envelope = Envelope(GRANT, b"{}", str(KEYS.kid), signature)
    with pytest.raises(UnverifiableError):
        KEYS.verify(envelope, payload_type=GRANT)


def test_the_second_form_of_a_signature_is_an_error() -> None:
    envelope = KEYS.sign(GRANT, b"{}")
    order = 2**252 + 27742317777372353535851937790883648493
    scalar = int.from_bytes(envelope.signature[32:], "little") + order
    twin = envelope.signature[:32] + scalar.to_bytes(32, "little")
    with pytest.raises(UnverifiableError):
        KEYS.verify(replace(envelope, signature=twin), payload_type=GRANT)


def test_after_a_rotation_the_new_key_signs_and_both_verify(tmp_path: Path) -> None:
    old = ensure_keys(tmp_path)
    new = rotate_keys(tmp_path)
    assert new.kid != old.kid
    assert list(new.trusted) == [new.kid, old.kid]
    for signer in (old, new):
        assert new.verify(signer.sign(GRANT, b"{}"), payload_type=GRANT) == b"{}"
    with pytest.raises(UnverifiableError):
        old.verify(new.sign(GRANT, b"{}"), payload_type=GRANT)


def test_every_key_that_ever_signed_verifies_until_its_file_is_removed(tmp_path: Path) -> None:
    signed = [ensure_keys(tmp_path).sign(GRANT, b"0")]
    signed += [rotate_keys(tmp_path).sign(GRANT, b"%d" % n) for n in range(1, 4)]
    loaded = load_keyring(tmp_path)
    assert [loaded.verify(each, payload_type=GRANT) for each in signed] == [b"0", b"1", b"2", b"3"]
    drop(tmp_path, signed[1].kid)
    loaded = load_keyring(tmp_path)
    assert loaded.verify(signed[0], payload_type=GRANT) == b"0"
    with pytest.raises(UnverifiableError, match="is not trusted here"):
        loaded.verify(signed[1], payload_type=GRANT)


def test_public_keys_alone_verify_and_cannot_sign(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    keys = rotate_keys(tmp_path)
    exported = tmp_path / "exported.pem"
    exported.write_text("".join(public_pem(keys).values()))
    public = load_public_keys([exported])
    assert (public.kid, list(public.trusted)) == (None, list(keys.trusted))
    assert public.verify(keys.sign(GRANT, b"{}"), payload_type=GRANT) == b"{}"
    with pytest.raises(MisconfiguredError, match="there is no key to sign with"):
        public.sign(GRANT, b"{}")


def test_public_keys_are_named_by_their_content() -> None:
    [(kid, text)] = public_pem(KEYS).items()
    assert kid == KEYS.kid == key_id(KEYS.trusted[kid].key)
    assert text.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert text.endswith("-----END PUBLIC KEY-----\n")


def test_a_private_key_is_neither_shown_nor_sent() -> None:
    assert "signing_key" not in repr(KEYS)
    with pytest.raises(TypeError):
        pickle.dumps(KEYS)


def test_trust_cannot_be_added_to_a_keyring() -> None:
    with pytest.raises(TypeError):
        KEYS.trusted["ed25519:0"] = KEYS.trusted[str(KEYS.kid)]  # type: ignore[index]
