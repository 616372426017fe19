"""What the tests of the tour share: the real command, in a process of its own."""

import subprocess
import sys
from collections.abc import Callable

import pytest

RunDemo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run_demo() -> RunDemo:
    """Return a function that runs `remit demo` with arguments, its output going into a pipe."""

    def run(*arguments: object, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "remit", "demo", *map(str, arguments)]
        return subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, timeout=55
        )

    return run
