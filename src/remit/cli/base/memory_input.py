"""What somebody wants to be remembered, as they hand it in: checked before anything is written."""

from typing import TYPE_CHECKING

from remit.base.wording import quoted
from remit.cli.base.directive_input import read_lines, read_text, shown_name
from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from remit.memory.writing import NewMemory


def read_notes(name: str, scope: str | None) -> "list[NewMemory]":
    """Return the memories of a file of JSON Lines, all of them checked, secrets masked.

    Args:
        name: the file; "-" is standard input.
        scope: the scope of lines that name none; None when each must name its own.
    """
    notes = [_note(data, place, scope) for place, data in read_lines(read_text(name))]
    if not notes:
        raise InvalidInputError(
            f"{shown_name(name)}: holds no note: "
            'write {"scope": "...", "content": "..."} on each line'
        )
    return notes


def noted(scope: str, content: str, *, scope_field: str, content_field: str) -> "NewMemory":
    """Return a memory as it will be stored: its bounds held, its secrets masked."""
    from remit.memory.writing import NewMemory, checked

    try:
        return checked(NewMemory(scope, content), 0)
    except InvalidInputError as error:
        at_scope = (error.field or "").endswith("scope")
        field = scope_field if at_scope else content_field
        raise InvalidInputError(error.message, field=field) from error


def _note(data: object, place: str, scope: str | None) -> "NewMemory":
    if not isinstance(data, dict):
        raise InvalidInputError("must be a JSON object with scope and content", field=place)
    for name in data:
        if name not in {"scope", "content"}:
            raise InvalidInputError(
                f"unknown field {quoted(name)}: a memory has scope and content", field=place
            )
    given = data.get("scope", scope)
    if given is None:
        raise InvalidInputError(
            "missing: write it on the line, or say --scope", field=f"{place}: scope"
        )
    fields = {"scope_field": f"{place}: scope", "content_field": f"{place}: content"}
    return noted(given, data.get("content", ""), **fields)
