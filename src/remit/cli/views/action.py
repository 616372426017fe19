"""The action that a person is asked to consent to, printed so that what is seen is what runs.

`remit approve` and `remit reject` call this before they ask. Nothing is left out however long it
is, and what could be taken for something else is written as an escape.
"""

from typing import TYPE_CHECKING

from remit.cli.base.output import Cell, write_line

if TYPE_CHECKING:
    from remit.approval.types import ApprovalRequest
    from remit.directives.models import DirectiveRead


def show_action(
    directive: "DirectiveRead",
    request: "ApprovalRequest",
    digest: str,
    module: tuple[str, str] = ("", ""),
) -> None:
    """Print the action exactly as its digest covers it, and what asks for approval.

    Each field of the intent is its canonical JSON, as :mod:`remit.confusables` shows it; a note
    stands under a field that holds something odd.

    Args:
        directive: whose intent is voted on.
        request: the request that is to be answered.
        digest: the action digest of what is printed.
        module: version and digest of the module that would run, were it approved now; empty where
            no worker has announced it.
    """
    from remit.base.canonical import canonical_json
    from remit.cli.views.timeline import moment
    from remit.confusables.text import revealed, revealed_json
    from remit.directives.models import intent_of

    write_line("directive ", Cell(str(directive.id), "bold"))
    intent = intent_of(directive)
    width = max(map(len, intent))
    for name in sorted(intent):
        shown = revealed_json(canonical_json(intent[name]).decode())
        _write_row(name, shown.text, width)
        for note in shown.notes:
            _write_row("", Cell(f"note: {note}", "yellow"), width)
    needed = f"{request.required_approvals} approval" + "s" * (request.required_approvals > 1)
    _write_row("action digest", digest, width)
    version, found = module
    if found:
        would = revealed(f"{directive.type} {version}, {found}")
        _write_row("would run", would, width)
    for rule in request.rules:
        _write_row("asked for by", Cell(revealed(rule), "yellow"), width)
    _write_row("needs", f"{needed} until {moment(request.expires_at)}", width)


def _write_row(name: str, value: Cell | str, width: int) -> None:
    """Print one row as one line.

    No table: it breaks lines between words and drops the spaces there. A terminal breaks them where
    they are full, and shows every character.
    """
    write_line("  ", Cell(name.ljust(width), "dim"), "  ", value)
