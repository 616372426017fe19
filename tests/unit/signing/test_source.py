"""Keys that are replaced while a process runs are seen at its next look."""

import os
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing.keys import (
    SIGNING_FILE,
    VERIFY_FOLDER,
    ensure_keys,
    load_keyring,
    public_pem,
    rotate_keys,
)
from remit.signing.worker_keys import KeySource
from tests.support.keys import new_keys

TYPE = "application/test"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ensure_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_what_a_new_key_signed_verifies_without_a_restart(folder: Path) -> None:
    source = KeySource(lambda: load_keyring(folder), folder)
    before = source.current()
    envelope = rotate_keys(folder).sign(TYPE, b"{}")
    with pytest.raises(UnverifiableError):
        before.verify(envelope, payload_type=TYPE)
    assert source.current().verify(envelope, payload_type=TYPE) == b"{}"


def test_a_key_that_was_removed_is_trusted_no_longer(folder: Path) -> None:
    old = load_keyring(folder).sign(TYPE, b"{}")
    rotate_keys(folder)
    source = KeySource(lambda: load_keyring(folder), folder)
    assert source.current().verify(old, payload_type=TYPE) == b"{}"
    for file in (folder / VERIFY_FOLDER).iterdir():
        file.unlink()
    with pytest.raises(UnverifiableError):
        source.current().verify(old, payload_type=TYPE)


def test_a_key_that_is_replaced_inside_the_folder_of_public_keys_is_seen(folder: Path) -> None:
    old = load_keyring(folder).sign(TYPE, b"{}")
    rotate_keys(folder)
    source = KeySource(lambda: load_keyring(folder), folder)
    [file] = (folder / VERIFY_FOLDER).iterdir()
    keys = load_keyring(folder)
    file.write_text(public_pem(keys)[str(keys.kid)])
    with pytest.raises(UnverifiableError):
        source.current().verify(old, payload_type=TYPE)


def test_keys_that_stay_are_loaded_once(folder: Path) -> None:
    source = KeySource(lambda: load_keyring(folder), folder)
    assert source.current() is source.current()


def test_a_host_that_only_verifies_sees_a_new_key_too(folder: Path) -> None:
    rotate_keys(folder)
    (folder / SIGNING_FILE).unlink()
    source = KeySource(lambda: load_keyring(folder), folder)
    assert source.current().kid is None
    new = new_keys()
    (folder / VERIFY_FOLDER / "new.pem").write_text(public_pem(new)[str(new.kid)])
    envelope = new.sign(TYPE, b"{}")
    assert source.current().verify(envelope, payload_type=TYPE) == b"{}"


def test_a_folder_that_has_become_unusable_is_an_error_and_never_the_old_keys(folder: Path) -> None:
    source = KeySource(lambda: load_keyring(folder), folder)
    file = folder / "signing.pem"
    file.write_text("damaged")
    file.chmod(0o600)
    os.utime(file, ns=(1, 1))
    for _ in range(2):
        with pytest.raises(MisconfiguredError):
            source.current()
