"""Directives as a person or a program hands them to the command line: JSON, JSONL, or flags.

Everything is checked here, before anything is connected to: when one line of a file is bad, nothing
is written.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from remit.base.wording import printable, quoted
from remit.cli.base.streams import standard_input
from remit.errors import InvalidInputError
from remit.user_files import read_bounded, read_file

if TYPE_CHECKING:
    from remit.directives.models import DirectiveCreate

STANDARD_INPUT = "-"
"""The file name that means standard input."""


def parse_json(text: str, *, is_file: bool = False) -> object:
    """Return what one JSON document says, held to the standard: no NaN, no key twice.

    With `is_file` a fault is given its line.
    """
    try:
        value: object = json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
        )
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if is_file else ""
        said = error.msg[:1].lower() + error.msg[1:]
        raise InvalidInputError(f"not JSON: {said} at {line}column {error.colno}") from error
    except RecursionError as error:
        raise InvalidInputError("nested too deeply: flatten it") from error
    except ValueError as error:
        # Whole numbers of thousands of digits, and nothing else.
        raise InvalidInputError("holds a number that is too large: send it as text") from error
    return value


def from_options(options: Mapping[str, str], *, draft: bool, max_bytes: int) -> dict[str, object]:
    """Return the directive that options describe, checked; see :func:`read_directives`."""
    data: dict[str, object] = {**options}
    budget = options.get("budget")
    # What a shell leaves of $5.00, whose $5 it replaces by nothing.
    if budget is not None and (budget.startswith((".", ",")) or not budget.strip("0.,")):
        raise InvalidInputError(
            f"{quoted(budget)} is no amount to spend; in a shell, quote the $: '$50.00', or leave "
            "it out: 50.00; to spend nothing, leave out --budget",
            field="budget",
        )
    for name in ("payload", "constraints", "success_metrics"):
        if name in options:
            data[name] = _read_option(options[name], name)
    return _check_directive(data, draft=draft, max_bytes=max_bytes)


def refuse_options(options: Mapping[str, str], file: str) -> None:
    """Raise InvalidInputError when content is given by options beside a file."""
    for name in options:
        is_file = file == STANDARD_INPUT or Path(file).exists()
        hint = "" if is_file else f"; {quoted(file)} is none, so quote what has spaces"
        raise InvalidInputError(
            f"cannot stand beside a file: write it into the file{hint}",
            field="--" + name.replace("_", "-"),
        )


def issued(
    documents: Iterable[Mapping[str, object]], name: str, max_bytes: int
) -> "list[DirectiveCreate]":
    """Return checked directives as issued by `name`, where they do not say who issues them.

    The name is part of what is stored, and may make too large what was not.
    """
    from remit.directives.models import parse_directive

    given, made = list(documents), []
    for number, one in enumerate(given, start=1):
        try:
            made.append(parse_directive({"issued_by": name, **one}, max_bytes=max_bytes))
        except InvalidInputError as error:
            if len(given) == 1:
                raise
            place = f"directive {number}"
            field = f"{place}: {error.field}" if error.field else place
            raise InvalidInputError(error.message, field=field) from error
    return made


def _read_option(value: str, option: str) -> object:
    try:
        if value.startswith("@"):
            return parse_json(read_text(value[1:]), is_file=True)
        return parse_json(value)
    except InvalidInputError as error:
        eaten = error.message.startswith("not JSON") and not {"'", '"', "@"} & set(value)
        hint = "; in a shell, put all of it between single quotes" if eaten else ""
        raise InvalidInputError(f"{error}{hint}", field=option) from error


def read_directives(name: str, *, draft: bool, max_bytes: int) -> list[dict[str, object]]:
    """Return the directives of a file as JSON with their status, all of them checked.

    It holds one JSON object, an array of them, or JSONL; "-" is standard input. :func:`issued`
    makes the directives, once it is known who issues them.

    Args:
        draft: each is a draft, and may not say otherwise; else one that says nothing is proposed.
        max_bytes: the bound of a directive's canonical JSON.
    """
    check = partial(_check_directive, draft=draft, max_bytes=max_bytes)
    text, shown = read_text(name), shown_name(name)
    if not text.strip():
        raise InvalidInputError(
            f"{shown}: holds no directive: write a JSON object, or one on each line"
        )
    if _is_jsonl(name, text):
        return [check(data, place) for place, data in read_lines(text)]
    try:
        document = parse_json(text, is_file=True)
    except InvalidInputError as error:
        raise InvalidInputError(str(error), field=shown) from error
    if isinstance(document, list):
        return [check(data, f"item {number}") for number, data in enumerate(document, start=1)]
    return [check(document)]


def _check_directive(
    data: object, place: str | None = None, *, draft: bool, max_bytes: int
) -> dict[str, object]:
    """Return a directive as JSON with its status, checked as far as it can be without the database.

    Unless it says who issues it, the shortest name stands in for the check.
    """
    from remit.base.money import parse_budget
    from remit.directives.models import parse_directive

    status = "draft" if draft else "proposed"
    document = {"status": status, **data} if isinstance(data, dict) else {}
    known = {"issued_by": "a", **document} if document else data
    try:
        directive = parse_directive(known, max_bytes=max_bytes)
        if directive.budget is not None:
            parse_budget(directive.budget)
        if draft:
            _require_draft(directive.status)
    except InvalidInputError as error:
        if place is None:
            raise
        field = f"{place}: {error.field}" if error.field else place
        raise InvalidInputError(error.message, field=field) from error
    return document


def _require_draft(status: str) -> None:
    if status != "draft":
        raise InvalidInputError(
            'says "proposed", and --draft says otherwise: remove one of them', field="status"
        )


def read_lines(text: str) -> Iterator[tuple[str, object]]:
    """Yield each line that is not blank: its place, like "line 3", and its JSON.

    Only a line feed ends a line: other characters that some call line ends may stand in strings.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            place = f"line {number}"
            try:
                yield place, parse_json(line.strip())
            except InvalidInputError as error:
                raise InvalidInputError(str(error), field=place) from error


def _is_jsonl(name: str, text: str) -> bool:
    """Return whether each line is a document: by the file's name, else by its first lines."""
    if name.lower().endswith((".jsonl", ".ndjson")):
        return True
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    # A document over several lines does not close on its first, and a list is not one a line.
    return len(lines) > 1 and lines[0].startswith("{") and lines[0].endswith("}")


def shown_name(name: str) -> str:
    """Return what a message calls a file, or standard input."""
    return "standard input" if name == STANDARD_INPUT else printable(name, 300)


def read_text(name: str) -> str:
    """Return the text of a file, or of standard input when its name is "-"."""
    shown = shown_name(name)
    try:
        given = name == STANDARD_INPUT
        raw = read_bounded(standard_input()) if given else read_file(Path(name))
        # A byte order mark, which some editors write, is no part of the text.
        return raw.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(f"{shown}: cannot be read ({reason}): name a file") from error
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InvalidInputError(f"{shown}: line {line} is not UTF-8 text: save it so") from error
    except ValueError as error:
        raise InvalidInputError(f"{shown}: is no file name") from error


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidInputError(f"holds {name}, which is not JSON: use null or text")


def _without_repeats(pairs: list[tuple[str, object]]) -> Mapping[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInputError(f"the key {quoted(key)} stands twice in one object: keep one")
        found[key] = value
    return found
