"""The keys that seal what calls of language models leave in Temporal's histories.

They lie beside the signing keys, in `history.keys`: a line each, 32 random bytes in base64. The
first one seals, every one opens; a new one goes in front, and an old one stays as long as there are
histories of its time. They are not derived from the signing key, which may be rotated while
workflows wait. Every host that starts or serves such calls needs the same file.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from remit.base.wording import quoted
from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing import files

SEALING_FILE = "history.keys"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_PURPOSE = b"remit.history/1"


@dataclass(frozen=True, eq=False)
class Seal:
    """Seals bytes with its first key, and opens what any of them sealed."""

    keys: Mapping[str, AESGCM] = field(repr=False)

    def close(self, plain: bytes) -> tuple[str, bytes]:
        """Return the name of the key, and the bytes sealed with it."""
        name, key = next(iter(self.keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        return name, nonce + key.encrypt(nonce, plain, _PURPOSE)

    def open(self, name: str, sealed: bytes) -> bytes:
        """Return what was sealed."""
        key = self.keys.get(name)
        if key is None:
            raise UnverifiableError(
                f"sealed with the key {quoted(name)}, which is not here: every host that thinks "
                f"needs the same {SEALING_FILE} in its key folder"
            )
        try:
            return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _PURPOSE)
        except (InvalidTag, ValueError):
            pass
        raise UnverifiableError(f"the key {name} did not seal this: it was changed, or forged")


def ensure_seal(folder: Path) -> Seal:
    """Return the sealing keys of a key folder, with a first one made where there are none.

    Processes that call this at once agree on one key.
    """
    path = folder / SEALING_FILE
    if files.read(path, forbidden=files.SECRET) is None:
        with files.sole_writer(folder):
            if files.read(path, forbidden=files.SECRET) is None:
                files.replace(path, new_sealing_key(), mode=0o600)
    return load_seal(folder)


def load_seal(folder: Path) -> Seal:
    """Return the sealing keys of a key folder; nothing is made."""
    path = folder / SEALING_FILE
    files.list_folder(folder, SEALING_FILE)  # refuses a folder that others may change
    data = files.read(path, forbidden=files.SECRET)
    found = [] if data is None else [_parsed(line, path) for line in data.split()]
    if not found:
        raise MisconfiguredError(
            f"there is no key in {path}: `remit llm-worker` makes one; copy that file to every "
            "host that starts what it serves"
        )
    return _seal(found)


def new_sealing_key() -> str:
    """Return a line for the file: a new key."""
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode() + "\n"


def _seal(keys: Iterable[bytes]) -> Seal:
    named = {hashlib.sha256(_PURPOSE + key).hexdigest()[:16]: AESGCM(key) for key in keys}
    return Seal(MappingProxyType(named))


def _parsed(line: bytes, path: Path) -> bytes:
    try:
        key = base64.b64decode(line, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise MisconfiguredError(
            f"{path} holds a line that is no key: each is {_KEY_BYTES} random bytes in base64, as "
            f"`openssl rand -base64 {_KEY_BYTES}` prints them"
        )
    return key
