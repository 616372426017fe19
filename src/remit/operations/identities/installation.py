"""Which installation a database is, and that the keys in use are its own."""

from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from remit.db.session import snapshot
from remit.identity.installation import read_installation
from remit.signing.keys import Installation, Keyring
from remit.signing.pins import pin


def find_installation(engine: sa.Engine) -> Installation:
    """Return whose database this is.

    Raises:
        MisconfiguredError: it has no schema of Remit's, or an older one.
        UnavailableError: the database does not answer.
    """
    with snapshot(engine) as connection:
        return read_installation(connection)


def use_keys(engine: sa.Engine, keys: Keyring, folder: Path | None = None) -> Keyring:
    """Return keys for use with a database; with its own folder, they are settled to be that one's.

    Args:
        engine: the database.
        keys: what was loaded.
        folder: where they are kept; None where that is not to be written.

    Raises:
        MisconfiguredError: the keys are those of another installation.
        UnavailableError: the database does not answer.
    """
    used = keys.used_for(find_installation(engine))
    if folder is None or used.pinned is not None or used.installation is None:
        return used
    pin(folder, used.installation.id)
    return replace(used, pinned=used.installation.id)
