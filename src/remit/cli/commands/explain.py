"""`remit explain`: what a directive still needs, who could give it, and what would fail."""

import shlex
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from remit.base.wording import counted
from remit.cli.base.options import DataDirOption, IdArgument, JsonOption
from remit.cli.base.output import Cell, Row, status_cell, write_json, write_line, write_table
from remit.errors import RemitError

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from remit.operations.evidence.explanation import Explanation, Waiting
    from remit.settings import Settings


def explain(
    directive: IdArgument, *, data_dir: DataDirOption = None, as_json: JsonOption = False
) -> None:
    """Say what a directive still needs: which rule asks, who could answer, what would fail."""
    from remit.cli.base.services import database, keys_for, load_settings
    from remit.stack.discovery import policy_file

    settings = load_settings(data_dir)
    with database(data_dir) as engine:
        from remit.operations.evidence import explanation
        from remit.operations.evidence.records import resolve_id
        from remit.operations.gate.authority import Authority
        from remit.operations.gate.policies import PolicySource

        policy = PolicySource(policy_file(settings)).read()
        wait = timedelta(seconds=settings.remit_module_wait_seconds)
        authority = Authority(policy, keys_for(engine, settings), patience=wait)
        found = explanation.explain(engine, resolve_id(engine, directive), authority)
        asker = _voter(engine, settings)
    if as_json:
        write_json(found)
    else:
        _write(found, asker, data_dir)


def _voter(engine: "sa.Engine", settings: "Settings") -> str | None:
    """Return who asks, if their token lets them vote; nobody needs one to ask."""
    from remit.cli.base.services import caller
    from remit.identity.rules import may

    try:
        asker = caller(engine, settings)
    except RemitError:
        return None
    return asker.name if may(asker, "vote") else None


def _write(found: "Explanation", asker: str | None, data_dir: "Path | None") -> None:
    from remit.cli.views.verdict import write_next
    from remit.confusables.text import revealed

    directive = found.directive
    status = status_cell(directive.status, directive.status_reason)
    write_line("directive ", Cell(str(directive.id), "bold"), "  ", status)
    stands = directive.status_reason if directive.status == "executing" else None
    rows: list[Row] = [("", Cell(_HEADLINES[stands or directive.status], "bold"), "")]
    rows += [("", Cell("because", "dim"), revealed(reason)) for reason in found.because]
    if found.waiting is not None:
        rows = _of_waiting(found.waiting)
    if found.module_digest:
        module = f"{directive.type} {found.module_version}, {found.module_digest}"
        word = "would run" if directive.status == "proposed" else "granted for"
        rows.append(("", Cell(word, "dim"), revealed(module)))
    rows += [("", Cell("would fail", "red"), Cell(revealed(one), "red")) for one in found.obstacles]
    enough = found.waiting is None or len(_able(found.waiting)) >= found.waiting.missing
    if enough and not found.obstacles and directive.status in {"proposed", "approved"}:
        rows.append(("", Cell("would fail", "dim"), "nothing, as things stand"))
    write_table((), rows)
    write_next(_next(found, asker), data_dir)


def _next(found: "Explanation", asker: str | None) -> list[str]:
    """Return what to type next: a vote only when it would count, and for who may cast it."""
    from remit.cli.views.verdict import SHORT_ID, next_commands

    name = str(found.directive.id)[:SHORT_ID]
    if found.directive.status != "proposed":
        return next_commands(found.directive)
    if found.waiting is None:
        return [f"remit watch {name}"]
    if any(one.startswith(("policy_changed:", "expired:")) for one in found.obstacles):
        return [f"remit retry {name}"]
    if found.obstacles:
        return []  # each says what to do about it
    able = _able(found.waiting)
    if not able:
        group = f" --group {shlex.quote(found.waiting.groups[0])}" if found.waiting.groups else ""
        return [f"remit token create NAME --role approver{group} --keep"]
    who = name if asker in able else f"{name} --as {able[0]}"
    return [f"remit approve {who}", f"remit reject {who} --reason WHY"]


def _able(waiting: "Waiting") -> list[str]:
    return [one.name for one in waiting.candidates if one.objection is None and not one.voted]


def _of_waiting(waiting: "Waiting") -> list[Row]:
    from remit.cli.views.timeline import moment
    from remit.confusables.text import revealed

    needed = (
        f"{waiting.missing} of {counted(waiting.required, 'approval')}, "
        f"until {moment(waiting.expires_at)}"
    )
    rows: list[Row] = [("", Cell("still missing", "bold"), Cell(needed, "bold"))]
    rows += [
        ("", Cell("asked for by", "dim"), Cell(revealed(rule), "yellow")) for rule in waiting.rules
    ]
    rows += [("", Cell("approved by", "dim"), name) for name in waiting.approved_by]
    able = _able(waiting)
    rows.append(("", Cell("could approve", "dim"), Cell(", ".join(able) or "nobody", "green")))
    if len(able) < waiting.missing:
        known = f"only {len(able)} of those who are known may still approve, and {waiting.missing}"
        rows.append(("", Cell("would fail", "red"), Cell(f"quorum: {known} must", "red")))
    rows += [
        ("", Cell("could not", "dim"), Cell(revealed(one.objection), "dim"))
        for one in waiting.candidates
        if one.objection is not None
    ]
    return rows


_HEADLINES: Mapping[str, str] = {
    "draft": "is a draft: nobody has asked for it yet",
    "proposed": "waits for the gate, which will look at it again",
    "approved": "is approved: its run starts as soon as a worker is free",
    "executing": "runs now",
    "in_doubt": "ran, and nobody knows how it ended: somebody who looked says so",
    "complete": "is complete: nothing is missing",
    "blocked": "is blocked, and may be retried",
    "aborted": "was aborted, which is final",
}
