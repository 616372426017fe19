"""The keys of this run: what signs the principals, tokens and grants of every test database."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from remit.execution.workers import new_worker
from remit.signing.keys import SIGNING_FILE, Installation, Keyring, load_keyring, new_signing_key

INSTALLATION = Installation(
    UUID("1257a11a-0000-4000-8000-000000000001"), datetime(2000, 1, 1, tzinfo=UTC)
)
"""Whose every test database is, so that one keyring serves them all."""

SIGNING_KEY = new_signing_key()
"""The private key, for processes of their own."""

UNUSED_KEYS = load_keyring(None, signing_key=SIGNING_KEY)
"""The same as a keyring, of which no database has been told yet."""

KEYS = UNUSED_KEYS.used_for(INSTALLATION)
"""The same as a keyring, used for the test databases."""

WORKER = new_worker(KEYS)
"""Who begins and ends runs where a test does so by itself; every test database knows it."""


def new_keys() -> Keyring:
    """Return a keyring with a key of its own, used for the test databases."""
    return load_keyring(None, signing_key=new_signing_key()).used_for(INSTALLATION)


def put_keys(folder: Path) -> None:
    """Make `folder` a key folder with the key of this run, for commands that read it there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / SIGNING_FILE
    file.touch(mode=0o600)
    file.write_text(SIGNING_KEY)
