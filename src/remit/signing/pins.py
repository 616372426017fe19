"""For which installation the keys of a folder are: a file beside them, written once."""

from pathlib import Path
from uuid import UUID

from remit.errors import MisconfiguredError
from remit.signing import files

INSTALLATION_FILE = "installation"
"""Name of the file in a key folder that says which installation its keys are for."""


def pin(folder: Path, installation: UUID) -> None:
    """Settle for which installation the keys of a folder are; one that is settled stays as it is.

    Raises:
        MisconfiguredError: the folder cannot be written.
    """
    with files.sole_writer(folder):
        if read_pin(folder) is None:
            files.replace(folder / INSTALLATION_FILE, f"{installation}\n", mode=0o644)


def read_pin(folder: Path | None) -> UUID | None:
    """Return the installation that a key folder is for; None while that is not settled."""
    for path in [] if folder is None else files.list_folder(folder, INSTALLATION_FILE):
        data = files.read(path, forbidden=files.UNCHANGEABLE)
        try:
            return None if data is None else UUID(data.decode("ascii").strip())
        except ValueError as error:
            raise MisconfiguredError(
                f"{path} does not hold the identifier of an installation: restore it, or remove it "
                "to use these keys with the database that is named now"
            ) from error
    return None
