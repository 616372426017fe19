"""Only Ed25519 keys are taken, whole and without a passphrase."""

from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit.errors import MisconfiguredError
from remit.signing.pem import key_id, parse_private, parse_public, private_text, public_text

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(32))
PRIVATE_PEM = private_text(PRIVATE).encode()
PUBLIC_PEM = public_text(PRIVATE.public_key()).encode()

Other = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey

OTHERS: Mapping[str, Other | x25519.X25519PrivateKey] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "ed448": ed448.Ed448PrivateKey.generate(),
    "x25519": x25519.X25519PrivateKey.generate(),
}


def private_of(name: str) -> bytes:
    return OTHERS[name].private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()
    )


def public_of(name: str) -> bytes:
    public = OTHERS[name].public_key()
    return public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def with_passphrase() -> bytes:
    return PRIVATE.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"open sesame")
    )


def as_openssh() -> bytes:
    return PRIVATE.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption())


def damaged(data: bytes) -> Mapping[str, bytes]:
    """Return ways in which a PEM file goes wrong."""
    lines = data.splitlines(keepends=True)
    return {
        "empty": b"",
        "no PEM": b"\x00\xff",
        "cut off": data[: len(data) // 2],
        "no end": b"".join(lines[:-1]),
        "no beginning": b"".join(lines[1:]),
        "no body": lines[0] + lines[-1],
        "bad base64": lines[0] + b"!!!!\n" + lines[-1],
        "too short": lines[0] + lines[1][:20] + b"\n" + lines[-1],
    }


def test_a_kid_names_the_kind_and_begins_the_digest_of_the_raw_key() -> None:
    raw = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    kid = key_id(Ed25519PublicKey.from_public_bytes(raw))
    assert kid == "ed25519:21fe31dfa154a261626bf854046fd227"


def test_keys_come_back_from_their_text() -> None:
    assert private_text(parse_private(PRIVATE_PEM, "it")).encode() == PRIVATE_PEM
    assert [public_text(key).encode() for key in parse_public(PUBLIC_PEM, "it")] == [PUBLIC_PEM]


def test_text_around_a_key_is_no_fault() -> None:
    assert private_text(parse_private(b"my key\n" + PRIVATE_PEM + b"\n\n", "it"))
    assert parse_public(b"# a comment\r\n" + PUBLIC_PEM.replace(b"\n", b"\r\n"), "it")


def test_several_public_keys_keep_their_order() -> None:
    other = Ed25519PrivateKey.generate().public_key()
    text = public_text(other).encode() + b"# and\n" + PUBLIC_PEM
    assert [key_id(key) for key in parse_public(text, "it")] == [
        key_id(other),
        key_id(PRIVATE.public_key()),
    ]


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(private_of(name), id=name) for name in OTHERS),
        *(pytest.param(data, id=name) for name, data in damaged(PRIVATE_PEM).items()),
        pytest.param(with_passphrase(), id="passphrase"),
        pytest.param(as_openssh(), id="openssh"),
        pytest.param(PUBLIC_PEM, id="public"),
        pytest.param(PRIVATE_PEM + private_text(Ed25519PrivateKey.generate()).encode(), id="two"),
    ],
)
def test_no_other_private_key_is_taken_and_the_message_holds_none_of_it(data: bytes) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        parse_private(data, "/keys/signing.pem")
    assert str(caught.value) == (
        "/keys/signing.pem is not one Ed25519 private key, as PEM (PKCS8) without a passphrase; "
        "`openssl genpkey -algorithm ed25519` makes one"
    )


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(public_of(name), id=name) for name in OTHERS),
        *(pytest.param(data, id=name) for name, data in damaged(PUBLIC_PEM).items()),
        pytest.param(PRIVATE_PEM, id="private"),
        pytest.param(PUBLIC_PEM + PRIVATE_PEM, id="private too"),
        pytest.param(PUBLIC_PEM + public_of("rsa"), id="rsa too"),
        pytest.param(PUBLIC_PEM + PUBLIC_PEM[:40], id="second cut off"),
    ],
)
def test_no_other_public_key_is_taken(data: bytes) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        parse_public(data, "/keys/verify/a.pem")
    assert str(caught.value).startswith(
        "/keys/verify/a.pem is not Ed25519 public keys alone, as PEM; `remit keys export` writes"
    )
