"""Files that decide what is trusted: read only when nobody else may change them, replaced whole."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remit.errors import MisconfiguredError

# Rights of the group and of others that a file must not give.
SECRET = 0o077
UNCHANGEABLE = 0o022
ANY = 0o000

_LOCK = ".lock"


def read(path: Path, *, forbidden: int) -> bytes | None:
    """Return what a file holds; None when there is none. A link is judged by what it leads to.

    Raises:
        MisconfiguredError: it cannot be read, or gives others a right of `forbidden`: SECRET,
            UNCHANGEABLE or ANY.
    """
    try:
        with path.open("rb") as file:
            # The open file is asked, not the path: it cannot be exchanged in between.
            _judge(path, os.fstat(file.fileno()).st_mode, forbidden)
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from error


def list_folder(folder: Path, pattern: str) -> list[Path]:
    """Return the files of a folder that fit a pattern, by name; none when there is no folder.

    Raises:
        MisconfiguredError: it cannot be read, is no folder, or may be changed by others: whoever
            may exchange a file may as well write it.
    """
    try:
        _judge(folder, folder.stat().st_mode, UNCHANGEABLE)
        # Unlike `glob`, this does not take a folder that cannot be read for an empty one.
        return sorted(path for path in folder.iterdir() if path.match(pattern))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(folder, error) from error


@contextmanager
def sole_writer(folder: Path) -> Iterator[None]:
    """Let one process, and one thread of it, write in `folder` at a time; make it if missing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace(path: Path, text: str, *, mode: int) -> None:
    """Write a file so that a reader, or a crash at any moment, finds the old one or the new one.

    Only a :func:`sole_writer` may call it. A missing folder is made, private.
    """
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        unfinished.unlink(missing_ok=True)  # a crash left it
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error


def _sync_folder(folder: Path) -> None:
    """Make a new name last: what a lost key signed could never be verified again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _judge(path: Path, mode: int, forbidden: int) -> None:
    given = stat.S_IMODE(mode)
    if given & forbidden:
        may, right = ("read or change", "go=") if forbidden == SECRET else ("change", "go-w")
        raise MisconfiguredError(
            f"others may {may} {path} (its mode is {given:04o}): `chmod {right} {path}`, and "
            "consider whether somebody did"
        )


def _unusable(path: Path, error: OSError) -> MisconfiguredError:
    return MisconfiguredError(
        f"{path} cannot be used ({error.strerror}): mend it or its permissions, or name another "
        "key folder with REMIT_KEYS_DIR"
    )
