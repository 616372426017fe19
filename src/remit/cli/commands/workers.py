"""`remit workers`: the processes that execute, as far as they live."""

from typing import TYPE_CHECKING

from remit.cli.base.options import DataDirOption, JsonOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from remit.operations.runs.workers import LivingWorker


def workers(*, data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the workers that live: since when, until when unless they say so again, and with what.

    A worker whose certificate does not verify here is given no work.
    """
    from remit.cli.base.output import write_json
    from remit.cli.base.services import database, keys_for, load_settings

    with database(data_dir) as engine:
        from remit.operations.runs.workers import read_workers

        found = read_workers(engine, keys_for(engine, load_settings(data_dir)))
    if as_json:
        write_json({"workers": found})
    else:
        _write(found)


def _write(found: "Sequence[LivingWorker]") -> None:
    from remit.cli.base.output import Cell, Row, write_line, write_table
    from remit.cli.views.timeline import moment

    if not found:
        write_line("no worker lives: `remit up` starts one by itself, and `remit worker` is one")
        return
    rows: list[Row] = [
        (
            Cell(str(each.id), "bold"),
            Cell("holds", "green") if each.certified else Cell("does not verify", "red"),
            str(len(each.modules)),
            moment(each.started_at),
            moment(each.lease_until),
        )
        for each in found
    ]
    write_table(("WORKER", "CERTIFICATE", "MODULES", "STARTED", "LEASE UNTIL"), rows)
