"""What cannot be said neither undoes nor hides what was done, whatever the standard streams are."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path

import pytest
import sqlalchemy as sa

from remit.db.engine import create_database_engine
from remit.operations.identities.directory import read_tokens
from remit.stack.layout import DataDir
from tests.cli.auditing import forge
from tests.cli.conftest import environment, keep_tokens, propose_arguments
from tests.support.forks import Ended, Forks, forking
from tests.support.people import ADMIN
from tests.support.servers import MakeDatabase, as_login

GOOD = '{"role": "operator", "type": "echo", "objective": "say hello", "scope": "test"}'
DRAFT = (*propose_arguments(), "--draft")
BLOCKED = tuple(propose_arguments(scope="moon", objective="say é 漢"))
MEMORY = ("memory", "add", "-", "--scope", "x", "--as", "dana")
FILING = ("artifacts", "put", "-", "--name", "x", "--as", "dana")
TOKEN = ("token", "create", "NEW", "--role", "proposer", "--as", "dana")

WHY = {"full": "No space left on device", "closed": "it is closed", "gone": "Broken pipe"}
"""What is said of each state of standard output."""

STREAMS = [
    *((out, "file") for out in ("file", *WHY)),
    *(("file", err) for err in WHY),
    *((both, both) for both in WHY),
]
"""Standard output and standard error, in the states that they are tried in."""

_numbers = count(1)


@dataclass(frozen=True)
class Kind:
    """A kind of command.

    Attributes:
        arguments: its command line; NEW is a name that nobody has, ID a directive that is blocked,
            FILE a file of no use.
        code: the exit code that it has to give.
        given: what standard input holds; None when it reads none.
        secret: whether it shows what is shown once.
        tampered: whether its log was tampered with.
        refused: whether all that it says is said on standard error.
    """

    arguments: tuple[str, ...]
    code: int = 0
    given: str | None = None
    secret: bool = False
    tampered: bool = False

    @property
    def refused(self) -> bool:
        """Return whether it says nothing on standard output."""
        return self.code > 1


KINDS: Mapping[str, Kind] = {
    "read": Kind(("list",)),
    "read-json": Kind(("show", "ID", "--json")),
    "verify-a-log-that-holds": Kind(("audit", "verify", "--as", "dana")),
    "verify-a-tampered-log": Kind(("audit", "verify", "--as", "dana", "--json"), 1, tampered=True),
    "verify-a-bad-file": Kind(("evidence", "verify", "FILE"), 1),
    "write": Kind(DRAFT),
    "write-json": Kind((*DRAFT, "--json")),
    "write-blocked": Kind(BLOCKED, 1),
    "write-what-is-read": Kind(("propose", "-", "--draft"), given=GOOD),
    "file-what-is-read": Kind(FILING, given="content"),
    "remember-what-is-read": Kind(MEMORY, 1, given="content"),
    "token": Kind(TOKEN, secret=True),
    "token-json": Kind((*TOKEN, "--json"), secret=True),
    "token-kept": Kind((*TOKEN, "--keep")),
    "admin-let-in": Kind(("db", "upgrade", "--admin", "NEW"), secret=True),
    "admin-let-in-json": Kind(("db", "upgrade", "--admin", "NEW", "--json"), secret=True),
    "refused": Kind(("show", "dead"), 2),
    "refused-json": Kind(("show", "dead", "--json"), 2),
    "misuse": Kind(("show", "--nope"), 2),
    "watch-one": Kind(("watch", "ID"), 1),
    "help": Kind(("propose", "--help")),
    "version": Kind(("--version",)),
    "schema": Kind(("schema",)),
}
"""Every kind of command, by a name for the test."""


@dataclass(frozen=True)
class Place:
    """What the command lines of this module stand on.

    Attributes:
        forks: what runs them.
        engine: the database.
        words: what stands for the words in capitals of :class:`Kind`.
        tampered: the variables of a database whose log was tampered with.
    """

    forks: Forks
    engine: sa.Engine
    words: Mapping[str, str]
    tampered: Mapping[str, str]

    def run(self, kind: Kind, out: str, err: str, **more: str) -> tuple[Ended, str]:
        """Run a command; return what it left behind, and the new name that it was given."""
        words = {**self.words, "NEW": f"newcomer-{next(_numbers)}"}
        if kind.given is not None:
            self.forks.give(kind.given)
        streams = {"stdin": "null" if kind.given is None else "file", **more}
        ended = self.forks.run(
            *(words.get(each, each) for each in kind.arguments),
            stdout=out,
            stderr=err,
            **streams,
            **(self.tampered if kind.tampered else {}),
        )
        return ended, words["NEW"]

    def holds(self, name: str) -> list[bool]:
        """Return of each token of a principal whether it was not revoked."""
        rows = read_tokens(self.engine, by=ADMIN)
        return [row.revoked_at is None for row in rows if row.principal == name]


@pytest.fixture(scope="module")
def place(
    services: Mapping[str, str],
    engine: sa.Engine,
    make_database: MakeDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Return the real services, a blocked directive, and a log that was tampered with."""
    room = tmp_path_factory.mktemp("streams")
    bad = room / "bad.json"
    bad.write_text("{}")
    other = make_database()
    DataDir(room / "other").prepare()
    tampering = create_database_engine(other, pool_size=1)
    keep_tokens(tampering, room / "other")
    tampering.dispose()
    forge(other, "UPDATE events SET actor = 'x' WHERE seq = 2")
    tampered = {"DATABASE_URL": other, "REMIT_DATA_DIR": str(room / "other")}
    more = {"DATABASE_OWNER_URL": as_login(services["DATABASE_URL"], "remit_owner"), "LC_ALL": "C"}
    keys = str(Path(services["REMIT_DATA_DIR"]) / "keys")
    variables = environment(
        **services, **more, REMIT_KEYS_DIR=keys, OBJECT_STORE_PROVIDER="filesystem"
    )
    with forking(room / "forks", variables) as forks:
        ended = forks.run(*BLOCKED, "--json")
        blocked = json.loads(ended.out)["outcomes"][0]["directive"]["id"]
        yield Place(forks, engine, {"ID": blocked, "FILE": str(bad)}, tampered)


def code_of(kind: Kind, out: str) -> int:
    """Return the exit code that tells what a command did, and whether it could be told."""
    if kind.secret and out != "file":
        return 3
    return 3 if kind.code == 0 and out in {"full", "closed"} else kind.code


def lines_of(ended: Ended, *, as_json: bool) -> list[str]:
    """Return what was said on standard error of what went wrong, a message each."""
    lines = ended.err.splitlines()
    if as_json:
        return [json.loads(line)["error"]["message"] for line in lines]
    return [line.removeprefix("remit: ") for line in lines if line.startswith("remit: ")]


@pytest.mark.parametrize(
    ("name", "streams"),
    list(product(KINDS, STREAMS)),
    ids=[f"{name}-{out}-{err}" for name, (out, err) in product(KINDS, STREAMS)],
)
def test_a_command_ends_with_the_code_of_what_it_did(
    place: Place, name: str, streams: tuple[str, str]
) -> None:
    kind, (out, err) = KINDS[name], streams
    ended, new = place.run(kind, out, err)
    assert ended.code == code_of(kind, out), ended
    assert "Traceback" not in ended.err + ended.out
    assert bool(ended.out) == (out == "file" and not kind.refused)
    if kind.secret:
        assert place.holds(new) == [out == "file"], "who saw no token has none"
    if err != "file":
        return
    said = lines_of(ended, as_json="--json" in kind.arguments)
    untold = out != "file" and not kind.refused and (out != "gone" or kind.secret)
    assert len(said) == untold + (kind.code == 2)
    assert untold <= any(WHY.get(out, "") in line for line in said)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.given is not None])
def test_a_command_that_reads_a_closed_standard_input_is_refused(place: Place, name: str) -> None:
    ended, _ = place.run(KINDS[name], "file", "file", stdin="closed")
    line = "remit: standard input is closed: name a file, or pipe something in\n"
    assert ended == Ended(2, "", line)


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize(("out", "code"), [("gone", 0), ("full", 3), ("closed", 3)])
def test_to_watch_ends_when_nobody_reads(
    place: Place, out: str, code: int, options: tuple[str, ...]
) -> None:
    ended, _ = place.run(Kind(("watch", *options)), out, "file")
    assert ended.code == code
    assert (WHY[out] in ended.err) == (code == 3)


ENCODINGS = ("ascii", "latin-1", "cp1252", "utf-8")
JSON_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "show": ("show", "ID", "--json"),
    "list": ("list", "--json"),
    "trace": ("trace", "ID", "--json"),
    "watch": ("watch", "ID", "--json"),
    "propose": (*BLOCKED, "--json"),
    "schema": ("schema",),
    "policy": ("policy", "show", "--json"),
    "modules": ("modules", "--json"),
    "export": ("evidence", "export", "ID", "--out", "-", "--as", "dana"),
    "refusal": ("show", "é漢", "--json"),
    "misuse": ("show", "--é漢", "--json"),
}


@pytest.mark.parametrize(("name", "encoding"), list(product(JSON_COMMANDS, ENCODINGS)))
def test_json_is_json_in_every_encoding(place: Place, name: str, encoding: str) -> None:
    arguments = [place.words.get(each, each) for each in JSON_COMMANDS[name]]
    ended = place.forks.run(*arguments, encoding=encoding)
    text = ended.out or ended.err
    assert json.loads(text)
    assert encoding == "utf-8" or text.isascii(), "any program may read it as UTF-8"
    if name in {"show", "list", "watch", "propose"}:
        assert "é 漢" in json.dumps(json.loads(text), ensure_ascii=False)
    assert "\\x" not in text


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_has_an_escape_for_what_the_encoding_lacks(place: Place, encoding: str) -> None:
    ended = place.forks.run("show", place.words["ID"], encoding=encoding)
    shown = "say é 漢".encode(encoding, "backslashreplace").decode(encoding)
    assert (ended.code, shown in ended.out) == (0, True)
