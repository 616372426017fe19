"""`verify_reader` passes what only reads, and tells in which way the rest would write.

Each class stands in a module of its own, since the whole module is judged.
"""

import importlib.util
import linecache
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from remit.errors import MisconfiguredError
from remit.memory.postgres import PostgresMemoryReader
from remit.memory.reader import NoOpMemoryReader
from tests.support.reader_sources import verify_reader

HEAD = """
from remit.memory.enforcement import readonly_method
import sqlalchemy as sa
"""
ANSWER = textwrap.dedent("""
    class Reader:
        '''Reads. It would never INSERT INTO anything.'''
        name = "good"
        @property
        def principal(self): return self._principal
        @readonly_method("execution_summaries")
        def execution_summaries(self, limit, status_filter=None):
            '''Return runs, and delete from none.'''
            found = []
            found.append(limit)
            found.extend(sorted(set(self._rows)))
            return found
        def _ranked(self, rows): return rows
        __slots__ = ("_principal", "_record", "_rows")
""")

Load = Callable[..., type]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Return a function that makes a module of pieces of source and returns its class Reader."""
    name = "reader_under_test"

    def make(*pieces: str) -> type:
        source = "".join(pieces)
        path = tmp_path / f"{name}.py"
        path.write_text(source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = module.Reader
        assert isinstance(found, type)
        return found

    yield make
    sys.modules.pop(name, None)


def member(source: str) -> str:
    """Return one more member of the class Reader."""
    return textwrap.indent(textwrap.dedent(source).strip("\n"), " " * 4) + "\n"


def answering(body: str) -> str:
    """Return a method that is marked as an answer and does something besides."""
    lines = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 4)
    return member(f'@readonly_method("semantic_search")\ndef semantic_search(self, q, k):\n{lines}')


@pytest.mark.parametrize("reader", [NoOpMemoryReader, PostgresMemoryReader])
def test_the_readers_of_remit_only_read(reader: type) -> None:
    verify_reader(reader)


def test_a_reader_that_only_reads_passes(load: Load) -> None:
    verify_reader(load(HEAD, ANSWER))


@pytest.mark.parametrize(
    ("source", "offence"),
    [
        ("def everything(self): return 1", "everything is public and answers no question"),
        ("def put_artifact(self): pass", "the name of put_artifact says put"),
        ("def _save_row(self): pass", "the name of _save_row says save"),
        ("def addMemory(self): pass", "the name of addMemory says add"),
        ("async def update(self): pass", "the name of update says update"),
        ("@staticmethod\ndef insert(row): pass", "the name of insert says insert"),
        ("@classmethod\ndef drop_all(cls): pass", "the name of drop_all says drop"),
        ("transition = lambda self: 1", "the name of transition says transition"),
        ("@property\ndef engine(self): return self._e", "engine hands out the database"),
        ("@property\ndef read_session(self): return 1", "read_session hands out the database"),
        ("connection = None", "connection hands out the database"),
        ("db: object", "db hands out the database"),
        ("cache = {}", "cache is neither a question nor plain data"),
        ("rows = object()", "rows is neither a question nor plain data"),
        ("def __init__(self, e): self.e = e", "keeps e under a public name"),
        ("def __init__(self, e): self.e: int = e", "keeps e under a public name"),
        ("def __getattr__(self, name): return name", "__getattr__ opens it to what it does not"),
        ("def __call__(self, sql): return sql", "__call__ opens it to what it does not declare"),
        (
            '@readonly_method("semantic_search")\ndef store_it(self): pass',
            "the name of store_it says store",
        ),
    ],
)
def test_what_a_class_shows_gives_it_away(load: Load, source: str, offence: str) -> None:
    reader = load(HEAD, ANSWER, member(source))
    with pytest.raises(MisconfiguredError) as caught:
        verify_reader(reader)
    assert str(caught.value).startswith("Reader does not only read: ")
    assert offence in str(caught.value)


@pytest.mark.parametrize(
    ("body", "offence"),
    [
        ("self._c.execute(sa.insert(table))", "calls insert"),
        ("self._c.execute(table.update())", "calls update"),
        ("self._c.execute(sa.delete(table))", "calls delete"),
        ("self._c.commit()", "calls commit"),
        ("with self._e.begin() as c: return c", "calls begin"),
        ("with transaction(self._e) as c: return c", "calls transaction"),
        ("repository.insert_read(1)", "calls insert_read"),
        ("store_memory_embedding(1)", "calls store_memory_embedding"),
        ("getattr(self, 'comm' + 'it')()", "calls getattr"),
        ("exec('x = 1')", "calls exec"),
        ("__import__('os').remove('x')", "calls __import__"),
        ("open('x').write('y')", "calls write"),
        ("self._c.execute(sa.text('INSERT INTO memories VALUES (1)'))", "writes: insert into"),
        ("self._c.execute('update  memories\\n set scope = 1')", "writes: update memories set"),
        ("self._c.execute(b'DELETE FROM memories')", "writes: delete from"),
        ("self._c.execute(f'TRUNCATE {self._t}')", "writes: truncate"),
        ("self._c.execute('WITH x AS (delete from a RETURNING 1) SELECT 1')", "delete from"),
        ("self._c.execute('CREATE TABLE mine (id int)')", "writes: create table"),
        ("self._c.execute('ALTER ROLE x SUPERUSER')", "writes: alter role"),
        ("self._c.execute('DROP INDEX mine ')", "writes: drop index"),
        ("self._c.execute('GRANT ALL ON memories TO me')", "writes: grant"),
        ("self._c.execute('COPY memories FROM STDIN')", "writes: copy"),
        ("self._c.execute('MERGE INTO memories USING x')", "writes: merge into"),
        ("self._c.execute('SELECT * INTO mine FROM memories')", "writes: select"),
        ("self._c.execute('SELECT 1 FROM memories FOR UPDATE')", "writes: for update"),
        ("self._c.execute('SELECT nextval(1)')", "writes: nextval"),
        ("self._c.execute('SELECT lo_create(0)')", "writes: lo_create"),
        ("self._c.execute('SET TRANSACTION READ WRITE')", "writes: read write"),
        ("self._c.execute('CALL mine()')", "writes: call mine"),
        ("import remit.operations.gate.proposals", "imports remit.operations.gate.proposals"),
        ("from remit.operations import gate", "imports remit.operations.gate"),
        ("from remit.directives import mutator", "imports remit.directives.mutator"),
        ("from remit.execution.mutator import x", "imports remit.execution.mutator.x"),
        ("from remit.db.session import transaction", "imports transaction"),
        ("from sqlalchemy import delete as read", "imports delete"),
        ("from remit.memory.repository import insert_memories as f", "imports insert_memories"),
    ],
)
def test_what_a_class_does_gives_it_away(load: Load, body: str, offence: str) -> None:
    reader = load(HEAD, ANSWER, answering(body))
    with pytest.raises(MisconfiguredError) as caught:
        verify_reader(reader)
    assert offence in str(caught.value)


def test_a_helper_beside_the_class_gives_it_away(load: Load) -> None:
    helper = "def _note(connection):\n    connection.execute('INSERT INTO memories VALUES (1)')\n"
    reader = load(HEAD, helper, ANSWER, answering("_note(self._c)"))
    with pytest.raises(MisconfiguredError, match="holds SQL that writes: insert into"):
        verify_reader(reader)


def test_what_an_ancestor_offers_gives_it_away(load: Load) -> None:
    writer = "class Writer:\n    def save(self): pass\n"
    reader = load(HEAD, writer, ANSWER.replace("class Reader:", "class Reader(Writer):"))
    with pytest.raises(MisconfiguredError, match="the name of save says save"):
        verify_reader(reader)


def test_a_reader_may_declare_the_protocol_that_it_answers(load: Load) -> None:
    protocol = (
        "from typing import Protocol\n"
        "class Asked(Protocol):\n"
        "    def execution_summaries(self, limit, status_filter=None): ...\n"
    )
    verify_reader(load(HEAD, protocol, ANSWER.replace("class Reader:", "class Reader(Asked):")))


def test_a_class_without_a_source_is_not_believed() -> None:
    made = type("Reader", (), {"__module__": "nowhere.at.all"})
    with pytest.raises(MisconfiguredError, match="the source of Reader cannot be read"):
        verify_reader(made)


def test_a_module_that_is_no_longer_there_is_not_believed(load: Load, tmp_path: Path) -> None:
    reader = load(HEAD, ANSWER)
    (tmp_path / "reader_under_test.py").unlink()
    linecache.clearcache()
    with pytest.raises(MisconfiguredError, match="the source of Reader cannot be read"):
        verify_reader(reader)


def test_every_offence_is_told_and_each_once(load: Load) -> None:
    reader = load(HEAD, ANSWER, member("def save(self): self._c.commit()"), member("db = 1"))
    with pytest.raises(MisconfiguredError) as caught:
        verify_reader(reader)
    told = str(caught.value).removeprefix("Reader does not only read: ").split("; ")
    assert len(told) == len(set(told)) == 4
