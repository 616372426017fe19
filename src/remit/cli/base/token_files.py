"""Where a command finds the token that says who gives it, and keeps those that it is told to keep.

A kept token is a file in the data folder that only this account may read: whoever can read it could
open the embedded database as well.
"""

import os
import pwd
import stat
from functools import partial
from typing import TYPE_CHECKING

from remit.errors import MisconfiguredError, UnauthenticatedError
from remit.identity.names import check_name, name_from
from remit.stack.layout import DataDir, write_private

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from remit.operations.identities.principals import MadeToken
    from remit.settings import Settings
    from remit.signing.keys import Keyring


def account_name() -> str:
    """Return the principal's name for this account: its login name, as names are written."""
    try:
        # The account, and not what LOGNAME says: the environment is not asked who somebody is.
        return name_from(pwd.getpwuid(os.getuid()).pw_name)
    except KeyError:
        return name_from("")


def find_token_text(settings: "Settings", name: str | None) -> str:
    """Return the kept token of a principal; of None: REMIT_TOKEN, else this account's.

    Raises:
        UnauthenticatedError: there is none; the message says how to get one.
        MisconfiguredError: the file that keeps it can be read by others.
    """
    if name is None and settings.remit_token is not None:
        return settings.remit_token.get_secret_value()
    if name is not None:
        check_name(name, field="--as")
    path = DataDir(settings.remit_data_dir).token(name or account_name())
    text = _read_kept(path)
    if text is not None:
        return text
    if name is not None:
        raise UnauthenticatedError(
            f"no token of {name} is kept in {path.parent}: make one with "
            f"`remit token create {name} --keep`",
            field="--as",
        )
    raise UnauthenticatedError(
        "it is not known who you are: set REMIT_TOKEN to a token that `remit token create` made, "
        "or name one that is kept here with --as"
    )


def prepare_to_keep(settings: "Settings") -> None:
    """Make the folder of kept tokens, if it is not there.

    Called before a token is made: one that cannot be kept then is never made.
    """
    DataDir(settings.remit_data_dir).prepare()
    folder = place(settings, "any").parent
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise MisconfiguredError(
            f"{folder} cannot be a folder of tokens ({error.strerror}): mend or remove it"
        ) from error


def place(settings: "Settings", name: str) -> "Path":
    """Return the file that keeps the token of a principal for this account."""
    return DataDir(settings.remit_data_dir).token(name)


def keep_made(settings: "Settings", made: "MadeToken") -> None:
    """Keep a token for this account, in place of one that was kept under the same name."""
    path = place(settings, made.row.principal)
    try:
        write_private(path, f"{made.token}\n")
    except OSError as error:
        raise MisconfiguredError(
            f"{path} cannot be written ({error.strerror}), so that no token was made: make room "
            "for it, or name another folder with --data-dir or REMIT_DATA_DIR"
        ) from error


def keep_first_admin(
    engine: "sa.Engine", settings: "Settings", keys: "Keyring"
) -> "MadeToken | None":
    """Make this account the first admin of a new installation, and keep its token.

    None: somebody is known already.
    """
    from remit.operations.identities.directory import make_first_admin
    from remit.operations.identities.principals import LONGEST_TOKEN

    prepare_to_keep(settings)
    keep = partial(keep_made, settings)
    return make_first_admin(engine, account_name(), valid_for=LONGEST_TOKEN, keys=keys, keep=keep)


def _read_kept(path: "Path") -> str | None:
    try:
        with path.open(encoding="ascii") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise MisconfiguredError(
                    f"{path} holds a token and can be read by others: chmod 600 it, or make "
                    "another token"
                )
            return file.read().strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise MisconfiguredError(f"{path} cannot be read: mend or remove it") from error
