"""The keys that seal histories: made once, kept private, and opened by whoever has them."""

import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError, UnverifiableError
from remit.signing import files
from remit.signing.sealing import SEALING_FILE, Seal, ensure_seal, load_seal, new_sealing_key

PLAIN = b"what was said"


def keys_in(folder: Path, *lines: str) -> Seal:
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / SEALING_FILE
    path.write_text("".join(lines))
    path.chmod(0o600)
    return load_seal(folder)


def test_a_missing_key_is_made_once_and_private(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as threads:
        seals = list(threads.map(lambda _: ensure_seal(folder), range(8)))
    assert len({tuple(seal.keys) for seal in seals}) == 1
    assert stat.S_IMODE((folder / SEALING_FILE).stat().st_mode) == 0o600


def test_a_key_that_another_process_made_while_this_one_waited_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, sole_writer = new_sealing_key(), files.sole_writer

    @contextmanager
    def after_another(folder: Path) -> Iterator[None]:
        with sole_writer(folder):
            files.replace(folder / SEALING_FILE, theirs, mode=0o600)
            yield

    monkeypatch.setattr(files, "sole_writer", after_another)
    seal = ensure_seal(tmp_path)
    assert (tmp_path / SEALING_FILE).read_text() == theirs
    assert seal.keys.keys() == load_seal(tmp_path).keys.keys()


def test_what_is_sealed_shows_nothing_and_is_opened_again(tmp_path: Path) -> None:
    seal = ensure_seal(tmp_path)
    name, sealed = seal.close(PLAIN)
    assert PLAIN not in sealed
    assert seal.open(name, sealed) == PLAIN
    assert seal.close(PLAIN)[1] != sealed
    assert load_seal(tmp_path).open(name, sealed) == PLAIN


def test_a_new_key_in_front_seals_and_an_old_one_still_opens(tmp_path: Path) -> None:
    old, new = new_sealing_key(), new_sealing_key()
    before = keys_in(tmp_path, old).close(PLAIN)
    rotated = keys_in(tmp_path, new, old)
    assert rotated.open(*before) == PLAIN
    name, _ = rotated.close(PLAIN)
    assert name != before[0]
    with pytest.raises(UnverifiableError, match="which is not here"):
        keys_in(tmp_path, new).open(*before)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: b"\0" + data[1:],
        lambda data: b"",
        lambda data: data[:3],
    ],
    ids=["cut", "changed", "nothing", "less than a nonce"],
)
def test_what_was_changed_is_refused(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    seal = ensure_seal(tmp_path)
    name, sealed = seal.close(PLAIN)
    with pytest.raises(UnverifiableError, match="changed, or forged"):
        seal.open(name, change(sealed))


@pytest.mark.parametrize(
    "lines",
    ["x\n", "AAAA\n", f"{new_sealing_key()}\nnonsense\n"],
    ids=["no base64", "too short", "a key, then nonsense"],
)
def test_a_line_that_is_no_key_is_refused_and_not_quoted(tmp_path: Path, lines: str) -> None:
    with pytest.raises(MisconfiguredError, match="openssl rand -base64 32") as caught:
        keys_in(tmp_path, lines)
    assert all(line not in str(caught.value) for line in lines.split() if len(line) > 3)


def test_no_key_is_refused_with_what_makes_one(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(MisconfiguredError, match="`remit llm-worker` makes one"):
            load_seal(folder)


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    ensure_seal(tmp_path)
    (tmp_path / SEALING_FILE).chmod(0o640)
    with pytest.raises(MisconfiguredError, match="others may read or change"):
        load_seal(tmp_path)


def test_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    ensure_seal(tmp_path)
    tmp_path.chmod(0o777)
    with pytest.raises(MisconfiguredError, match="others may change"):
        load_seal(tmp_path)


def test_the_keys_are_not_shown(tmp_path: Path) -> None:
    seal = ensure_seal(tmp_path)
    assert (tmp_path / SEALING_FILE).read_text().strip() not in repr(seal)
    assert "AESGCM" not in repr(seal)
