"""A file that a command writes is whole or not there, whatever comes between."""

import os
import signal
from pathlib import Path

import pytest

from remit.cli.base.file_writing import require_free, save
from remit.errors import InvalidInputError


def refusal(out: Path, *, force: bool = True) -> str:
    """Return why a file may not be written."""
    with pytest.raises(InvalidInputError) as caught:
        require_free(out, force=force)
    return str(caught.value)


def test_a_place_that_takes_no_file_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    file, fifo = tmp_path / "file", tmp_path / "fifo"
    file.touch()
    os.mkfifo(fifo)
    name, loop = "x" * 300, tmp_path / "loop"
    loop.symlink_to(loop)
    assert refusal(tmp_path, force=False) == f"--out: {tmp_path} is no file: name one"
    assert refusal(fifo) == f"--out: {fifo} is no file: name one"
    assert refusal(Path("/dev/full")) == "--out: /dev/full is no file: name one"
    assert refusal(file / "x") == f"--out: {file}/x cannot be written (Not a directory)"
    assert refusal(loop / "x").endswith("cannot be written (Too many levels of symbolic links)")
    assert refusal(tmp_path / name).endswith("cannot be written (File name too long)")


def test_the_longest_name_that_a_file_may_have_is_written(tmp_path: Path) -> None:
    out = tmp_path / ("x" * 255)
    save(out, b"whole", force=False)
    assert out.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("force", [False, True])
def test_a_signal_that_comes_meanwhile_waits_until_the_file_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, force: bool
) -> None:
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    out = tmp_path / "out"

    def interrupted(_: int) -> None:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert came == []

    monkeypatch.setattr(os, "fsync", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            save(out, b"whole", force=force)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (out.read_bytes(), list(tmp_path.iterdir())) == (b"whole", [out])
    assert came == [signal.SIGTERM]
