"""`remit keys show`, `rotate` and `export`."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from remit.signing.keys import (
    Keyring,
    ensure_keys,
    load_keyring,
    load_public_keys,
    new_signing_key,
    pin,
    public_pem,
)
from tests.cli.conftest import Remit, Shown
from tests.support.golden import golden
from tests.support.keys import INSTALLATION


@pytest.fixture
def folder(remit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the key folder that the commands of a test use; it has one key."""
    monkeypatch.delenv("REMIT_SIGNING_KEY", raising=False)
    monkeypatch.setenv("REMIT_KEYS_DIR", str(tmp_path / "keys"))
    ensure_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_the_key_that_signs_stands_first(remit: Remit, folder: Path) -> None:
    old = load_keyring(folder).kid
    assert remit("keys", "rotate").code == 0
    new = load_keyring(folder).kid
    shown = remit("keys", "show")
    assert (shown.code, shown.err) == (0, "")
    assert golden("keys", "show", old=old, new=new, folder=folder) == shown.out
    assert json.loads(remit("keys", "show", "--json").out) == {
        "keys": [
            {"kid": new, "use": "signs", "file": str(folder / "signing.pem")},
            {"kid": old, "use": "verifies", "file": str(folder / "verify" / f"{old}.pem")},
        ],
        "installation": None,
    }


def test_the_keys_lie_in_the_data_folder_unless_told_otherwise(
    remit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REMIT_KEYS_DIR", raising=False)
    keys = ensure_keys(tmp_path / "data" / "keys")
    assert str(keys.kid) in remit("keys", "show", "--data-dir", str(tmp_path / "data")).out


def test_a_rotation_tells_both_keys_and_what_to_do_next(remit: Remit, folder: Path) -> None:
    old = load_keyring(folder).kid
    shown = remit("keys", "rotate")
    new = load_keyring(folder).kid
    assert new != old
    assert (shown.code, shown.err) == (0, "")
    assert golden("keys", "rotate", old=old, new=new) == shown.out


def test_a_rotation_as_json_tells_both_keys(remit: Remit, folder: Path) -> None:
    old = load_keyring(folder).kid
    told = json.loads(remit("keys", "rotate", "--json").out)
    assert told == {"old": old, "new": load_keyring(folder).kid, "folder": str(folder)}


def test_what_is_exported_verifies_and_holds_no_secret(
    remit: Remit, folder: Path, tmp_path: Path
) -> None:
    remit("keys", "rotate")
    keys = load_keyring(folder)
    shown = remit("keys", "export")
    assert shown == Shown(0, "".join(public_pem(keys).values()), "")
    assert "PRIVATE" not in shown.out
    (tmp_path / "public.pem").write_text(shown.out)
    public = load_public_keys([tmp_path / "public.pem"])
    assert public.verify(keys.sign("a/b", b"{}"), payload_type="a/b") == b"{}"
    assert json.loads(remit("keys", "export", "--json").out) == {
        "keys": [{"kid": kid, "pem": text} for kid, text in public_pem(keys).items()]
    }


def test_a_key_of_the_environment_is_shown_and_cannot_be_rotated(
    remit: Remit, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = new_signing_key()
    monkeypatch.setenv("REMIT_SIGNING_KEY", text)
    given: Keyring = load_keyring(None, signing_key=text)
    before = load_keyring(folder).kid
    shown = remit("keys", "show")
    assert shown.out.splitlines()[1].split() == [given.kid, "signs", "REMIT_SIGNING_KEY"]
    assert str(before) not in shown.out
    refused = remit("keys", "rotate")
    assert (refused.code, refused.out) == (2, "")
    assert golden("keys", "rotate a key of the environment", folder=folder) == refused.err
    assert load_keyring(folder).kid == before


@pytest.mark.parametrize("command", ["show", "rotate", "export"])
def test_without_a_key_nothing_is_made_and_the_fix_is_told(
    remit: Remit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("REMIT_KEYS_DIR", str(tmp_path / "none"))
    shown = remit("keys", command)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.startswith(f"remit: there is no key in {tmp_path / 'none'}: `remit up` makes")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("command", ["show", "rotate", "export"])
def test_a_key_that_others_can_read_is_refused_by_every_command(
    remit: Remit, folder: Path, command: str
) -> None:
    (folder / "signing.pem").chmod(0o644)
    shown = remit("keys", command)
    assert (shown.code, shown.out) == (2, "")
    assert f"`chmod go= {folder / 'signing.pem'}`" in shown.err


def test_keys_that_are_settled_for_an_installation_say_which(remit: Remit, folder: Path) -> None:
    pin(folder, INSTALLATION.id)
    pin(folder, UUID(int=1))  # settled once and for all
    assert f"only for the installation {INSTALLATION.id}" in remit("keys", "show").out
    assert json.loads(remit("keys", "show", "--json").out)["installation"] == str(INSTALLATION.id)


@pytest.mark.parametrize("content", [b"", b"nobody", b"\xff\xfe", b"1257a11a"])
def test_a_file_that_names_no_installation_is_refused(
    remit: Remit, folder: Path, content: bytes
) -> None:
    (folder / "installation").write_bytes(content)
    refused = remit("keys", "show")
    assert refused.code == 2
    assert "does not hold the identifier of an installation" in refused.err


def test_a_file_of_an_installation_that_others_may_change_is_refused(
    remit: Remit, folder: Path
) -> None:
    pin(folder, INSTALLATION.id)
    (folder / "installation").chmod(0o666)
    refused = remit("keys", "show")
    assert refused.code == 2
    assert "others may change" in refused.err
