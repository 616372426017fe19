"""`remit memory load` and `embed`: whole files, each memory once, and none that holds up others."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from remit.cli.base import embedding
from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.provider import final
from remit.cognition.embeddings.types import (
    EmbeddingRequest,
    EmbeddingResponse,
    EmbeddingUsage,
    respond,
)
from tests.cli.conftest import Remit, Shown
from tests.cli.test_memory import MODEL, NOT_YET
from tests.cli.test_terminal import on_a_terminal
from tests.support.embedding_server import EmbeddingServer, Reply, serving, vector_of

NOTES = Path(__file__).parents[2] / "examples" / "notes.jsonl"
UNKNOWN = "\u2063"
"""An invisible separator: text, and nothing that a model need have a vector for."""


@pytest.fixture
def memory(keeper: Remit, monkeypatch: pytest.MonkeyPatch) -> Remit:
    """Return `remit memory` with dana's token and the model in the package."""
    monkeypatch.setenv("EMBEDDING_PROVIDER", "local")
    return lambda *arguments, **options: keeper("memory", *arguments, **options)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    """Serve OpenAI's protocol, and let commands embed with it."""
    with serving() as found:
        monkeypatch.setenv("EMBEDDING_PROVIDER", "openai")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
        monkeypatch.setenv("OPENAI_BASE_URL", found.url)
        yield found


def lines(count: int) -> bytes:
    """Return a file of notes."""
    notes = ({"scope": "s", "content": f"note number {each}"} for each in range(count))
    return "\n".join(map(json.dumps, notes)).encode()


def test_a_file_of_notes_is_loaded_and_found_again_by_meaning(memory: Remit) -> None:
    count = len(NOTES.read_text().splitlines())
    shown = memory("load", str(NOTES))
    made = f"{count} made searchable under the model {MODEL}, at no cost\n"
    assert shown == Shown(0, f"{count} notes read, {count} of them new\n{made}", "")
    assert "lock_timeout" in memory("search", "give up waiting for a lock").out
    again = memory("load", str(NOTES))
    nothing = f"{count} notes read, and all were there already: nothing was added\n"
    assert again == Shown(0, nothing, "")
    assert json.loads(memory("load", str(NOTES), "--json").out) == {
        "read": count,
        "kept": count,
        "new": 0,
        "model": MODEL,
        "embedded": 0,
        "cost_usd": "0",
        "not_embeddable": [],
        "failure": None,
    }


def test_a_line_may_leave_its_scope_to_the_option(memory: Remit) -> None:
    text = b'{"content": "one"}\n\n{"content": "two", "scope": "own"}\r\n{"content": "one"}\n'
    shown = memory("load", "-", "--scope", "common", stdin=text)
    assert shown.out.splitlines()[0] == "3 notes read, 2 of them new"
    kept = json.loads(memory("recent", "--json").out)["memories"]
    assert {(each["scope"], each["content"]) for each in kept} == {
        ("common", "one"),
        ("own", "two"),
    }


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{", "line 2: not JSON: expecting property name enclosed in double quotes at column 2"),
        ("[]", "line 2: must be a JSON object with scope and content"),
        ('{"content": "x"}', "line 2: scope: missing: write it on the line, or say --scope"),
        ('{"scope": "s"}', "line 2: content: must be a text of 1 to 8192 characters"),
        ('{"scope": "s", "content": 1}', "line 2: content: must be a text of 1 to 8192 characters"),
        (
            '{"scope": "s", "content": "x", "id": 1}',
            'line 2: unknown field "id": a memory has scope and content',
        ),
        ('{"scope": "s", "content": "\\u0000"}', "line 2: content: holds a NUL byte: remove it"),
    ],
)
def test_one_bad_line_is_named_and_nothing_of_the_file_is_kept(
    memory: Remit, line: str, fault: str
) -> None:
    shown = memory("load", "-", stdin=lines(1) + f"\n{line}\n".encode())
    assert shown == Shown(2, "", f"remit: {fault}\n")
    assert memory("recent").out == ""


def test_an_empty_file_is_refused_by_saying_what_a_note_is(memory: Remit) -> None:
    line = 'standard input: holds no note: write {"scope": "...", "content": "..."} on each line'
    assert memory("load", "-", stdin=b"\n \n") == Shown(2, "", f"remit: {line}\n")


def test_only_an_admin_may_load(memory: Remit) -> None:
    shown = memory("load", "-", "--as", "alice", stdin=lines(2))
    message = "remit: alice may not administer: that needs the role admin\n"
    assert shown == Shown(2, "", message)
    assert memory("recent").out == ""


def test_without_a_provider_notes_are_kept_and_embedded_later(
    keeper: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = keeper("memory", "load", "-", stdin=lines(250))
    assert shown == Shown(1, "250 notes read, 250 of them new\n", NOT_YET)
    monkeypatch.setenv("EMBEDDING_PROVIDER", "local")
    made = f"250 made searchable under the model {MODEL}, at no cost\n"
    assert keeper("memory", "embed") == Shown(0, made, "")
    every = f"every memory is searchable under the model {MODEL}\n"
    assert keeper("memory", "embed") == Shown(0, every, "")


def test_a_load_that_was_cut_short_goes_on_where_it_stopped(
    keeper: Remit, server: EmbeddingServer
) -> None:
    server.replies.extend([Reply(), *[Reply(401, b"{}")] * 5])
    shown = keeper("memory", "load", "-", stdin=lines(250))
    assert (shown.code, shown.out.splitlines()[0]) == (1, "250 notes read, 200 of them new")
    assert "100 made searchable" in shown.out
    assert shown.err.startswith("200 of 250 are kept: load the file again, and it goes on\n")
    server.replies.clear()
    again = keeper("memory", "load", "-", "--json", stdin=lines(250))
    told = json.loads(again.out)
    assert (again.code, told["new"], told["kept"], told["embedded"]) == (0, 50, 250, 150)


def test_a_load_that_was_interrupted_goes_on(
    memory: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupting:
        interrupting.setattr(embedding, "make_searchable", interrupted)
        assert memory("load", "-", stdin=lines(150)) == Shown(130, "", "")
    told = json.loads(memory("load", "-", "--json", stdin=lines(150)).out)
    assert (told["new"], told["embedded"]) == (50, 150)


def interrupted(*_: object, **__: object) -> bool:
    """Be stopped with Ctrl-C when the first batch is kept, and not embedded."""
    raise KeyboardInterrupt


def embed_all_but_unknown(
    self: LocalEmbeddingProvider, request: EmbeddingRequest
) -> EmbeddingResponse:
    """Refuse texts that are unknown, as a model may; the others get the vector of a digest."""
    if UNKNOWN in request.texts:
        raise final("invalid_request", "text 1 holds nothing that the local model knows")
    vectors = tuple(tuple(vector_of(text)) for text in request.texts)
    usage = EmbeddingUsage(None, Decimal(0), 0)
    return respond(request, vectors, model=self.model, usage=usage)


def test_what_the_model_cannot_embed_is_named_and_holds_up_nothing_else(
    memory: Remit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalEmbeddingProvider, "embed", embed_all_but_unknown)
    odd = json.dumps({"scope": "s", "content": UNKNOWN}).encode()
    shown = memory("load", "-", stdin=odd + b"\n" + lines(120))
    assert (shown.code, shown.out.splitlines()) == (
        1,
        [
            "121 notes read, 121 of them new",
            f"120 made searchable under the model {MODEL}, at no cost",
        ],
    )
    assert shown.err.startswith("kept, and not searchable: the model cannot embed ")
    again = memory("embed", "--json")
    told = json.loads(again.out)
    assert (again.code, told["embedded"], len(told["not_embeddable"])) == (1, 0, 1)


def test_embedding_tells_what_it_cost_and_stops_where_the_provider_does(
    keeper: Remit, server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDING_PROVIDER", "noop")
    assert keeper("memory", "load", "-", stdin=lines(150)).code == 1
    monkeypatch.setenv("EMBEDDING_PROVIDER", "openai")
    server.replies.append(Reply(401, b"{}"))
    refused = keeper("memory", "embed")
    assert (refused.code, refused.out) == (2, "")
    server.replies.clear()
    server.replies.extend([Reply(), Reply(401, b"{}")])
    partly = keeper("memory", "embed", "--json")
    told = json.loads(partly.out)
    assert (partly.code, told["embedded"], told["failure"]["reason"]) == (1, 100, "misconfigured")
    done = keeper("memory", "embed")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("50 made searchable under the model ")
    assert ", for $0.0000" in done.out


def test_a_person_on_a_terminal_sees_how_far_the_load_is(memory: Remit, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_bytes(lines(150))
    names = ("DATABASE_URL", "REMIT_DATA_DIR", "REMIT_TOKEN", "EMBEDDING_PROVIDER")
    variables = {name: os.environ[name] for name in names}
    code, shown = on_a_terminal("", "memory", "load", str(file), **variables)
    assert (code, "loading" in shown, "150/150" in shown) == (0, True, True)
