"""A key folder: what is taken from it, what is refused, and who may write in it at once."""

import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest

from remit.errors import MisconfiguredError
from remit.signing.keys import (
    Keyring,
    ensure_keys,
    load_keyring,
    load_public_keys,
    new_signing_key,
    pin,
    public_pem,
    rotate_keys,
)
from tests.support.keys import new_keys

AT_ONCE = 12


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(MisconfiguredError) as caught:
        call()
    return str(caught.value)


def trust(folder: Path, name: str, keys: Keyring) -> Path:
    """Put the public keys of another keyring into a key folder."""
    file = folder / "verify" / name
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text("".join(public_pem(keys).values()))
    file.chmod(0o644)
    return file


def at_once(work: Callable[[], Keyring]) -> list[Keyring]:
    """Return what several threads find that begin at the same moment."""
    barrier = Barrier(AT_ONCE)

    def run(_: int) -> Keyring:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_missing_keys_are_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    made = ensure_keys(folder)
    assert (mode_of(folder), mode_of(folder / "signing.pem")) == (0o700, 0o600)
    assert made.trusted[str(made.kid)].source == str(folder / "signing.pem")
    assert ensure_keys(folder).kid == load_keyring(folder).kid == made.kid


def test_keys_that_exist_need_no_right_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ensure_keys(tmp_path)
    monkeypatch.setattr("remit.signing.files.sole_writer", None)
    assert ensure_keys(tmp_path).kid == made.kid


def test_threads_that_make_keys_at_once_agree_on_one(tmp_path: Path) -> None:
    found = at_once(lambda: ensure_keys(tmp_path / "keys"))
    assert {keys.kid for keys in found} == {load_keyring(tmp_path / "keys").kid}


def test_processes_that_make_keys_at_once_agree_on_one(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from remit.signing.keys import ensure_keys; "
        "sys.stdin.read(); print(ensure_keys(Path(sys.argv[1])).kid)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "keys")]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None  # so that `communicate` does not write to it
    found = {process.communicate(timeout=30)[0].strip() for process in started}
    assert found == {load_keyring(tmp_path / "keys").kid}


def test_no_key_is_lost_when_several_rotate_at_once(tmp_path: Path) -> None:
    first = ensure_keys(tmp_path)
    found = at_once(lambda: rotate_keys(tmp_path))
    made = {first.kid, *(keys.kid for keys in found)}
    assert len(made) == AT_ONCE + 1
    assert set(load_keyring(tmp_path).trusted) == made


def test_a_reader_during_rotations_always_finds_the_key_that_signed_before(tmp_path: Path) -> None:
    envelope = ensure_keys(tmp_path).sign("a/b", b"kept")
    with ThreadPoolExecutor(1) as pool:
        rotations = pool.submit(lambda: [rotate_keys(tmp_path) for _ in range(20)])
        while not rotations.done():
            assert load_keyring(tmp_path).verify(envelope, payload_type="a/b") == b"kept"
        assert len(rotations.result()) == 20


def test_a_rotation_that_fails_half_way_leaves_the_old_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = ensure_keys(tmp_path)
    monkeypatch.setattr("remit.signing.keys.new_signing_key", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        rotate_keys(tmp_path)
    monkeypatch.undo()
    assert load_keyring(tmp_path).kid == old.kid
    assert set(rotate_keys(tmp_path).trusted) > {old.kid}


def test_what_a_crash_left_behind_is_not_read_and_not_in_the_way(tmp_path: Path) -> None:
    for name in (".signing.pem.new", ".lock"):
        (tmp_path / name).write_text("half a k")
        (tmp_path / name).chmod(0o666)
    ensure_keys(tmp_path)
    rotate_keys(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "signing.pem", "verify"]
    assert mode_of(tmp_path / "signing.pem") == 0o600


def test_a_host_that_only_verifies_has_no_signing_key(tmp_path: Path) -> None:
    other = new_keys()
    file = trust(tmp_path, "other.pem", other)
    trust(tmp_path, "again.pem", other)
    (tmp_path / "verify" / "README").write_text("not a key")
    keys = load_keyring(tmp_path)
    assert keys.kid is None
    assert [each.source for each in keys.trusted.values()] == [str(file.with_name("again.pem"))]
    assert keys.verify(other.sign("a/b", b"{}"), payload_type="a/b") == b"{}"
    assert refusal(lambda: rotate_keys(tmp_path)) == (
        f"{tmp_path} has no signing.pem, so nothing can be rotated: do so where the signing key "
        "is kept"
    )


def test_a_key_from_the_environment_takes_the_place_of_the_file(tmp_path: Path) -> None:
    in_file = ensure_keys(tmp_path)
    text = new_signing_key()
    given = load_keyring(tmp_path, signing_key=text)
    assert [each.source for each in given.trusted.values()] == ["REMIT_SIGNING_KEY"]
    trust(tmp_path, "file.pem", in_file)
    assert list(load_keyring(tmp_path, signing_key=text).trusted) == [given.kid, in_file.kid]
    assert load_keyring(tmp_path / "nowhere", signing_key=text).kid == given.kid


@pytest.mark.parametrize("text", ["", "secret", "\udcff", "-----BEGIN PRIVATE KEY-----"])
def test_a_bad_key_in_the_environment_is_refused_and_not_repeated(text: str) -> None:
    assert refusal(lambda: load_keyring(None, signing_key=text)).startswith(
        "REMIT_SIGNING_KEY is not one Ed25519 private key, as PEM (PKCS8) without a passphrase; "
    )


def test_no_key_at_all_is_refused(tmp_path: Path) -> None:
    rest = "`remit up` makes a key folder; else name one with REMIT_KEYS_DIR, or set "
    rest += "REMIT_SIGNING_KEY"
    assert refusal(lambda: load_keyring(None)) == f"there is no key in sight: {rest}"
    for folder in (tmp_path, tmp_path / "nowhere"):
        assert refusal(lambda at=folder: load_keyring(at)) == f"there is no key in {folder}: {rest}"  # type: ignore[misc]
        refusal(lambda at=folder: rotate_keys(at))  # type: ignore[misc]
    assert not (tmp_path / "nowhere").exists()
    assert refusal(lambda: load_public_keys([])).startswith("no file of public keys is given")


def test_a_link_that_leads_nowhere_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").symlink_to(tmp_path / "gone")
    assert "there is no key in" in refusal(lambda: load_keyring(tmp_path))
    assert ensure_keys(tmp_path).kid


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_signing_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    ensure_keys(tmp_path)
    file = tmp_path / "signing.pem"
    file.chmod(mode)
    message = (
        f"others may read or change {file} (its mode is {mode:04o}): `chmod go= {file}`, and "
        "consider whether somebody did"
    )
    for call in (load_keyring, ensure_keys, rotate_keys):
        assert refusal(lambda call=call: call(tmp_path)) == message  # type: ignore[misc]


def test_a_link_is_judged_by_the_file_that_it_leads_to(tmp_path: Path) -> None:
    ensure_keys(tmp_path / "a")
    (tmp_path / "b").mkdir(0o700)
    (tmp_path / "b" / "signing.pem").symlink_to(tmp_path / "a" / "signing.pem")
    assert load_keyring(tmp_path / "b").kid
    (tmp_path / "a" / "signing.pem").chmod(0o644)
    assert "others may read or change" in refusal(lambda: load_keyring(tmp_path / "b"))


@pytest.mark.parametrize("place", [".", "verify", "verify/other.pem"])
@pytest.mark.parametrize("right", [0o020, 0o002])
def test_whatever_decides_on_trust_must_not_be_changed_by_others(
    tmp_path: Path, place: str, right: int
) -> None:
    ensure_keys(tmp_path)
    trust(tmp_path, "other.pem", new_keys())
    path = tmp_path / place
    path.chmod(mode_of(path) | right)
    told = refusal(lambda: load_keyring(tmp_path))
    assert told.startswith(f"others may change {path} (its mode is ")
    assert f"`chmod go-w {path}`" in told
    assert refusal(lambda: load_keyring(tmp_path, signing_key=new_signing_key())) == told


def test_no_key_is_made_in_a_folder_that_others_may_change(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    assert "others may change" in refusal(lambda: ensure_keys(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_refused_by_name(tmp_path: Path) -> None:
    keys = ensure_keys(tmp_path)
    file = trust(tmp_path, "other.pem", keys)
    file.write_text("nothing")
    assert refusal(lambda: load_keyring(tmp_path)).startswith(f"{file} is not Ed25519 public keys")
    assert refusal(lambda: load_public_keys([file])).startswith(f"{file} is not Ed25519 public")
    (tmp_path / "signing.pem").write_text("nothing")
    assert refusal(lambda: ensure_keys(tmp_path)).startswith(f"{tmp_path}/signing.pem is not one")


def test_a_file_of_public_keys_that_is_named_must_exist(tmp_path: Path) -> None:
    file = tmp_path / "none.pem"
    assert refusal(lambda: load_public_keys([file])) == (
        f"{file} does not exist: name a file of public keys"
    )


def test_what_cannot_be_read_or_written_is_told_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch(mode=0o600)
    end = "mend it or its permissions, or name another key folder with REMIT_KEYS_DIR"
    told = f"cannot be used (Not a directory): {end}"
    assert refusal(lambda: load_keyring(file)) == f"{file} {told}"
    assert refusal(lambda: ensure_keys(file / "keys")) == f"{file / 'keys'} {told}"
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    assert refusal(lambda: ensure_keys(tmp_path / "link")) == (
        f"{tmp_path / 'link'} cannot be used (File exists): {end}"
    )
    assert refusal(lambda: load_public_keys([tmp_path])) == (
        f"{tmp_path} cannot be used (Is a directory): {end}"
    )


def test_a_folder_in_the_way_of_a_file_stops_a_rotation(tmp_path: Path) -> None:
    old = ensure_keys(tmp_path)
    (tmp_path / "verify").mkdir(0o700)
    (tmp_path / "verify" / f"{old.kid}.pem").mkdir()
    assert "Is a directory" in refusal(lambda: rotate_keys(tmp_path))
    assert "Is a directory" in refusal(lambda: load_keyring(tmp_path))
    (tmp_path / "verify" / f"{old.kid}.pem").rmdir()
    (tmp_path / "verify" / f".{old.kid}.pem.new").mkdir()
    assert "cannot be used" in refusal(lambda: rotate_keys(tmp_path))
    assert load_keyring(tmp_path).kid == old.kid


def test_a_folder_is_settled_to_be_of_one_installation_once(tmp_path: Path) -> None:
    assert ensure_keys(tmp_path).pinned is None
    for installation in (UUID(int=1), UUID(int=2)):
        pin(tmp_path, installation)
    assert load_keyring(tmp_path).pinned == UUID(int=1)


def test_a_folder_that_names_no_installation_is_refused(tmp_path: Path) -> None:
    ensure_keys(tmp_path)
    (tmp_path / "installation").write_text("of mine\n")
    (tmp_path / "installation").chmod(0o644)
    assert "does not hold the identifier of an installation" in refusal(
        lambda: load_keyring(tmp_path)
    )
