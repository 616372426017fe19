"""`remit evidence`: one directive's evidence as a file, and what that file proves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import ActorOption, DataDirOption, IdArgument, JsonOption, KeyOption
from remit.errors import InvalidInputError, MisconfiguredError, UnverifiableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.audit.bundle.facts import Check
    from remit.audit.bundle.types import SignedBundle
    from remit.signing.keys import Keyring

app = typer.Typer(
    help="One directive's evidence as a file, and what that file proves.", no_args_is_help=True
)

STANDARD_OUTPUT = Path("-")
"""In place of a file: print the bundle."""

BundleArgument = Annotated[
    Path, typer.Argument(metavar="BUNDLE", help="A file that `remit evidence export` wrote.")
]
OutOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="FILE",
        show_default=False,
        help="Where to write it; - prints it. Default: evidence-ID.json in this folder.",
    ),
]


ForceOption = Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")]
CarryOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        show_default=False,
        help="Carry the proof that this checkpoint covers its log; `remit audit checkpoint` takes "
        "one.",
    ),
]
AgainstOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        show_default=False,
        help="Hold its log against this file, too, as `remit audit checkpoint` wrote it.",
    ),
]
InstallationOption = Annotated[
    UUID | None,
    typer.Option(
        "--installation",
        metavar="ID",
        show_default=False,
        help="It must be of this installation, by its identifier.",
    ),
]


@app.callback()
def evidence() -> None:
    """Hand out one directive's evidence as a file, and find out what such a file proves."""


@app.command()
def export(
    directive: IdArgument,
    *,
    out: OutOption = None,
    checkpoint: CarryOption = None,
    force: ForceOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write all that is known of one directive into one signed file.

    It holds the intent, the policy's verdict, requests, votes, grants, runs, artifacts and the log,
    and what everybody signed. `remit evidence verify` checks it with nothing but the public key.
    """
    from remit.cli.base.file_writing import require_free, save
    from remit.cli.base.output import print_out
    from remit.cli.base.services import caller, database, keyring, keys_for, load_settings

    if out == STANDARD_OUTPUT and as_json:
        raise InvalidInputError("- prints the bundle itself: leave out --json", field="--out")
    settings = load_settings(data_dir)
    held = None if checkpoint is None else _read_whole(checkpoint, "--checkpoint")
    keyring(settings)  # what is wrong with them is said before anything else
    with database(data_dir) as engine:
        from remit.operations.evidence.bundles import export_bundle
        from remit.operations.evidence.records import resolve_id

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        found = resolve_id(engine, directive)
        file = out or Path(f"evidence-{str(found)[:8]}.json")
        if file != STANDARD_OUTPUT:
            require_free(file, force=force)
        data = export_bundle(engine, found, keys, by=by, checkpoint=held)
    if file == STANDARD_OUTPUT:
        print_out(data.decode().removesuffix("\n"))
        return
    save(file, data, force=force)
    _write_exported(str(found), file, data, as_json=as_json)


@app.command()
def verify(
    bundle: BundleArgument,
    *,
    key: KeyOption = None,
    installation: InstallationOption = None,
    checkpoint: AgainstOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check a bundle, and tell who let it happen; 1 when anything in it does not hold.

    No database and no network are needed. Every digest is computed again, every decision of the
    gate is made again, every signature is verified, and the log must tell of exactly what there is.
    What no bundle can show by itself is listed at the end.
    """
    data = _read(bundle)
    held = None if checkpoint is None else _read_whole(checkpoint, "--checkpoint")
    read, checks = _checked(data, _keys(key, data_dir), installation, held)
    if as_json:
        _write_json(read, checks)
    else:
        _write_checks(checks)
        _write_end(read, checks)
    if not all(check.holds for check in checks):
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _checked(
    data: bytes, keys: "Keyring", installation: "UUID | None", checkpoint: bytes | None
) -> "tuple[SignedBundle | None, tuple[Check, ...]]":
    """Return a bundle, None when it is none, and what was found out about it."""
    from remit.audit.bundle.checks import check_bundle
    from remit.audit.bundle.facts import Check
    from remit.audit.bundle.file import read_bundle

    try:
        read = read_bundle(data, keys)
    except UnverifiableError as error:
        return None, (Check("signature", holds=False, detail=str(error)),)
    checks = check_bundle(read, keys, installation_id=installation, kept_checkpoint=checkpoint)
    return read, checks


def _write_json(read: "SignedBundle | None", checks: "tuple[Check, ...]") -> None:
    import json

    from remit.audit.bundle.checks import not_checkable
    from remit.audit.bundle.file import encode
    from remit.cli.base.output import write_json

    said = None if read is None else json.loads(encode(read.bundle))
    unseen = () if read is None else not_checkable(read.bundle, checks)
    holds = all(check.holds for check in checks)
    write_json({"holds": holds, "checks": checks, "not_checkable": unseen, "evidence": said})


def _keys(files: "list[Path] | None", data_dir: Path | None) -> "Keyring":
    """Return the keys that are trusted; with files of them, nothing else is looked at.

    Raises:
        MisconfiguredError: there are none, or they cannot be used.
    """
    from remit.cli.base.services import keys_dir, load_settings
    from remit.signing.keys import load_keyring, load_public_keys

    if files:
        return load_public_keys(files)
    settings = load_settings(data_dir)
    folder, given = keys_dir(settings), settings.remit_signing_key
    if given is None and not folder.exists():
        raise MisconfiguredError(
            "there is no public key to verify with: give one with --key FILE; `remit keys export` "
            "prints it where the bundle was made"
        )
    return load_keyring(folder, signing_key=None if given is None else given.get_secret_value())


def _read(path: Path) -> bytes:
    """Return the file, or of one that is too large no more than shows that it is."""
    from remit.audit.bundle.file import MAX_BUNDLE_BYTES
    from remit.user_files import read_file

    try:
        data = read_file(path, most=MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror})", field="BUNDLE"
        ) from error
    if len(data) > MAX_BUNDLE_BYTES:
        limit = MAX_BUNDLE_BYTES // 1024 // 1024
        raise InvalidInputError(f"{path} is no bundle: it is over {limit} MiB", field="BUNDLE")
    return data


def _read_whole(path: Path, option: str) -> bytes:
    from remit.user_files import read_file

    try:
        return read_file(path)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror})", field=option
        ) from error


def _write_exported(directive: str, file: Path, data: bytes, *, as_json: bool) -> None:
    from remit.base.canonical import sha256_digest
    from remit.cli.base.output import Cell, write_json, write_line, write_table
    from remit.cli.views.verdict import write_next

    digest = sha256_digest(data)
    if as_json:
        write_json(
            {"directive": directive, "file": str(file), "bytes": len(data), "digest": digest}
        )
        return
    write_line("evidence of ", Cell(directive, "bold"), " in ", Cell(str(file), "bold"))
    rows = [("bytes", str(len(data))), ("digest", digest)]
    write_table((), [("", Cell(name, "dim"), text) for name, text in rows])
    write_next([f"remit evidence verify {file}"], None)


def _write_checks(checks: "Sequence[Check]") -> None:
    from remit.cli.base.output import Cell, write_table

    good, bad = Cell("✓", "green"), Cell("✗", "bold red")
    write_table(
        (),
        [
            (good, check.name, check.detail)
            if check.holds
            else (bad, Cell(check.name, "bold red"), Cell(check.detail, "red"))
            for check in checks
        ],
    )


def _write_end(read: "SignedBundle | None", checks: "Sequence[Check]") -> None:
    """Print what happened by the bundle, and in one sentence what it is worth."""
    from remit.audit.bundle.checks import not_checkable
    from remit.cli.base.output import Cell, write_line, write_table
    from remit.cli.views.evidence_story import told

    failed = sum(not check.holds for check in checks)
    if read is None:
        words = "The file proves nothing: it is no bundle, was changed, or its key is not trusted."
        write_line(Cell(words, "red"))
        return
    write_line()
    write_line(Cell("What happened, as the bundle tells it", "bold"))
    write_table((), [("", Cell(name, "dim"), text) for name, text in told(read.bundle)])
    write_line()
    if failed:
        words = f"The bundle does not hold: {failed} of {len(checks)} checks fail."
        write_line(Cell(words, "red"))
    else:
        write_line(Cell(f"The bundle holds: all {len(checks)} checks pass.", "green"))
    write_line()
    write_line(Cell("What cannot be found out from the bundle alone", "bold"))
    for words in not_checkable(read.bundle, tuple(checks)):
        write_line("- ", words)
