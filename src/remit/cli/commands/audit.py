"""`remit audit`: whether the log still says what it said."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import counted
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.file_writing import require_free, save
from remit.cli.base.options import ActorOption, DataDirOption, JsonOption, KeyOption
from remit.cli.base.output import bar
from remit.errors import InvalidInputError, UnverifiableError
from remit.user_files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remit.audit.checkpoint import Checkpoint
    from remit.audit.scan_repository import Counts
    from remit.audit.verification import Finding
    from remit.base.json_types import JsonObject
    from remit.operations.evidence.auditing import AuditReport, TakenCheckpoint
    from remit.signing.keys import Keyring

app = typer.Typer(help="Whether the log still says what it said.", no_args_is_help=True)

MAX_SHOWN = 20
"""Most findings that are shown, a line each; with --json there are more."""

CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        metavar="FILE",
        show_default=False,
        help="Hold every chain against this file, as `remit audit checkpoint` wrote it.",
    ),
]
OutOption = Annotated[
    Path, typer.Option("--out", metavar="FILE", help="Where to write it; keep it elsewhere.")
]
PreviousOption = Annotated[
    Path | None,
    typer.Option(
        "--previous",
        metavar="FILE",
        show_default=False,
        help="The checkpoint before: the log must still hold against it, and the new one names it.",
    ),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")]


@app.callback()
def audit() -> None:
    """Find out whether the log still says what it said."""


@app.command()
def verify(
    *,
    checkpoint: CheckpointOption = None,
    key: KeyOption = None,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the whole log, hold it against every row, both ways, and verify what was signed.

    The first row of each chain that was edited, removed or moved is named, and so is every row that
    no event tells of, every event of what is not there, and whatever was not signed by whom it
    names; the exit code is then 1.
    Whoever can write to the database can also rewrite a whole chain, or cut off its end: only a
    checkpoint that was taken before, and kept elsewhere, shows that.
    """
    from remit.cli.base.output import write_json
    from remit.cli.base.services import caller, database, keyring, load_settings
    from remit.signing.keys import load_public_keys

    settings = load_settings(data_dir)
    keys = load_public_keys(key) if key else keyring(settings)
    kept = None if checkpoint is None else _read_form(checkpoint)
    with database(data_dir) as engine, bar("verifying", quiet=as_json) as progress:
        from remit.operations.evidence.auditing import verify_log
        from remit.operations.identities.authentication import use_keys

        keys = use_keys(engine, keys)
        held = None if kept is None else _read_checkpoint(kept, keys)
        by = caller(engine, settings, actor, keys=keys)
        report = verify_log(engine, by=by, keys=keys, checkpoint=held, progress=progress)
    if as_json:
        write_json(_report_json(report))
    else:
        _write_report(report)
    if report.found:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


@app.command("checkpoint")
def take(
    *,
    out: OutOption,
    previous: PreviousOption = None,
    force: ForceOption = False,
    actor: ActorOption = None,
    data_dir: DataDirOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign how far every chain of the log has come, into a file to be kept elsewhere.

    Keep it where nobody who can write to the database can write. `remit audit verify --checkpoint`
    then finds whatever is changed, cut off or removed of all that the log holds now.
    """
    from remit.cli.base.output import Cell, write_json, write_line
    from remit.cli.base.services import caller, database, keyring, keys_for, load_settings

    require_free(out, force=force)
    settings = load_settings(data_dir)
    before = None if previous is None else _read(previous, "--previous")
    keyring(settings)  # what is wrong with them is said before anything else
    with database(data_dir) as engine:
        from remit.operations.evidence.auditing import take_checkpoint

        keys = keys_for(engine, settings)
        by = caller(engine, settings, actor, keys=keys)
        taken = take_checkpoint(engine, keys, by=by, previous=before)
    save(out, taken.data, force=force)
    warning = _warning(out, settings.remit_data_dir)
    if as_json:
        write_json(_taken_json(out, taken) | {"warning": warning})
        return
    _write_taken(out, taken)
    if warning is not None:
        write_line(Cell(f"warning: {warning}", "yellow"), stderr=True)


def _write_report(report: "AuditReport") -> None:
    from remit.cli.base.output import Cell, write_line, write_table
    from remit.cli.views.timeline import moment

    if report.found:
        what = "one thing is" if report.found == 1 else f"{report.found} things are"
        write_line(Cell(f"the log does not hold: {what} wrong", "red"))
        head = ("DIRECTIVE", "ROW", "FAULT", "WHAT IS WRONG")
        write_table(head, [_row(finding) for finding in report.findings[:MAX_SHOWN]])
        if report.found > MAX_SHOWN:
            write_line(f"and {report.found - MAX_SHOWN} more")
    else:
        write_line(Cell("the log holds", "green"))
    read, held = report.read, report.checkpoint
    chains = "" if held is None else counted(len(held.heads), "chain")
    against = "none" if held is None else f"{chains} at {moment(held.taken_at)}"
    counts = (
        ("events", f"{read.events} of {read.directives} directives and the installation"),
        *_counts(read),
        ("checkpoint", against),
    )
    write_table((), [("", Cell(name, "dim"), value) for name, value in counts])
    if read.earlier:
        write_line(
            f"{counted(read.earlier, 'row')} of before the installation had an identity: what was "
            "not signed then, or in a form that names none, is taken as it is."
        )
    if held is None:
        write_line(
            "Without --checkpoint FILE, a chain that was cut off or rewritten is not seen; "
            "`remit audit checkpoint` takes one.",
        )


def _counts(read: "Counts") -> tuple[tuple[str, str], ...]:
    """Return how much was verified besides the log, in words."""
    consent = (
        counted(read.requests, "request"),
        counted(read.votes, "vote"),
        counted(read.grants, "grant"),
    )
    execution = (
        counted(read.runs, "run"),
        counted(read.attempts, "attempt"),
        f"{read.entries} of the ledger",
    )
    evidence = (
        counted(read.artifacts, "artifact"),
        f"{read.memories} of memory",
    )
    identity = (
        counted(read.principals, "principal"),
        counted(read.tokens, "token"),
        counted(read.invitations, "invitation"),
        counted(read.workers, "worker"),
    )
    rows = {
        "consent": consent,
        "execution": execution,
        "evidence": evidence,
        "identity": identity,
        "policies": (str(read.policies),),
    }
    return tuple((name, ", ".join(said)) for name, said in rows.items())


def _row(finding: "Finding") -> tuple[str, str, str, str]:
    about, seq = finding.directive_id, finding.seq
    whose = "-" if about is None else "the installation" if about.int == 0 else str(about)
    return whose, "-" if seq is None else str(seq), finding.fault, finding.words


def _write_taken(out: Path, taken: "TakenCheckpoint") -> None:
    from remit.cli.base.output import Cell, write_line, write_table

    stated = _taken_json(out, taken)
    write_line("checkpoint of ", str(stated["chains"]), " chains in ", Cell(str(out), "bold"))
    names = ("taken_at", "digest", "root", "previous")
    rows = [("", Cell(name.replace("_", " "), "dim"), str(stated[name] or "-")) for name in names]
    write_table((), rows)


def _report_json(report: "AuditReport") -> dict[str, object]:
    held = report.checkpoint
    return {
        "holds": report.found == 0,
        "found": report.found,
        "findings": report.findings,
        "read": report.read,
        "checkpoint": held and {"taken_at": held.taken_at, "chains": len(held.heads)},
    }


def _taken_json(out: Path, taken: "TakenCheckpoint") -> "JsonObject":
    from remit.base.canonical import sha256_digest
    from remit.cli.views.timeline import moment

    checkpoint = taken.checkpoint
    return {
        "file": str(out),
        "digest": sha256_digest(taken.data),
        "taken_at": moment(checkpoint.taken_at),
        "chains": len(checkpoint.heads),
        "root": checkpoint.root,
        "previous": checkpoint.previous,
    }


def _read_form(path: Path) -> bytes:
    """Return a file that has the form of a checkpoint: any other is refused before all else."""
    from remit.audit.checkpoint import require_form

    data = _read(path, "--checkpoint")
    with _about_checkpoint():
        require_form(data)
    return data


def _read_checkpoint(data: bytes, keys: "Keyring") -> "Checkpoint":
    from remit.audit.checkpoint import read_checkpoint

    with _about_checkpoint():
        return read_checkpoint(data, keys)


@contextmanager
def _about_checkpoint() -> "Iterator[None]":
    try:
        yield
    except UnverifiableError as error:
        raise UnverifiableError(error.message, field="--checkpoint") from error


def _read(path: Path, option: str) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror})", field=option
        ) from error


def _warning(out: Path, data_dir: Path) -> str | None:
    """Return what is wrong with the place of a checkpoint; None when nothing is."""
    if not out.resolve().is_relative_to(data_dir.resolve()):
        return None
    return (
        f"{out} lies in the data directory, beside the database that it is to bear witness of; "
        "keep it where whoever can change the one cannot change the other"
    )
