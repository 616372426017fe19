"""The keys that sign and verify: Ed25519, from files or the environment, never the database.

A key folder holds `signing.pem`, the one private key; `verify/*.pem`, the public keys that are
trusted besides; and `installation`, the identifier of the one installation that they are for. A
host that only verifies has no `signing.pem`. Whoever may write in the folder decides what is
trusted, so a folder that others may change is refused. To trust an old key no longer, remove its
file from `verify/`. Doors load a :class:`Keyring` and pass it down.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit.base.wording import quoted
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing import files, pem
from remit.signing.dsse import Envelope, pae

SIGNING_VARIABLE = "REMIT_SIGNING_KEY"
"""What messages call a key that came from the environment."""

SIGNING_FILE = "signing.pem"
VERIFY_FOLDER = "verify"
INSTALLATION_FILE = "installation"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key whose signatures count; `source` is a path or the name of a variable."""

    kid: str
    key: Ed25519PublicKey
    source: str


@dataclass(frozen=True, slots=True)
class Installation:
    """What a statement must be signed for. Before `since` a statement need not name it."""

    id: UUID
    since: datetime


@dataclass(frozen=True, eq=False)
class Keyring:
    """The keys of a process at one time; the functions of this module make it.

    `trusted` has every key that verifies, by its kid, the signing key's own first. Without a
    signing key it can only verify. `pinned` is the only installation that these keys may be used
    for, None while that is not settled; `installation` is the one they are used for: without it no
    statement can be signed or verified, only whole files.
    """

    trusted: Mapping[str, TrustedKey]
    signing_key: Ed25519PrivateKey | None = field(default=None, repr=False)
    pinned: UUID | None = None
    installation: Installation | None = None

    def used_for(self, installation: Installation) -> Self:
        """Return the same keys, used for an installation."""
        if self.pinned not in {None, installation.id}:
            raise MisconfiguredError(
                f"these keys are those of the installation {self.pinned}, and the database is that "
                f"of {installation.id}: name the right one of the two with REMIT_KEYS_DIR or "
                f"DATABASE_URL; if the database was made anew for good, remove the file "
                f"{INSTALLATION_FILE} of the key folder"
            )
        return replace(self, installation=installation)

    @cached_property
    def kid(self) -> str | None:
        """Name of the key that signs; None: this keyring can only verify."""
        return None if self.signing_key is None else pem.key_id(self.signing_key.public_key())

    def sign(self, payload_type: str, payload: bytes) -> Envelope:
        """Return `payload` in an envelope signed by the signing key."""
        if self.signing_key is None or self.kid is None:
            raise MisconfiguredError(
                f"there is no key to sign with: name a folder that has a {SIGNING_FILE} with "
                f"REMIT_KEYS_DIR, or set {SIGNING_VARIABLE}"
            )
        signature = self.signing_key.sign(pae(payload_type, payload))
        return Envelope(payload_type, payload, self.kid, signature)

    def verify(self, envelope: Envelope, *, payload_type: str) -> bytes:
        """Return the payload, once it is proved that a trusted key signed it as `payload_type`.

        Raises:
            UnverifiableError: it is of another type, names no key or one that is not trusted, or
                the signature does not hold.
        """
        if envelope.payload_type != payload_type:
            found = quoted(envelope.payload_type)
            raise UnverifiableError(f"the envelope holds {found}, not {quoted(payload_type)}")
        trusted = self.trusted.get(envelope.kid)
        if trusted is None:
            raise UnverifiableError(
                f"the key {quoted(envelope.kid)} is not trusted here: if it should be, put its "
                f"public key into the folder {VERIFY_FOLDER} of the key folder"
            )
        try:
            trusted.key.verify(envelope.signature, pae(payload_type, envelope.payload))
        except InvalidSignature as error:
            raise UnverifiableError(
                f"the signature is not one of {trusted.kid} over this content: either was changed "
                "or forged"
            ) from error
        return envelope.payload


def new_signing_key() -> str:
    """Return a new private key as PEM, as `signing.pem` or the environment would hold it."""
    return pem.private_text(Ed25519PrivateKey.generate())


def public_pem(keyring: Keyring) -> Mapping[str, str]:
    """Return every trusted public key as PEM (SubjectPublicKeyInfo), by its kid."""
    return {kid: pem.public_text(trusted.key) for kid, trusted in keyring.trusted.items()}


def load_keyring(folder: Path | None, *, signing_key: str | None = None) -> Keyring:
    """Return the keys of a folder; nothing is made or changed.

    Args:
        folder: it need not exist where `signing_key` is given.
        signing_key: a private key as PEM, in place of the folder's `signing.pem`, which is then not
            looked at: its public key is trusted only if it stands in `verify/`, too.

    Raises:
        MisconfiguredError: there is no key at all; or a file cannot be read, may be changed by
            others, or holds something other than an Ed25519 key. A private key must be readable by
            its owner alone.
    """
    own = None
    if signing_key is not None:
        own = pem.parse_private(signing_key.encode(errors="replace"), SIGNING_VARIABLE)
    elif folder is not None:
        own = _read_signing_key(folder)
    # In this order: `rotate_keys` writes the old public key before the new private one.
    trusted = [] if folder is None else _read_verify_folder(folder)
    if own is not None:
        source = str(folder / SIGNING_FILE) if folder and signing_key is None else SIGNING_VARIABLE
        public = own.public_key()
        trusted.insert(0, TrustedKey(pem.key_id(public), public, source))
    if not trusted:
        # With no key every signature fails: better said here than by blocking every directive.
        raise MisconfiguredError(
            f"there is no key in {folder or 'sight'}: `remit up` makes a key folder; else name one "
            f"with REMIT_KEYS_DIR, or set {SIGNING_VARIABLE}"
        )
    return replace(_keyring(trusted, own), pinned=_read_pin(folder))


def load_public_keys(paths: Iterable[Path]) -> Keyring:
    """Return a keyring that only verifies, from files as `remit keys export` writes them."""
    found = [key for path in paths for key in _read_public_keys(path, files.ANY)]
    if not found:
        raise MisconfiguredError("no file of public keys is given: `remit keys export` writes one")
    return _keyring(found, None)


def ensure_keys(folder: Path) -> Keyring:
    """Return the keys of a folder, which is made, with a signing key, where they are missing.

    Processes that call this at once agree on one key.
    """
    if _read_signing_key(folder) is None:
        with files.sole_writer(folder):
            if _read_signing_key(folder) is None:
                files.replace(folder / SIGNING_FILE, new_signing_key(), mode=0o600)
    return load_keyring(folder)


def rotate_keys(folder: Path) -> Keyring:
    """Replace the signing key by a new one; what the old one signed still verifies.

    A process that loaded its keys before signs with the old one, and does not trust the new one,
    until it looks again, as :class:`KeySource` does.
    """
    load_keyring(folder)  # a folder that does not exist, or is unsafe, gets no file
    with files.sole_writer(folder):
        old = load_keyring(folder)
        if old.kid is None:
            raise MisconfiguredError(
                f"{folder} has no {SIGNING_FILE}, so nothing can be rotated: do so where the "
                "signing key is kept"
            )
        public = folder / VERIFY_FOLDER / f"{old.kid}.pem"
        files.replace(public, public_pem(old)[old.kid], mode=0o644)
        files.replace(folder / SIGNING_FILE, new_signing_key(), mode=0o600)
        return load_keyring(folder)


def pin(folder: Path, installation: UUID) -> None:
    """Settle for which installation a folder's keys are; one that is settled stays as it is."""
    with files.sole_writer(folder):
        if _read_pin(folder) is None:
            files.replace(folder / INSTALLATION_FILE, f"{installation}\n", mode=0o644)


def _read_pin(folder: Path | None) -> UUID | None:
    for path in [] if folder is None else files.list_folder(folder, INSTALLATION_FILE):
        data = files.read(path, forbidden=files.UNCHANGEABLE)
        try:
            return None if data is None else UUID(data.decode("ascii").strip())
        except ValueError as error:
            raise MisconfiguredError(
                f"{path} does not hold the identifier of an installation: restore it, or remove it "
                "to use these keys with the database that is named now"
            ) from error
    return None


def _keyring(trusted: Iterable[TrustedKey], private: Ed25519PrivateKey | None) -> Keyring:
    by_kid: dict[str, TrustedKey] = {}
    for each in trusted:
        by_kid.setdefault(each.kid, each)
    return Keyring(MappingProxyType(by_kid), private)


def _read_signing_key(folder: Path) -> Ed25519PrivateKey | None:
    for path in files.list_folder(folder, SIGNING_FILE):
        data = files.read(path, forbidden=files.SECRET)
        if data is not None:
            return pem.parse_private(data, str(path))
    return None


def _read_verify_folder(folder: Path) -> list[TrustedKey]:
    found = files.list_folder(folder, VERIFY_FOLDER)
    paths = [path for verify in found for path in files.list_folder(verify, "*.pem")]
    return [key for path in paths for key in _read_public_keys(path, files.UNCHANGEABLE)]


def _read_public_keys(path: Path, forbidden: int) -> list[TrustedKey]:
    data = files.read(path, forbidden=forbidden)
    if data is None:
        raise MisconfiguredError(f"{path} does not exist: name a file of public keys")
    keys = pem.parse_public(data, str(path))
    return [TrustedKey(pem.key_id(key), key, str(path)) for key in keys]
