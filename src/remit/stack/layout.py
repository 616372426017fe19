"""Where everything of an embedded stack lies, and the refusal to open what is not ours.

No other module of this package builds a path. It imports almost nothing, for quick commands.
"""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from remit.base.wording import printable
from remit.errors import MisconfiguredError

LAYOUT_VERSION = 1
"""Version of the arrangement of files described by :class:`DataDir`."""

POSTGRES_MAJOR = 18
"""Major version of Postgres whose files `DataDir.postgres` holds."""

# What others may do to the directory is what we take away: everything but the group's right to
# pass through, which `postgres.py` gives to the system user that runs Postgres for root.
_FORBIDDEN_MODE = 0o067
_LONGEST = 900  # of the 1,024 bytes that Postgres takes; the rest is for the names of its own files


class _Within:
    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, data: "DataDir", kind: type) -> Path:
        return data.path / self._name


@dataclass(frozen=True)
class DataDir:
    """One data directory; `path` becomes absolute, and need not exist."""

    path: Path

    version_file = _Within("VERSION")
    """Names the layout version; its presence marks a directory as Remit's."""
    postgres = _Within("postgres")
    """Postgres' own files (its PGDATA) and, where the path is short enough, its socket."""
    postgres_unfinished = _Within("postgres.new")
    """Where a new database is made; it becomes `postgres` only when it is complete."""
    temporal_db = _Within("temporal.db")
    """Temporal's SQLite file."""
    temporal_unfinished = _Within("temporal.new")
    """Marks that file as one whose first start has not got to its end: of no use to another."""
    logs = _Within("logs")
    """One log file a process."""
    stack_file = _Within("stack.json")
    """Says how to reach the running stack; absent while none runs."""
    processes_file = _Within("processes.json")
    """Names the processes that a killed supervisor may have left behind."""
    lock = _Within("lock")
    """Held by the supervisor as long as it lives; holds its process id."""

    def __post_init__(self) -> None:
        """Make the path absolute: the stack's processes have other working directories."""
        object.__setattr__(self, "path", self.path.expanduser().absolute())

    def token(self, name: str) -> Path:
        """Return the file that keeps the token of the principal `name` for this account."""
        return self.path / "tokens" / name

    def log(self, name: str) -> Path:
        """Return the log file of the process called `name`."""
        return self.logs / f"{name}.log"

    def worker_ready(self, pid: int, name: str = "worker") -> Path:
        """Return the file that a worker makes when it polls its queues; `name` is its command."""
        return self.path / f"{name}.{pid}.ready"

    def workers_ready(self, name: str = "worker") -> list[Path]:
        """Return such files of every worker that runs this command, or ran it once."""
        return list(self.path.glob(f"{name}.*.ready"))

    def check(self) -> None:
        """Refuse a directory that this version of Remit must not touch; change nothing.

        Raises:
            MisconfiguredError: the path is no directory, cannot be read, holds something other
                than a Remit stack, or one of another version.
        """
        try:
            self._check()
        except OSError as error:
            raise _unusable(self.path, error) from error

    def prepare(self) -> None:
        """Create what is missing, private to this user, after :meth:`check`.

        Raises:
            MisconfiguredError: see :meth:`check`; also when the directory cannot be written.
        """
        self.check()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(self.path.stat().st_mode)
            if mode & _FORBIDDEN_MODE:
                self.path.chmod(mode & ~_FORBIDDEN_MODE)
            self.version_file.write_text(f"{LAYOUT_VERSION}\n")
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unusable(self.path, error) from error

    def _check(self) -> None:
        try:
            str(self.path).encode()
        except UnicodeEncodeError as error:
            # Nor could any of the programs that are given it, nor `stack.json`, hold such a name.
            raise MisconfiguredError(
                f"the data directory {printable(str(self.path), 300)} has a name that is no text "
                "in UTF-8: name another with --data-dir or REMIT_DATA_DIR, or set a UTF-8 locale"
            ) from error
        length = len(os.fsencode(self.path))
        if length > _LONGEST:
            raise MisconfiguredError(
                f"the path of the data directory has {length} bytes, and Postgres takes "
                f"{_LONGEST}: name a shorter one with --data-dir or REMIT_DATA_DIR"
            )
        if not self.path.exists():
            return
        if not self.path.is_dir():
            raise MisconfiguredError(
                f"{self.path} is not a directory: name one with --data-dir or REMIT_DATA_DIR"
            )
        found = _read(self.version_file)
        if found is None:
            self._check_unclaimed()
        elif found != str(LAYOUT_VERSION):
            raise MisconfiguredError(
                f"{self.path} has layout version {found!r}, this Remit needs {LAYOUT_VERSION}: "
                "use the Remit that made it, or another directory with --data-dir"
            )
        major = _read(self.postgres / "PG_VERSION")
        if major is not None and major != str(POSTGRES_MAJOR):
            raise MisconfiguredError(
                f"{self.postgres} holds a database of Postgres {major}, this Remit brings Postgres "
                f"{POSTGRES_MAJOR}: use the Remit that made it, or another directory with "
                "--data-dir"
            )

    def _check_unclaimed(self) -> None:
        # An empty VERSION is what a crash inside `prepare` leaves: still an empty directory.
        others = sorted(entry.name for entry in self.path.iterdir() if entry != self.version_file)
        if others:
            raise MisconfiguredError(
                f"{self.path} is not a Remit data directory: it holds {others[0]!r} and no VERSION "
                "file; name an empty or new directory with --data-dir"
            )


def _read(path: Path) -> str | None:
    """Return the file's text without surrounding space; None when absent or empty."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return path.read_text(errors="replace").strip() or None
    return None


def _unusable(path: Path, error: OSError) -> MisconfiguredError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    return MisconfiguredError(
        f"the data directory {path} cannot be used ({reason}): mend its permissions, or name "
        "another with --data-dir or REMIT_DATA_DIR"
    )


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only this user may read it."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)
