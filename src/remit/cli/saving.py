"""Files that commands write for somebody to keep: whole or not at all, and never over another."""

import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from remit.errors import InvalidInputError

FIELD = "--out"
"""The option that names such a file."""

OWNER_ONLY = 0o600
"""Mode of a file that nobody but this account may read."""

_AS_ANY_FILE = 0o666


def require_free(out: Path, *, force: bool) -> None:
    """Return quietly when `out` may be written.

    Raises:
        InvalidInputError: it is there, and `force` was not said; or it is no file at all.
    """
    if force and out.exists() and not out.is_file():
        raise InvalidInputError(f"{out} is no file: name one", field=FIELD)
    if not force and out.exists():
        raise InvalidInputError(
            f"{out} is there already: name another file, or say --force", field=FIELD
        )


def save(out: Path, data: bytes, *, force: bool, mode: int = _AS_ANY_FILE) -> None:
    """Write a file whole or not at all; without `force`, never over another.

    Args:
        out: the file.
        data: all that it is to hold.
        force: whether a file that is there is replaced.
        mode: who may do what with it; the account's umask takes away from that.

    Raises:
        InvalidInputError: it cannot be written, or came to be there meanwhile.
    """
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.new")
    claimed = False
    try:
        if not force:
            # The name is taken first: nobody else's file can come to stand there meanwhile.
            out.touch(exist_ok=False)
            claimed = True
        with open(unfinished, "xb", opener=partial(os.open, mode=mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(out)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        with suppress(OSError):
            if claimed:
                out.unlink()
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{out} cannot be written ({reason})", field=FIELD) from error
