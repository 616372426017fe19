"""A day in an installation where everybody is careless, and a look into every corner afterwards."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from temporalio.client import Client

from tests.support import otlp
from tests.support.installation import Installation, scraped
from tests.support.keys import SIGNING_KEY
from tests.support.planting import Canaries, make_canaries

UNDEFENDED = """
import remit.redaction.masking
remit.redaction.masking.redact = lambda value: value
remit.redaction.masking.redact_object = dict
remit.redaction.masking.redact_text = lambda text: text
remit.redaction.masking.find_secret = lambda value, place="": None
"""
"""Code that takes redaction away from a process."""

INTENT = ("payload_named", "payload_text", "objective")
"""Canaries in what people are asked to consent to."""

REASONS = ("agreed", "rejected")
"""Canaries in why people voted as they did."""

MODULE = (
    *("artifact_named", "artifact_name", "artifact_text", "result_named", "result_text"),
    *("log", "raised", "retried", "failed"),
)
"""Canaries in what a module leaves, returns, logs and raises."""

HANDED_IN = ("attachment", "label", "memory", "question")
"""Canaries in what people file, remember and ask."""

ENVIRONMENT = ("database_url", "openai_key", "collector_url", "token", "signing_key")
"""Canaries in the environment of every process."""

_ACTS = (
    *(("validate", act) for act in ("succeed", "fail", "raise", "again")),
    *(("test", act) for act in ("succeed", "fail", "raise", "again")),
)


def planted(token: str) -> Canaries:
    """Return new canaries for every place; a token and a key are themselves some."""
    free = (*INTENT, *REASONS, *MODULE, *HANDED_IN, *ENVIRONMENT[:3])
    return make_canaries(free, token=token, signing_key=SIGNING_KEY.splitlines()[1])


@dataclass(frozen=True)
class Day:
    """A day.

    Attributes:
        here: the installation.
        folder: where its worker's log and its collector's file are.
        canaries: what was planted.
        prelude: code that each of its processes runs first.
        said: what its commands wrote on standard error, and what `remit trace` printed.
    """

    here: Installation
    folder: Path
    canaries: Canaries
    prelude: str
    said: list[str]

    def environment(self, collector: otlp.Collector) -> dict[str, str]:
        """Return variables that hold secrets, as some must."""
        known = self.canaries.values
        url = self.here.variables["DATABASE_URL"]
        return {
            "CANARIES": json.dumps({name: known[name] for name in MODULE}),
            "DATABASE_URL": url.replace("@", f":{known['database_url']}@", 1),
            "OPENAI_API_KEY": known["openai_key"],
            "REMIT_SIGNING_KEY": SIGNING_KEY,
            "EMBEDDING_PROVIDER": "noop",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint.replace(
                "//", f"//bot:{known['collector_url']}@"
            ),
        }

    def remit(self, *arguments: str, **options: str) -> str:
        """Run a command, note what it says on standard error, and return what it prints."""
        return self._run(*arguments, **options).stdout

    def _run(self, *arguments: str, **options: str) -> "subprocess.CompletedProcess[str]":
        done = self.here.remit(*arguments, prelude=self.prelude, **options)
        self.said.append(done.stderr)
        return done

    def careless(self) -> list[dict[str, Any]]:
        """Return wishes with one secret each."""
        known = self.canaries.values
        wish = {"role": "operator", "objective": "Look.", "scope": "test", "type": "echo"}
        return [
            {**wish, "payload": {"password": known["payload_named"]}},
            {**wish, "payload": {"note": [f"Authorization: Bearer {known['payload_text']}"]}},
            {**wish, "objective": f"Log in with token={known['objective']} and look."},
        ]

    def wishes(self) -> list[dict[str, Any]]:
        """Return what is proposed, once in every way."""
        wish = {"role": "operator", "objective": "Log in and look.", "scope": "test"}
        found = [{**wish, "type": kind, "payload": {"act": act}} for kind, act in _ACTS]
        found.append({**wish, "type": "echo", "payload": {}})
        found += [{**wish, "type": "echo", "scope": "staging", "payload": {}}] * 2
        return [*found, {**wish, "type": "echo", "scope": "moon", "payload": {}}]

    def live(self, collector: otlp.Collector) -> None:
        """Let everything happen that happens on a day."""
        known, to = self.canaries.values, self.environment(collector)
        log, talkative = self.folder / "worker.log", {"REMIT_LOG_LEVEL": "DEBUG"}
        with self.here.worker(log, prelude=self.prelude, REMIT_METRICS_PORT="0", **talkative, **to):
            with ThreadPoolExecutor(2) as at_once:
                for wish in self.careless():
                    at_once.submit(self.remit, "propose", "-", stdin=json.dumps(wish), **to)
            lines = "\n".join(map(json.dumps, self.wishes()))
            printed = self.remit("propose", "-", "--json", stdin=lines, **to)
            ids = [str(each["directive"]["id"]) for each in json.loads(printed)["outcomes"]]
            first, agreed, rejected = ids[0], ids[-3], ids[-2]
            yes, no = (f"password={known[name]} is known to me" for name in REASONS)
            with ThreadPoolExecutor(2) as at_once:
                for verb, about, why in (("approve", agreed, yes), ("reject", rejected, no)):
                    at_once.submit(self._vote, verb, about, why, to)
            self.here.await_ends([UUID(each) for each in ids])
            self._hand_in(first, to)
            (self.folder / "metrics.txt").write_text(scraped(log))

    def _vote(self, verb: str, about: str, why: str, to: Mapping[str, str]) -> None:
        """Vote with a secret in the reason, and again without when that is refused."""
        vote = (verb, about, "--yes", "--as", "bob", "--reason")
        if self._run(*vote, why, **to).returncode:
            self._run(*vote, "no secret", **to)

    def _hand_in(self, directive: str, to: Mapping[str, str]) -> None:
        known = self.canaries.values
        [record] = self.here.records([UUID(directive)])
        assert record.run is not None
        name = f"sk-{known['attachment']}"
        label = f"note=Authorization: Bearer {known['label']}"
        filing = ("artifacts", "put", "-", "--name", name, "--label", label)
        words = f"It wants password={known['memory']}."
        with ThreadPoolExecutor(2) as at_once:
            at_once.submit(self.remit, *filing, "--directive", directive, stdin="x", **to)
            run = ("--run", str(record.run.id))
            at_once.submit(self.remit, "memory", "add", words, "--scope", "s", *run, **to)
            asked = f"token={known['question']}"
            at_once.submit(self.remit, "memory", "recent", "--scope", asked, **to)
            trace = at_once.submit(self.remit, "trace", directive, **to)
        self.said.append(trace.result())


Found = Mapping[str, set[str]]
"""Canaries by the place where they were found; a place without any is left out."""


async def look_everywhere(
    day: Day, superuser_url: str, client: Client, logs: Sequence[Path]
) -> Found:
    """Return what is found in every file, row and history that came of a day."""
    canaries, spans = day.canaries, list((day.here.data / "spans").glob("*.jsonl"))
    assert logs
    assert spans
    found = {
        "commands": canaries.in_texts(day.said),
        "logs of the servers": canaries.in_bytes(b"".join(each.read_bytes() for each in logs)),
        "histories": canaries.in_bytes(await histories(client)),
        "worker.log": canaries.in_bytes((day.folder / "worker.log").read_bytes()),
        "metrics": canaries.in_bytes((day.folder / "metrics.txt").read_bytes()),
        "collector": canaries.in_bytes((day.folder / "collector.jsonl").read_bytes()),
        "spans": canaries.in_bytes(b"".join(each.read_bytes() for each in spans)),
    }
    found |= {place: canaries.in_bytes(data) for place, data in columns(superuser_url).items()}
    return {place: names for place, names in found.items() if names}


def columns(superuser_url: str) -> dict[str, bytes]:
    """Return all that each column of each table holds."""
    tables = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = %s"
    found: dict[str, list[bytes]] = {}
    with closing(psycopg.connect(superuser_url.replace("+psycopg", ""))) as connection:
        for schema, table in connection.execute(tables, ("BASE TABLE",)).fetchall():
            if schema in {"pg_catalog", "information_schema"}:
                continue
            rows = connection.execute(
                sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))
            )
            names = [each.name for each in rows.description or ()]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    data = value if isinstance(value, bytes) else _text(value).encode()
                    found.setdefault(f"{table}.{name}", []).append(data)
    return {place: b"\n".join(parts) for place, parts in found.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


async def histories(client: Client) -> bytes:
    """Return what Temporal holds of every workflow of a namespace: events, payloads, failures."""
    parts = []
    async for each in client.list_workflows():
        handle = client.get_workflow_handle(each.id, run_id=each.run_id)
        parts.append((await handle.describe()).raw_description.SerializeToString())
        parts += [event.SerializeToString() async for event in handle.fetch_history_events()]
    return b"\n".join(parts)
