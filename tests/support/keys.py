"""The keys of this run: what signs the principals, tokens and grants of every test database."""

from pathlib import Path

from remit.signing.keys import SIGNING_FILE, load_keyring, new_signing_key

SIGNING_KEY = new_signing_key()
"""The private key, for processes of their own."""

KEYS = load_keyring(None, signing_key=SIGNING_KEY)
"""The same as a keyring."""


def put_keys(folder: Path) -> None:
    """Make `folder` a key folder with the key of this run, for commands that read it there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / SIGNING_FILE
    file.touch(mode=0o600)
    file.write_text(SIGNING_KEY)
