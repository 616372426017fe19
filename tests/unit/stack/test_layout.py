"""What a data directory may be, and which ones are refused."""

import stat
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError
from remit.stack.layout import LAYOUT_VERSION, POSTGRES_MAJOR, DataDir, write_private


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_made_private_and_marked(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "above" / "data")
    data.prepare()
    assert mode_of(data.path) == 0o700
    assert mode_of(data.logs) == 0o700
    assert data.version_file.read_text() == f"{LAYOUT_VERSION}\n"


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.prepare()
    (data.path / "temporal.db").write_text("kept")
    data.prepare()
    assert data.temporal_db.read_text() == "kept"


def test_an_empty_directory_that_others_can_read_becomes_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    DataDir(tmp_path).prepare()
    assert not mode_of(tmp_path) & 0o067


def test_checking_a_directory_that_does_not_exist_creates_nothing(tmp_path: Path) -> None:
    DataDir(tmp_path / "data").check()
    assert list(tmp_path.iterdir()) == []


def test_a_crash_while_the_directory_was_marked_does_not_make_it_a_stranger(tmp_path: Path) -> None:
    (tmp_path / "VERSION").touch()
    DataDir(tmp_path).prepare()
    assert (tmp_path / "VERSION").read_text() == f"{LAYOUT_VERSION}\n"


def test_a_relative_path_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataDir(Path("data")).path == tmp_path / "data"


def test_another_layout_version_is_refused_with_both_versions_and_the_fix(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("7\n")
    with pytest.raises(MisconfiguredError) as caught:
        DataDir(tmp_path).prepare()
    assert str(caught.value) == (
        f"{tmp_path} has layout version '7', this Remit needs {LAYOUT_VERSION}: "
        "use the Remit that made it, or another directory with --data-dir"
    )


def test_a_database_of_another_postgres_is_refused(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.prepare()
    data.postgres.mkdir()
    (data.postgres / "PG_VERSION").write_text("16\n")
    with pytest.raises(MisconfiguredError) as caught:
        data.prepare()
    assert str(caught.value) == (
        f"{data.postgres} holds a database of Postgres 16, this Remit brings Postgres "
        f"{POSTGRES_MAJOR}: use the Remit that made it, or another directory with --data-dir"
    )


def test_a_directory_of_something_else_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    before = mode_of(tmp_path)
    with pytest.raises(MisconfiguredError) as caught:
        DataDir(tmp_path).prepare()
    assert str(caught.value) == (
        f"{tmp_path} is not a Remit data directory: it holds 'thesis.tex' and no VERSION file; "
        "name an empty or new directory with --data-dir"
    )
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]
    assert mode_of(tmp_path) == before


def test_a_file_is_no_data_directory(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.touch()
    with pytest.raises(MisconfiguredError, match=r"is not a directory: name one with --data-dir"):
        DataDir(file).prepare()


def test_a_directory_below_a_file_is_refused_with_the_system_s_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    data = DataDir(tmp_path / "file" / "data")
    with pytest.raises(MisconfiguredError, match=r"cannot be used \(Not a directory\): mend"):
        data.prepare()


def test_a_directory_that_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(MisconfiguredError, match=r"cannot be used \(Permission denied\)"):
        DataDir(tmp_path).check()


def test_a_private_file_is_replaced_whole_and_readable_by_its_user_only(tmp_path: Path) -> None:
    file = tmp_path / "stack.json"
    file.write_text("old and longer")
    file.chmod(0o644)
    write_private(file, "new")
    assert file.read_text() == "new"
    assert mode_of(file) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["stack.json"]
