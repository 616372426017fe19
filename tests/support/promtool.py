"""Prometheus' own checker, from Debian's package `prometheus`."""

import os
import shutil
import subprocess

import pytest


def find_promtool() -> str:
    """Return its path; where it is missing the test is skipped, but fails in CI."""
    found = shutil.which("promtool")
    if found is None:
        reason = "promtool is missing: apt-get install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def promtool(*arguments: str) -> str:
    """Run it, and return what it says; fail when that is bad."""
    run = subprocess.run(
        [find_promtool(), *arguments], capture_output=True, text=True, check=False, timeout=50
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def complaints_about(metrics: str) -> tuple[int, str]:
    """Return its exit code and all that it says about metrics in Prometheus' form."""
    run = subprocess.run(
        [find_promtool(), "check", "metrics"],
        input=metrics,
        text=True,
        capture_output=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr
