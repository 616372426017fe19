"""`remit memory`: what is remembered, found again by its meaning."""

from typing import TYPE_CHECKING, Annotated

import typer

from remit.base.wording import quoted
from remit.cli.base import services
from remit.cli.base.context import Context, Group
from remit.cli.base.directive_input import STANDARD_INPUT, read_lines, read_text, shown_name
from remit.cli.base.failures import EXIT_UNSUCCESSFUL
from remit.cli.base.options import argument, option
from remit.cli.base.output import write_list
from remit.cli.views.memory import (
    HEADER,
    memory_json,
    result_json,
    row_of,
    tally_json,
    write_added,
    write_embedded,
    write_loaded,
    write_results,
)
from remit.errors import InvalidInputError

if TYPE_CHECKING:
    from remit.cli.base.embedding import Tally
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


app = Group("What is remembered, found again by its meaning.")

TextArgument = Annotated[str, argument("TEXT", "What to remember; - reads standard input.")]
NotesArgument = Annotated[
    str,
    argument("FILE", 'JSON Lines: {"scope": ..., "content": ...} on each; - reads standard input.'),
]
QuestionArgument = Annotated[str, argument("QUESTION", "What to look for, in your own words.")]
AboutOption = Annotated[str, option("--scope", "What it is about, like billing.")]
DefaultScopeOption = Annotated[str | None, option("--scope", "The scope of lines that name none.")]
OnlyScopeOption = Annotated[str | None, option("--scope", "Only those of this scope.")]
RunOption = Annotated[
    str | None,
    option(
        "--run",
        "The completed run that taught it, or at least the first 4 characters of it. "
        "Default: your own words, which needs the role admin.",
        "ID",
    ),
]
NearestOption = Annotated[
    int, option("--limit", "At most so many, the nearest first.", min=1, max=50)
]
NewestOption = Annotated[
    int, option("--limit", "At most so many, the newest first.", min=1, max=100)
]


@app.add(acting=True)
def add(context: Context, text: TextArgument, *, scope: AboutOption, run: RunOption = None) -> None:
    """Remember a text, and make it searchable; 1 when it is kept and cannot be searched for.

    Secrets in it are masked first. The same words are one memory. What is kept without a provider
    is made searchable by `remit memory embed`.
    """
    from remit.cli.base.embedding import Tally, make_searchable

    said = read_text(text).removesuffix("\n") if text == STANDARD_INPUT else text
    new = noted(scope, said, scope_field="--scope", content_field="TEXT")
    provider = services.embedding_provider(context.settings)
    engine = context.engine
    from remit.operations.recall.memories import find_run_id, remember

    keys, by = context.keys, context.caller
    source = None if run is None else find_run_id(engine, run)
    [kept] = remember(engine, [new], by=by, keys=keys, run_id=source)
    tally = Tally(provider.model)
    make_searchable(engine, provider, [kept.memory_id], tally, by=by)
    masked = new.content != said or new.scope != scope
    document = {"id": str(kept.memory_id), "is_new": kept.is_new, "masked": masked}
    context.show(
        {"memory": document, **tally_json(tally)}, lambda: write_added(kept, tally, masked=masked)
    )
    _exit_by(tally)


@app.add(acting=True)
def load(context: Context, file: NotesArgument, *, scope: DefaultScopeOption = None) -> None:
    """Remember each line of a file, and make all of them searchable; an admin may.

    The whole file is checked first. Loaded again, it goes on where it was interrupted. 1 when not
    all of it can be searched for; `remit memory embed` makes it searchable later.
    """
    from remit.cli.base.embedding import Tally, batches, make_searchable

    notes = read_notes(file, scope)
    provider = services.embedding_provider(context.settings)
    tally, done, new = Tally(provider.model), 0, 0
    engine = context.engine
    from remit.operations.recall.memories import remember

    with context.bar("loading") as progress:
        keys, by = context.keys, context.caller
        progress(0, len(notes))
        for batch in batches(notes):
            kept = remember(engine, batch, by=by, keys=keys)
            done, new = done + len(kept), new + sum(each.is_new for each in kept)
            ids = [each.memory_id for each in kept]
            works = make_searchable(engine, provider, ids, tally, by=by)
            progress(done, len(notes))
            if not works and not tally.is_disabled:
                break  # every other batch would fail as well, each after its retries
    document = {"read": len(notes), "kept": done, "new": new, **tally_json(tally)}
    context.show(document, lambda: write_loaded(len(notes), done, new, tally))
    _exit_by(tally)


@app.add(acting=True)
def embed(context: Context) -> None:
    """Make searchable what is not under the model that EMBEDDING_PROVIDER chooses.

    That is what was kept while there was no provider, or while there was another model. The exit
    code is 1 when a memory is left out, which is named with the reason.
    """
    from remit.cli.base.embedding import embed_all

    provider = services.embedding_provider(context.settings)
    engine = context.engine
    with context.bar("embedding") as progress:
        tally = embed_all(engine, provider, progress, by=context.caller)
    context.show(tally_json(tally), lambda: write_embedded(tally))
    _exit_by(tally)


@app.add(acting=True)
def search(context: Context, question: QuestionArgument, *, limit: NearestOption = 5) -> None:
    """Find the memories nearest in meaning to a question; 1 when there is none to be found.

    Each comes with its similarity (1 is the same direction), its scope and its source. Who asked
    what is kept on record.
    """
    provider = services.embedding_provider(context.settings)
    engine, reading = context.engine, context.reader
    from remit.operations.recall.memories import open_memory_reader

    keys, by = context.keys, context.caller
    reader = open_memory_reader(reading, engine, provider, by=by, keys=keys)
    with context.spinner("searching"):
        found = reader.semantic_search(question, limit)
    results = [result_json(each) for each in found]
    document = {"question": question, "model": provider.model, "results": results}
    context.show(document, lambda: write_results(found, provider.model))
    if not found:
        raise typer.Exit(EXIT_UNSUCCESSFUL)


@app.add(acting=True)
def recent(context: Context, *, scope: OnlyScopeOption = None, limit: NewestOption = 20) -> None:
    """List what was remembered last, the newest first. Who looked is kept on record."""
    engine = context.engine
    from remit.operations.recall.memories import recent_memories

    keys, by = context.keys, context.caller
    found = recent_memories(engine, by=by, keys=keys, scope=scope, limit=limit)
    context.show(
        {"memories": [memory_json(each) for each in found]},
        lambda: write_list(HEADER, [row_of(each) for each in found], "no memories"),
    )


def _exit_by(tally: "Tally") -> None:
    if not tally.is_as_hoped:
        raise typer.Exit(EXIT_UNSUCCESSFUL)
