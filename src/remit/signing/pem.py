"""Ed25519 keys as PEM text, and their names. Pure.

Keys of another kind, keys behind a passphrase and damaged text are refused here, in words that say
what to do instead.
"""

import hashlib
import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit.errors import MisconfiguredError

_BEGIN = b"-----BEGIN "
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)
_UNREADABLE = (ValueError, TypeError, UnsupportedAlgorithm)


def key_id(public: Ed25519PublicKey) -> str:
    """Return "ed25519:" and the first 32 hexadecimal digits of the SHA-256 of the raw key."""
    return f"ed25519:{hashlib.sha256(public.public_bytes_raw()).hexdigest()[:32]}"


def private_text(private: Ed25519PrivateKey) -> str:
    """Return a private key as PEM (PKCS8), without a passphrase."""
    encoded = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return encoded.decode()


def public_text(public: Ed25519PublicKey) -> str:
    """Return a public key as PEM (SubjectPublicKeyInfo)."""
    encoded = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded.decode()


def parse_private(data: bytes, source: str) -> Ed25519PrivateKey:
    """Return the one private key in PEM; text around it is allowed. `source` is for messages."""
    key = None
    if data.count(_BEGIN) == 1:  # of several keys the library would take the first
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except _UNREADABLE:
            key = None
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise MisconfiguredError(
        f"{source} is not one Ed25519 private key, as PEM (PKCS8) without a passphrase; "
        "`openssl genpkey -algorithm ed25519` makes one"
    )


def parse_public(data: bytes, source: str) -> list[Ed25519PublicKey]:
    """Return the public keys in PEM, in their order; text between them is allowed."""
    found = [_public_key(block.group()) for block in _BLOCK.finditer(data)]
    keys = [key for key in found if isinstance(key, Ed25519PublicKey)]
    # A block that is cut off has a beginning and is no block: it must not go unnoticed.
    if not keys or len(keys) != data.count(_BEGIN):
        raise MisconfiguredError(
            f"{source} is not Ed25519 public keys alone, as PEM; `remit keys export` writes such "
            "a file, and `openssl pkey -pubout` makes one of a private key"
        )
    return keys


def _public_key(block: bytes) -> object:
    try:
        return serialization.load_pem_public_key(block)
    except _UNREADABLE:
        return None
