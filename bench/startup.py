"""From a bare process to the first complete directive, beside the two servers' own start.

Everything starts in new directories: what is measured is a first visit. `remit demo` tells by
itself when its first directive was complete, counted from the start of its own process.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from bench.measurement import Start
from remit.base.wording import one_line
from remit.errors import UnavailableError
from remit.stack.layout import DataDir
from remit.stack.postgres import EmbeddedPostgres
from remit.stack.processes import Roster
from remit.stack.temporal import EmbeddedTemporal

_DEMO = (
    # The caller's own settings must not lead the tour to other servers, or another policy.
    *("/usr/bin/env", "-u", "DATABASE_URL", "-u", "TEMPORAL_ADDRESS"),
    *("-u", "REMIT_POLICY_FILE", "-u", "REMIT_MODULES"),
    *("-u", "REMIT_KEYS_DIR", "-u", "REMIT_SIGNING_KEY"),
    *(sys.executable, "-m", "remit", "demo", "--json"),
)
_DEMO_SECONDS = 180.0


def measure_start(*, backwards: bool) -> Start:
    """Start everything from nothing, once each, and stop it again.

    Args:
        backwards: whether to begin with the last: the first may find a colder machine.

    Raises:
        UnavailableError: a server does not come up, or the tour does not go through.
    """
    found: dict[str, float] = {}
    measured: list[tuple[str, Callable[[], float]]] = [
        ("servers", lambda: _servers_seconds("postgres", "temporal")),
        ("first_directive", first_directive_seconds),
        ("postgres", lambda: _servers_seconds("postgres")),
        ("temporal", lambda: _servers_seconds("temporal")),
    ]
    for name, measure in reversed(measured) if backwards else measured:
        found[name] = measure()
    return Start(**found)


def first_directive_seconds() -> float:
    """Run `remit demo` and return the seconds until its first directive was complete."""
    try:
        ended = subprocess.run(
            _DEMO, stdin=subprocess.DEVNULL, capture_output=True, timeout=_DEMO_SECONDS, check=True
        )
        seconds = json.loads(ended.stdout)["first_completed_seconds"]
    except subprocess.CalledProcessError as error:
        said = one_line(error.stderr.decode(errors="replace"))
        message = f"`remit demo` failed with exit code {error.returncode}: {said}"
        raise UnavailableError(message) from error
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise UnavailableError(f"`remit demo` did not tell its times: {error}") from error
    if seconds is None:
        raise UnavailableError("`remit demo` completed no directive")
    return float(seconds)


def _servers_seconds(*names: str) -> float:
    """Start servers at the same time, in a new directory; return the seconds until all answer."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="remit-bench-")))
        roster = Roster(folder / "servers.json").open()
        ending.callback(roster.close)
        began = time.perf_counter()
        data = DataDir(folder / "data")
        data.prepare()
        made: dict[str, EmbeddedPostgres | EmbeddedTemporal] = {
            "postgres": EmbeddedPostgres(data, roster),
            "temporal": EmbeddedTemporal(data, roster=roster),
        }
        for name in names:
            ending.callback(made[name].stop)
        with ThreadPoolExecutor(max_workers=2) as threads:
            starting = [threads.submit(made[name].start) for name in names]
        for each in starting:
            each.result()
        return time.perf_counter() - began
