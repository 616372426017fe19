"""The policy in force is the file's as it stands now, and no policy is not the old policy."""

import os
from pathlib import Path

import pytest

from remit.errors import InvalidInputError
from remit.operations.gate.policies import PolicySource
from remit.policy.config import default_policy
from tests.support.policies import whole

TEXT = whole('version = "1"\n[tools]\nallow = ["echo"]\n[scopes]\nallow = ["test"]\n')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(TEXT)
    return path


def test_without_a_file_the_built_in_policy_is_in_force() -> None:
    assert PolicySource(None).current() == default_policy()


def test_a_file_that_has_not_changed_is_read_once(file: Path) -> None:
    source = PolicySource(file)
    assert source.current() is source.current()


def test_a_change_is_in_force_at_the_next_decision(file: Path) -> None:
    source = PolicySource(file)
    before = source.current()
    file.write_text(TEXT.replace('"1"', '"2"') + "# longer\n")
    after = source.current()
    assert (before.version, after.version) == ("1", "2")
    assert before.digest != after.digest


def test_a_change_of_the_same_length_is_seen_by_its_time(file: Path) -> None:
    source = PolicySource(file)
    file.write_text(TEXT.replace('"1"', '"2"'))
    later = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later, later))
    assert source.current().version == "2"


def test_a_file_that_is_put_in_its_place_is_read(file: Path) -> None:
    source = PolicySource(file)
    other = file.with_name("other.toml")
    other.write_text(TEXT.replace("echo", "noop"))
    other.replace(file)
    assert source.current().allowed_tools == ("noop",)


@pytest.mark.parametrize("broken", ["version = ", "surprise = true", ""])
def test_a_file_that_became_unreadable_is_an_error_each_time_and_never_the_old_policy(
    file: Path, broken: str
) -> None:
    source = PolicySource(file)
    file.write_text(broken)
    for _ in range(2):
        with pytest.raises(InvalidInputError, match=r"policy\.toml: "):
            source.current()
    file.write_text(TEXT)
    assert source.current().version == "1"


def test_a_file_that_disappeared_is_an_error_and_never_the_old_policy(file: Path) -> None:
    source = PolicySource(file)
    file.unlink()
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="cannot be read"):
            source.current()


def test_a_file_that_is_no_policy_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        PolicySource(tmp_path / "none.toml")
