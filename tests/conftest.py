"""What every test needs: the same random examples each time, and the coverage gates.

Sockets are limited to loopback by `pyproject.toml`. The fixtures of the real servers (`engine`,
`client` and others) stand in `tests/support/servers.py`; nothing is started unless a test asks.
"""

from hypothesis import settings

pytest_plugins = ["tests.support.coverage_gates", "tests.support.servers"]

# No deadline: the machines that run the tests share their cores, so a slow example proves nothing.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, database=None)
settings.load_profile("ci")
