"""`remit keys`: the keys that sign what the gate decides."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.cli.base.options import DataDirOption, JsonOption

if TYPE_CHECKING:
    from remit.settings import Settings
    from remit.signing.keys import Keyring

FolderArgument = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where to write it; made if it is missing.")
]
LabelOption = Annotated[
    str,
    typer.Option(
        "--label",
        metavar="TEXT",
        show_default=False,
        help="What its certificate calls it; by default the folder's name.",
    ),
]

app = typer.Typer(help="The keys that sign what the gate decides.", no_args_is_help=True)


@app.callback()
def keys() -> None:
    """Look at the keys that sign what the gate decides, replace one, hand them on."""


@app.command()
def show(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the keys that are trusted here, which of them signs, and for which installation.

    Keys are settled to be those of one installation, that is of one database, by whatever makes or
    serves it first: `remit up`, or a worker on an embedded stack.
    """
    from remit.cli.base.output import Cell, write_json, write_line, write_table
    from remit.cli.base.services import load_settings

    found = _load(load_settings(data_dir))
    rows = [
        (each.kid, "signs" if each.kid == found.kid else "verifies", each.source)
        for each in found.trusted.values()
    ]
    if as_json:
        listed = [{"kid": kid, "use": use, "file": file} for kid, use, file in rows]
        write_json({"keys": listed, "installation": found.pinned})
        return
    shown = [(kid, Cell(use, "green" if use == "signs" else ""), file) for kid, use, file in rows]
    write_table(("KEY", "USE", "FILE"), shown)
    if found.pinned is not None:
        write_line(f"only for the installation {found.pinned}")


@app.command()
def create(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Make a signing key where there is none; `remit up` does it by itself."""
    from remit.cli.base.output import write_json, write_line
    from remit.cli.base.services import keys_dir, load_settings
    from remit.signing.keys import ensure_keys

    folder = keys_dir(load_settings(data_dir))
    found = ensure_keys(folder)
    if as_json:
        write_json({"kid": found.kid, "folder": str(folder)})
    else:
        write_line(f"{found.kid} signs, from {folder}")


@app.command()
def rotate(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Sign with a new key from now on; what the old one signed still verifies.

    Workers that share the key folder see it by themselves.
    """
    from remit.cli.base.output import Cell, write_json, write_line
    from remit.cli.base.services import load_settings
    from remit.signing.keys import rotate_keys

    settings = load_settings(data_dir)
    old = _load(settings).kid
    folder = _rotatable(settings)
    new = rotate_keys(folder).kid
    if as_json:
        write_json({"old": old, "new": new, "folder": str(folder)})
        return
    write_line("signs now      ", Cell(str(new), "green"))
    write_line("still trusted  ", str(old))
    write_line(
        "Workers that share this folder see it by themselves. Where one has a key folder of its "
        "own, put the output of `remit keys export` into its folder verify now, as a file *.pem: "
        "until then it refuses what is signed with the new key."
    )


@app.command()
def export(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """Print the public keys as PEM: all that is needed to verify evidence elsewhere."""
    from remit.cli.base.output import print_out, write_json
    from remit.cli.base.services import load_settings
    from remit.signing.keys import public_pem

    found = public_pem(_load(load_settings(data_dir)))
    if as_json:
        write_json({"keys": [{"kid": kid, "pem": text} for kid, text in found.items()]})
    else:
        print_out("".join(found.values()).rstrip("\n"))


@app.command()
def worker(
    folder: FolderArgument,
    *,
    label: LabelOption = "",
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key for the workers of a host that must not hold the signing key.

    Run it where the signing key and the database are. Bring FOLDER to that host, and name it there
    with REMIT_WORKER_KEY_DIR; the host needs the public keys, too: see `remit keys export`.
    """
    from remit.cli.base.output import Cell, write_json, write_line
    from remit.cli.base.services import database, keys_for, load_settings
    from remit.execution.workers import certify_key
    from remit.signing.pem import key_id
    from remit.signing.worker_keys import new_worker_key, write_worker_key

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        found = keys_for(engine, settings)
    private, public, text = new_worker_key()
    kid = key_id(public)
    write_worker_key(folder, private, certify_key(kid, text, label or folder.name, found))
    if as_json:
        write_json({"kid": kid, "folder": str(folder), "certified_by": found.kid})
        return
    write_line("may certify workers  ", Cell(kid, "green"))
    write_line("written to           ", str(folder))
    write_line(
        "Bring the folder to the worker's host, name it with REMIT_WORKER_KEY_DIR, and keep "
        "worker.pem from everybody else."
    )


def _load(settings: "Settings") -> "Keyring":
    """Return the keys that this installation trusts; none is made.

    Raises:
        MisconfiguredError: there is none, or they cannot be used.
    """
    from remit.cli.base.services import keys_dir
    from remit.signing.keys import load_keyring

    given = settings.remit_signing_key
    return load_keyring(
        keys_dir(settings), signing_key=None if given is None else given.get_secret_value()
    )


def _rotatable(settings: "Settings") -> Path:
    """Return the key folder, when the signing key lies there.

    Raises:
        MisconfiguredError: the signing key comes from the environment.
    """
    from remit.cli.base.services import keys_dir
    from remit.errors import MisconfiguredError
    from remit.signing.keys import SIGNING_VARIABLE

    folder = keys_dir(settings)
    if settings.remit_signing_key is not None:
        raise MisconfiguredError(
            f"{SIGNING_VARIABLE} holds the signing key, and only you can replace it: save what "
            f"`remit keys export` prints as a file *.pem in {folder / 'verify'}, then set the "
            "variable to a new key (`openssl genpkey -algorithm ed25519`)"
        )
    return folder
