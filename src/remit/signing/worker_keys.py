"""The keys of a process that executes.

A host that must not hold the installation's key has a folder with `worker.pem`, a private key for
workers, and `worker.json`, what the installation says of it: its name, its public key, a label, and
the signed statement over them. `remit keys worker` writes both. A worker outlives a rotation of
keys, so it has a :class:`KeySource`.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from remit.base.json_types import JsonObject
from remit.errors import MisconfiguredError
from remit.signing import files, pem
from remit.signing.keys import SIGNING_FILE, VERIFY_FOLDER, Keyring

KEY_FILE = "worker.pem"
CERTIFICATE_FILE = "worker.json"


@dataclass(frozen=True, eq=False)
class WorkerKey:
    """A key that may certify the workers of one host.

    `said` is what the installation says of it: "kid", "public_key", "label" and "envelope";
    `source` is its folder, for messages.
    """

    private: Ed25519PrivateKey = field(repr=False)
    said: JsonObject
    source: str


def new_worker_key() -> tuple[str, Ed25519PublicKey, str]:
    """Return a new private key as PEM, its public key, and that one as PEM."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key()
    return pem.private_text(private), public, pem.public_text(public)


def write_worker_key(folder: Path, private: str, said: JsonObject) -> None:
    """Write a key and its certificate into a folder that has none yet."""
    with files.sole_writer(folder):
        for name in (KEY_FILE, CERTIFICATE_FILE):
            if list(files.list_folder(folder, name)):
                raise MisconfiguredError(f"{folder / name} is there already: name another folder")
        files.replace(folder / CERTIFICATE_FILE, json.dumps(said, indent=1) + "\n", mode=0o644)
        files.replace(folder / KEY_FILE, private, mode=0o600)


def read_worker_key(folder: Path) -> WorkerKey:
    """Return the key for workers that is kept in a folder."""
    files.list_folder(folder, KEY_FILE)  # whoever may change the folder may exchange the key
    data = files.read(folder / KEY_FILE, forbidden=files.SECRET)
    stored = files.read(folder / CERTIFICATE_FILE, forbidden=files.UNCHANGEABLE)
    if data is None or stored is None:
        raise MisconfiguredError(
            f"{folder} has no {KEY_FILE} and {CERTIFICATE_FILE}: run `remit keys worker DIR` where "
            "the signing key is, and bring DIR here",
            field="REMIT_WORKER_KEY_DIR",
        )
    private = pem.parse_private(data, str(folder / KEY_FILE))
    try:
        said = json.loads(stored)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or said.get("kid") != pem.key_id(private.public_key()):
        raise MisconfiguredError(
            f"{folder / CERTIFICATE_FILE} is not about the key in {KEY_FILE}: make both anew with "
            "`remit keys worker DIR`",
            field="REMIT_WORKER_KEY_DIR",
        )
    return WorkerKey(private, said, str(folder))


class KeySource:
    """Hands out the keys in force: what changes in their folder is seen at the next look.

    A worker outlives a rotation: without another look it would take each new grant for a forgery.
    A folder that has become unusable is an error, and never the old keys: one that was removed from
    it on purpose must not be trusted any longer.
    """

    def __init__(self, load: Callable[[], Keyring], folder: Path) -> None:
        """Load the keys; `folder` is what is watched."""
        self._load = load
        self._folder = folder
        self._seen = self._files()
        self._keyring = load()

    def current(self) -> Keyring:
        """Return the keys in force now."""
        found = self._files()
        if found != self._seen:
            self._keyring = self._load()
            self._seen = found
        return self._keyring

    def _files(self) -> list[tuple[str, int, int, int]]:
        """Return each key file's name, time of change in nanoseconds, size and inode."""
        try:
            verify = sorted((self._folder / VERIFY_FOLDER).iterdir())
        except OSError:
            verify = []
        found = []
        for path in (self._folder / SIGNING_FILE, *verify):
            with suppress(OSError):
                status = path.stat()
                found.append((path.name, status.st_mtime_ns, status.st_size, status.st_ino))
        return found
