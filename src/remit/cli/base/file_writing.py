"""Files that commands write: whole or not at all, and never over another that nobody named.

`save` is for what somebody asks for, `replacing` for a file that a running installation reads.
"""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

from remit.cli.base.signals import handled
from remit.errors import InvalidInputError

OWNER_ONLY = 0o600
"""Mode of a file that nobody but this account may read."""


def require_free(out: Path, *, force: bool) -> None:
    """Return quietly when `out` may be written."""
    with _told(out):
        if out.exists() and not out.is_file():
            raise InvalidInputError(f"{out} is no file: name one", field="--out")
        if not force and out.exists():
            raise InvalidInputError(
                f"{out} is there already: name another file, or say --force", field="--out"
            )
        # Asked now, and not only by the attempt: much may be done before that.
        folder = f"{out.absolute().parent}/"
        os.stat(folder)  # noqa: PTH116 - the slash is what makes it fail for a file
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "its folder takes no file")


def save(out: Path, data: bytes, *, force: bool, mode: int = 0o666) -> None:
    """Write a file whole or not at all; without `force`, never over another.

    The account's umask takes away from `mode`.
    """
    # Short, so that the longest name that a file may have is one for this, too.
    unfinished = out.with_name(f".{os.getpid()}.new")
    claimed = False
    with _told(out), _undisturbed():
        try:
            if not force:
                # The name is taken first: nobody else's file can come to stand there meanwhile.
                out.touch(exist_ok=False)
                claimed = True
            with open(unfinished, "xb", opener=partial(os.open, mode=mode)) as file:
                _write_whole(file, data)
            unfinished.replace(out)
        except OSError:
            with suppress(OSError):
                unfinished.unlink()
            with suppress(OSError):
                if claimed:
                    out.unlink()
            raise


@contextmanager
def replacing(path: Path, data: bytes, *, field: str) -> Iterator[Callable[[], None]]:
    """Write a file beside another, and yield what puts it in the other's place at one stroke.

    Whoever reads meanwhile, and whoever starts again after a crash, finds the old file or the new
    one. The new one has the old one's rights, and is there for good once the call has returned. A
    link leads to the file that is replaced. Without the call, nothing is changed.
    """
    with _told(path, field):
        target = path.resolve()
        unfinished = target.with_name(f".{os.getpid()}.new")

    def put() -> None:
        with _told(path, field):
            unfinished.replace(target)
            _sync_folder(target.parent)

    with _undisturbed():
        try:
            with _told(path, field), unfinished.open("xb") as file:
                if target.exists():
                    _take_rights(file.fileno(), target)
                _write_whole(file, data)
            yield put
        finally:
            with suppress(OSError):
                unfinished.unlink()


def _take_rights(descriptor: int, other: Path) -> None:
    state = other.stat()
    os.fchmod(descriptor, S_IMODE(state.st_mode))
    if (state.st_uid, state.st_gid) != (os.getuid(), os.getgid()):
        os.fchown(descriptor, state.st_uid, state.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(out: Path, field: str = "--out") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{out} cannot be written ({reason})", field=field) from error


def _write_whole(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let what would end this process wait until the block is done."""
    came: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        with handled(kinds, lambda number, _: came.append(number)):
            yield
    finally:
        for number in came:
            signal.raise_signal(number)
