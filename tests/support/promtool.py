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
