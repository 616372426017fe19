"""`remit evidence`: one directive's evidence as a file, and what that file proves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.file_writing import require_free, save
from remit.cli.base.options import (
    STANDARD_STREAM,
    ForceOption,
    IdArgument,
    KeyOption,
    argument,
    option,
    read_option_file,
)
from remit.cli.base.output import Cell, print_out, write_facts, write_json, write_line
from remit.cli.views.cells import write_next
from remit.cli.views.evidence import write_checks, write_end
from remit.errors import InvalidInputError, MisconfiguredError, UnverifiableError

if TYPE_CHECKING:
    from remit.audit.bundle.facts import Check
    from remit.audit.bundle.types import SignedBundle
    from remit.signing.keys import Keyring

app = Group("One directive's evidence as a file, and what that file proves.")

BundleArgument = Annotated[Path, argument("BUNDLE", "A file that `remit evidence export` wrote.")]
OutOption = Annotated[
    Path | None,
    option(
        "--out", "Where to write it; - prints it. Default: evidence-ID.json in this folder.", "FILE"
    ),
]
CarryOption = Annotated[
    Path | None,
    option(
        "--checkpoint",
        "Carry the proof that this checkpoint covers its log; `remit audit checkpoint` takes one.",
        "FILE",
    ),
]
AgainstOption = Annotated[
    Path | None,
    option(
        "--checkpoint",
        "Hold its log against this file, too, as `remit audit checkpoint` wrote it.",
        "FILE",
    ),
]
InstallationOption = Annotated[
    UUID | None,
    option("--installation", "It must be of this installation, by its identifier.", "ID"),
]


@app.add(acting=True)
def export(
    context: Context,
    directive: IdArgument,
    *,
    out: OutOption = None,
    checkpoint: CarryOption = None,
    force: ForceOption = False,
) -> None:
    """Write all that is known of one directive into one signed file.

    It holds the intent, the policy's verdict, requests, votes, grants, runs, artifacts and the log,
    and what everybody signed. `remit evidence verify` checks it with nothing but the public key.
    """
    if out == STANDARD_STREAM and context.as_json:
        raise InvalidInputError("- prints the bundle itself: leave out --json", field="--out")
    settings = context.settings
    held = None if checkpoint is None else read_option_file(checkpoint, "--checkpoint")
    services.keyring(settings)  # what is wrong with them is said before anything else
    engine = context.engine
    from remit.operations.evidence.bundles import export_bundle

    keys, by = context.keys, context.caller
    found = context.resolve(directive)
    file = out or Path(f"evidence-{str(found)[:8]}.json")
    if file != STANDARD_STREAM:
        require_free(file, force=force)
    data = export_bundle(engine, found, keys, by=by, checkpoint=held)
    if file == STANDARD_STREAM:
        print_out(data.decode().removesuffix("\n"))
        return
    save(file, data, force=force)
    _show_exported(context, str(found), file, data)


def _show_exported(context: Context, directive: str, file: Path, data: bytes) -> None:
    from remit.base.canonical import sha256_digest

    digest = sha256_digest(data)

    def write() -> None:
        write_line("evidence of ", Cell(directive, "bold"), " in ", Cell(str(file), "bold"))
        write_facts([("bytes", str(len(data))), ("digest", digest)])
        write_next([f"remit evidence verify {file}"], None)

    document = {"directive": directive, "file": str(file), "bytes": len(data), "digest": digest}
    context.show(document, write)


@app.add()
def verify(
    context: Context,
    bundle: BundleArgument,
    *,
    key: KeyOption = None,
    installation: InstallationOption = None,
    checkpoint: AgainstOption = None,
) -> None:
    """Check a bundle, and tell who let it happen; 1 when anything in it does not hold.

    No database and no network are needed. Every digest is computed again, every decision of the
    gate is made again, every signature is verified, and the log must tell of exactly what there is.
    What no bundle can show by itself is listed at the end.
    """
    from remit.audit.bundle.checks import check_bundle
    from remit.audit.bundle.facts import Check
    from remit.audit.bundle.file import read_bundle

    data = _read_bundle(bundle)
    held = None if checkpoint is None else read_option_file(checkpoint, "--checkpoint")
    keys = _trusted_keys(context, key)
    read: SignedBundle | None = None
    try:
        read = read_bundle(data, keys)
    except UnverifiableError as error:
        checks: tuple[Check, ...] = (Check("signature", holds=False, detail=str(error)),)
    else:
        checks = check_bundle(read, keys, installation_id=installation, kept_checkpoint=held)
    if context.as_json:
        _write_json(read, checks)
    else:
        write_checks(checks)
        write_end(read, checks)
    if not all(check.holds for check in checks):
        raise typer.Exit(EXIT_UNSUCCESSFUL)


def _write_json(read: "SignedBundle | None", checks: "tuple[Check, ...]") -> None:
    import json

    from remit.audit.bundle.checks import not_checkable
    from remit.audit.bundle.file import encode

    said = None if read is None else json.loads(encode(read.bundle))
    unseen = () if read is None else not_checkable(read.bundle, checks)
    holds = all(check.holds for check in checks)
    write_json({"holds": holds, "checks": checks, "not_checkable": unseen, "evidence": said})


def _trusted_keys(context: Context, files: "list[Path] | None") -> "Keyring":
    from remit.signing.keys import load_public_keys

    if files:
        return load_public_keys(files)
    settings = context.settings
    if settings.remit_signing_key is None and not services.keys_dir(settings).exists():
        raise MisconfiguredError(
            "there is no public key to verify with: give one with --key FILE; `remit keys export` "
            "prints it where the bundle was made"
        )
    return services.keyring(settings)


def _read_bundle(path: Path) -> bytes:
    """Return the file; of one that is too large no more is read than shows that it is."""
    from remit.audit.bundle.file import MAX_BUNDLE_BYTES

    data = read_option_file(path, "BUNDLE", most=MAX_BUNDLE_BYTES + 1)
    if len(data) > MAX_BUNDLE_BYTES:
        limit = MAX_BUNDLE_BYTES // 1024 // 1024
        raise InvalidInputError(f"{path} is no bundle: it is over {limit} MiB", field="BUNDLE")
    return data
