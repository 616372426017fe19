"""A policy file as some editors save it."""

from importlib.resources import files
from pathlib import Path

import pytest

from remit.errors import InvalidInputError
from remit.policy.config import default_policy, load_policy

TEXT = files("remit.policy").joinpath("default.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("encoding", "newline"), [("utf-8-sig", "\n"), ("utf-8", "\r\n")])
def test_a_byte_order_mark_or_another_line_ending_is_no_part_of_a_policy(
    tmp_path: Path, encoding: str, newline: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(TEXT.replace("\n", newline).encode(encoding))
    assert load_policy(file) == default_policy()


def test_a_policy_in_utf_16_is_told_how_to_save_it(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(TEXT, encoding="utf-16")
    with pytest.raises(InvalidInputError, match="is not text: save it as UTF-8"):
        load_policy(file)
