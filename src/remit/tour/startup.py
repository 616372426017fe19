"""What `remit demo` needs before the libraries load: its files, and how long the process runs."""

import time
from pathlib import Path

_STAT = Path("/proc/self/stat")  # on Linux only


def seconds_since_process_start() -> float:
    """Return the age of this process, the interpreter's own start included.

    Exact to one tick of the system (10 ms on Linux).
    """
    if _STAT.exists():
        import os

        # The second field, the program's name, may itself hold spaces and parentheses.
        started = int(_STAT.read_text(errors="replace").rpartition(")")[2].split()[19])
        # Not psutil's start time: it counts from a boot time that is rounded to whole seconds.
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
    import psutil

    return time.time() - psutil.Process().create_time()


SCRIPT = "tour.jsonl"
POLICY = "tour-policy.toml"


def shipped(name: str) -> Path:
    """Return the path of one of them: a wheel carries it here, a checkout in `examples/`."""
    beside = Path(__file__).with_name(name)
    return beside if beside.exists() else Path(__file__).parents[3] / "examples" / name
