"""`remit audit`: whether the log still says what it said."""

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import counted
from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.file_writing import require_free, save
from remit.cli.base.options import ForceOption, KeyOption, option, read_option_file
from remit.cli.base.output import Cell, write_facts, write_line, write_table
from remit.cli.views.cells import moment
from remit.errors import UnverifiableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remit.audit.scan_repository import Counts
    from remit.audit.verification import Finding
    from remit.base.json_types import JsonObject
    from remit.operations.evidence.auditing import AuditReport, TakenCheckpoint

app = Group("Whether the log still says what it said.")

MAX_SHOWN = 20
"""Most findings that are shown, a line each; with --json there are more."""

CheckpointOption = Annotated[
    Path | None,
    option(
        "--checkpoint",
        "Hold every chain against this file, as `remit audit checkpoint` wrote it.",
        "FILE",
    ),
]
OutOption = Annotated[Path, option("--out", "Where to write it; keep it elsewhere.", "FILE")]
PreviousOption = Annotated[
    Path | None,
    option(
        "--previous",
        "The checkpoint before: the log must still hold against it, and the new one names it.",
        "FILE",
    ),
]


@app.add(acting=True)
def verify(context: Context, *, checkpoint: CheckpointOption = None, key: KeyOption = None) -> None:
    """Verify the whole log, hold it against every row, both ways, and verify what was signed.

    The first row of each chain that was edited, removed or moved is named, and so is every row that
    no event tells of, every event of what is not there, and whatever was not signed by whom it
    names; the exit code is then 1.
    Whoever can write to the database can also rewrite a whole chain, or cut off its end: only a
    checkpoint that was taken before, and kept elsewhere, shows that.
    """
    from remit.audit.checkpoint import read_checkpoint, require_form
    from remit.signing.keys import load_public_keys

    given = load_public_keys(key) if key else services.keyring(context.settings)
    kept = None if checkpoint is None else read_option_file(checkpoint, "--checkpoint")
    if kept is not None:
        with _about_checkpoint():
            require_form(kept)  # any other file is refused before all else
    engine = context.engine
    with context.bar("verifying") as progress:
        from remit.operations.evidence.auditing import verify_log
        from remit.operations.identities.authentication import use_keys

        context.keys = use_keys(engine, given)
        with _about_checkpoint():
            held = None if kept is None else read_checkpoint(kept, context.keys)
        by = context.caller
        report = verify_log(engine, by=by, keys=context.keys, checkpoint=held, progress=progress)
    document = {
        "holds": report.found == 0,
        "found": report.found,
        "findings": report.findings,
        "read": report.read,
        "checkpoint": held and {"taken_at": held.taken_at, "chains": len(held.heads)},
    }
    context.show(document, lambda: _write_report(report))
    if report.found:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


@contextmanager
def _about_checkpoint() -> "Iterator[None]":
    try:
        yield
    except UnverifiableError as error:
        raise UnverifiableError(error.message, field="--checkpoint") from error


@app.add("checkpoint", acting=True)
def take(
    context: Context, *, out: OutOption, previous: PreviousOption = None, force: ForceOption = False
) -> None:
    """Sign how far every chain of the log has come, into a file to be kept elsewhere.

    Keep it where nobody who can write to the database can write. `remit audit verify --checkpoint`
    then finds whatever is changed, cut off or removed of all that the log holds now.
    """
    require_free(out, force=force)
    settings = context.settings
    before = None if previous is None else read_option_file(previous, "--previous")
    services.keyring(settings)  # what is wrong with them is said before anything else
    engine = context.engine
    from remit.operations.evidence.auditing import take_checkpoint

    keys, by = context.keys, context.caller
    taken = take_checkpoint(engine, keys, by=by, previous=before)
    save(out, taken.data, force=force)
    document = _taken_json(out, taken, settings.remit_data_dir)
    context.show(document, lambda: _write_taken(document))


def _write_report(report: "AuditReport") -> None:
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
    against = "none"
    if held is not None:
        against = f"{counted(len(held.heads), 'chain')} at {moment(held.taken_at)}"
    events = f"{read.events} of {read.directives} directives and the installation"
    write_facts([("events", events), *_counts(read), ("checkpoint", against)])
    if read.earlier:
        write_line(
            f"{counted(read.earlier, 'row')} of before the installation had an identity: what was "
            "not signed then, or in a form that names none, is taken as it is."
        )
    if held is None:
        write_line(
            "Without --checkpoint FILE, a chain that was cut off or rewritten is not seen; "
            "`remit audit checkpoint` takes one."
        )


def _counts(read: "Counts") -> list[tuple[str, str]]:
    def said(*nouns: str) -> str:
        return ", ".join(counted(getattr(read, f"{noun}s"), noun) for noun in nouns)

    return [
        ("consent", said("request", "vote", "grant")),
        ("execution", f"{said('run', 'attempt')}, {read.entries} of the ledger"),
        ("evidence", f"{said('artifact')}, {read.memories} of memory"),
        ("identity", said("principal", "token", "invitation", "worker")),
        ("policies", str(read.policies)),
    ]


def _row(finding: "Finding") -> tuple[str, str, str, str]:
    about, seq = finding.directive_id, finding.seq
    whose = "-" if about is None else "the installation" if about.int == 0 else str(about)
    return whose, "-" if seq is None else str(seq), finding.fault, finding.words


def _taken_json(out: Path, taken: "TakenCheckpoint", data_dir: Path) -> "JsonObject":
    from remit.base.canonical import sha256_digest

    checkpoint, warning = taken.checkpoint, None
    if out.resolve().is_relative_to(data_dir.resolve()):
        warning = (
            f"{out} lies in the data directory, beside the database that it is to bear witness of; "
            "keep it where whoever can change the one cannot change the other"
        )
    return {
        "file": str(out),
        "digest": sha256_digest(taken.data),
        "taken_at": moment(checkpoint.taken_at),
        "chains": len(checkpoint.heads),
        "root": checkpoint.root,
        "previous": checkpoint.previous,
        "warning": warning,
    }


def _write_taken(stated: "JsonObject") -> None:
    file = Cell(str(stated["file"]), "bold")
    write_line("checkpoint of ", str(stated["chains"]), " chains in ", file)
    names = ("taken_at", "digest", "root", "previous")
    write_facts((name.replace("_", " "), str(stated[name] or "-")) for name in names)
    if stated["warning"] is not None:
        write_line(Cell(f"warning: {stated['warning']}", "yellow"), stderr=True)
