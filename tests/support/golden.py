"""Golden files: what a command or a view prints, exactly, in `tests/golden/NAME.txt`.

A file consists of sections: `## name of the case`, the text, and an empty line before the next one.
`pytest --update-golden tests/cli/test_loop.py` writes anew what those tests read, unless `CI` is
set; `git diff tests/golden` shows what changed. `tests/architecture/test_golden.py` finds sections
that no test reads.
"""

import difflib
import os
import re
from pathlib import Path
from typing import ClassVar

import pytest

_SECTION = re.compile(r"(?:\A|\n)## (.+)\n")


def sections(path: Path) -> dict[str, str]:
    """Return the text of each section of a golden file by its name."""
    if not path.exists():
        return {}
    start, *parts = _SECTION.split(path.read_bytes().decode())
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    if start or len(found) < len(parts) // 2:
        message = f"{path.name}: each section begins with `## NAME`, and each name stands once"
        raise ValueError(message)
    return found


class Golden:
    """A section, to be compared with a text by `==`."""

    folder: ClassVar = Path(__file__).parents[1] / "golden"
    is_updating: ClassVar = False
    _written: ClassVar[set[tuple[str, str]]] = set()

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, file: str, section: str, values: dict[str, str]) -> None:
        """Name a section, and the values that it writes as `<name>`."""
        self.path, self.section = self.folder / f"{file}.txt", section
        # A value may hold another one, as the name of a file does.
        self.values = dict(sorted(values.items(), key=lambda item: -len(item[1])))

    def text(self) -> str:
        """Return what is expected.

        Raises:
            ValueError: there is no such section, or it lacks one of the values.
        """
        found = sections(self.path).get(self.section)
        missing = [name for name in self.values if f"<{name}>" not in (found or "")]
        if found is None or missing:
            lacks = f"lacks <{'>, <'.join(missing)}>" if found else "is not there"
            message = f"{self.path.name}: `## {self.section}` {lacks}: see tests/support/golden.py"
            raise ValueError(message)
        for name, value in self.values.items():
            found = found.replace(f"<{name}>", value)
        return found

    def __eq__(self, other: object) -> bool:
        """Tell whether a text is exactly what is expected."""
        if self.is_updating and isinstance(other, str):
            self._write(other)
        return self.text() == other

    def difference(self, other: str) -> list[str]:
        """Return what sets a text apart, as a unified diff."""
        expected, printed = self.text().splitlines(keepends=True), other.splitlines(keepends=True)
        name = f"tests/golden/{self.path.name}: {self.section}"
        found = difflib.unified_diff(expected, printed, name, "what was printed", n=1)
        # As Python writes it, so that spaces at an end and control characters can be seen.
        return [line[:1] + repr(line[1:])[1:-1] for line in found]

    def _write(self, text: str) -> None:
        if not text.endswith("\n") or re.search("^## ", text, re.MULTILINE):
            message = "a golden text ends with a line break, and no line begins with `## `"
            raise ValueError(message)
        for name, value in self.values.items():
            text = text.replace(value, f"<{name}>")
        key = (self.path.name, self.section)
        if key in self._written:
            return  # each test that reads a section must read the same
        self._written.add(key)
        texts = sections(self.path) | {self.section: text}
        written = "\n".join(f"## {section}\n{each}" for section, each in texts.items())
        self.path.write_bytes(written.encode())


def golden(file: str, section: str, /, **values: object) -> Golden:
    """Return what is expected, to be compared with a text: `golden("show", "a run") == text`.

    Args:
        file: the golden file's name, without `.txt`; it and the section are written as literals.
        section: the name of the case.
        values: what varies, by the name that stands for it in the section, such as `<digest>`.
    """
    return Golden(file, section, {name: str(value) for name, value in values.items()})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--update-golden`."""
    parser.addoption("--update-golden", action="store_true", help="write golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    """Let tests write golden files when that was asked for: never in CI, nor from processes."""
    if not config.getoption("--update-golden"):
        return
    if os.environ.get("CI"):
        # A UsageError would be told when standard error is closed: see tests/conftest.py.
        pytest.exit("--update-golden: CI compares golden files, and never writes them", 4)
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        pytest.exit("--update-golden: one process writes: leave out -n", 4)
    Golden.is_updating = True


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Explain a text that is not the golden one by their difference."""
    expected, text = (left, right) if isinstance(left, Golden) else (right, left)
    if op != "==" or not isinstance(expected, Golden) or not isinstance(text, str):
        return None
    return ["the text is not the golden one", *expected.difference(text)]
