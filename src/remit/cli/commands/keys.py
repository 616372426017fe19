"""`remit keys`: the keys that sign what the gate decides."""

from pathlib import Path
from typing import Annotated

import typer

from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.options import argument
from remit.cli.base.output import Cell, print_out, write_line, write_table
from remit.errors import MisconfiguredError

FolderArgument = Annotated[Path, argument("FOLDER", "Where to write it; made if it is missing.")]
LabelOption = Annotated[
    str,
    typer.Option(
        "--label",
        metavar="TEXT",
        show_default=False,
        help="What its certificate calls it; by default the folder's name.",
    ),
]

app = Group("The keys that sign what the gate decides.")


@app.add()
def show(context: Context) -> None:
    """List the keys that are trusted here, which of them signs, and for which installation.

    Keys are settled to be those of one installation, that is of one database, by whatever makes or
    serves it first: `remit up`, or a worker on an embedded stack.
    """
    found = services.keyring(context.settings)
    rows = [
        (each.kid, "signs" if each.kid == found.kid else "verifies", each.source)
        for each in found.trusted.values()
    ]

    def write() -> None:
        styles = {"signs": "green"}
        shown = [(kid, Cell(use, styles.get(use, "")), file) for kid, use, file in rows]
        write_table(("KEY", "USE", "FILE"), shown)
        if found.pinned is not None:
            write_line(f"only for the installation {found.pinned}")

    listed = [{"kid": kid, "use": use, "file": file} for kid, use, file in rows]
    context.show({"keys": listed, "installation": found.pinned}, write)


@app.add()
def create(context: Context) -> None:
    """Make a signing key where there is none; `remit up` does it by itself."""
    from remit.signing.keys import ensure_keys

    folder = services.keys_dir(context.settings)
    kid = ensure_keys(folder).kid
    document = {"kid": kid, "folder": str(folder)}
    context.show(document, lambda: write_line(f"{kid} signs, from {folder}"))


@app.add()
def rotate(context: Context) -> None:
    """Sign with a new key from now on; what the old one signed still verifies.

    Workers that share the key folder see it by themselves.
    """
    from remit.signing.keys import SIGNING_VARIABLE, rotate_keys

    settings = context.settings
    old, folder = services.keyring(settings).kid, services.keys_dir(settings)
    if settings.remit_signing_key is not None:
        raise MisconfiguredError(
            f"{SIGNING_VARIABLE} holds the signing key, and only you can replace it: save what "
            f"`remit keys export` prints as a file *.pem in {folder / 'verify'}, then set the "
            "variable to a new key (`openssl genpkey -algorithm ed25519`)"
        )
    new = rotate_keys(folder).kid

    def write() -> None:
        write_line("signs now      ", Cell(str(new), "green"))
        write_line("still trusted  ", str(old))
        write_line(
            "Workers that share this folder see it by themselves. Where one has a key folder of "
            "its own, put the output of `remit keys export` into its folder verify now, as a file "
            "*.pem: until then it refuses what is signed with the new key."
        )

    context.show({"old": old, "new": new, "folder": str(folder)}, write)


@app.add()
def export(context: Context) -> None:
    """Print the public keys as PEM: all that is needed to verify evidence elsewhere."""
    from remit.signing.keys import public_pem

    found = public_pem(services.keyring(context.settings))
    document = {"keys": [{"kid": kid, "pem": text} for kid, text in found.items()]}
    context.show(document, lambda: print_out("".join(found.values()).rstrip("\n")))


@app.add()
def worker(context: Context, folder: FolderArgument, *, label: LabelOption = "") -> None:
    """Make a key for the workers of a host that must not hold the signing key.

    Run it where the signing key and the database are. Bring FOLDER to that host, and name it there
    with REMIT_WORKER_KEY_DIR; the host needs the public keys, too: see `remit keys export`.
    """
    from remit.execution.workers import certify_key
    from remit.signing.pem import key_id
    from remit.signing.worker_keys import new_worker_key, write_worker_key

    found = context.keys
    private, public, text = new_worker_key()
    kid = key_id(public)
    write_worker_key(folder, private, certify_key(kid, text, label or folder.name, found))

    def write() -> None:
        write_line("may certify workers  ", Cell(kid, "green"))
        write_line("written to           ", str(folder))
        write_line(
            "Bring the folder to the worker's host, name it with REMIT_WORKER_KEY_DIR, and keep "
            "worker.pem from everybody else."
        )

    context.show({"kid": kid, "folder": str(folder), "certified_by": found.kid}, write)
