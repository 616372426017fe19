"""A service that speaks Braintrust's API on 127.0.0.1, and keeps what it is told.

Over a real socket, so that the SDK, its HTTP client and the provider are all under test. Left
alone, it answers well: a row that is inserted can be asked for, and a merge keeps what it does not
name.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from tests.support.embedding_server import Asked, EmbeddingServer, Reply

PROJECT_ID = "11111111-2222-3333-4444-555555555555"
EXPERIMENT_ID = "66666666-7777-8888-9999-aaaaaaaaaaaa"

PROJECT_PATH = "/v1/project"
LOGS_PATH = f"/v1/project_logs/{PROJECT_ID}/insert"
EXPERIMENT_PATH = "/v1/experiment"
ROWS_PATH = f"/v1/experiment/{EXPERIMENT_ID}/insert"
QUERY_PATH = "/btql"


class BraintrustServer(EmbeddingServer):
    """The service.

    Attributes:
        logs: the rows of the project's log, by id.
        rows: the rows of the experiment, by id.
        given: scores that the service's own scorers give every row.
    """

    def __init__(self) -> None:
        self.logs: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.given: dict[str, Any] = {}
        self._answering = Lock()
        super().__init__()

    @property
    def url(self) -> str:
        """The address to configure."""
        return super().url.removesuffix("/v1")

    def paths(self) -> list[str]:
        """Return what was asked for, in order."""
        return [asked.path for asked in self.asked]

    def everything(self) -> str:
        """Return all that arrived in bodies and paths, as one text."""
        return "\n".join(f"{asked.path} {json.dumps(asked.body)}" for asked in self.asked)

    def reply_to(self, asked: Asked) -> Reply:
        """Note a request and return what to send."""
        with self._answering:
            reply = super().reply_to(asked)
            if reply.waits or reply.body is not None:
                return reply
            answer = self._answer(asked.path, asked.body)
            return Reply(404, b"") if answer is None else replace(reply, body=_json(answer))

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        if path == PROJECT_PATH:
            return {"id": PROJECT_ID, "name": body["name"]}
        if path == EXPERIMENT_PATH and body["project_id"] == PROJECT_ID:
            return {"id": EXPERIMENT_ID, "name": body["name"]}
        if path in (LOGS_PATH, ROWS_PATH):
            rows = self.logs if path == LOGS_PATH else self.rows
            return {"row_ids": [_insert(rows, event) for event in body["events"]]}
        if path == QUERY_PATH:
            return {"data": self._found(body["query"]), "cursor": None}
        return None

    def _found(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        source, wanted = query["from"], query["filter"]
        assert (source["name"]["name"], wanted["op"]) == (["project_logs"], "eq")
        assert source["args"] == [{"op": "literal", "value": PROJECT_ID}]
        assert wanted["left"] == {"op": "ident", "name": ["id"]}
        row = self.logs.get(wanted["right"]["value"])
        return [] if row is None else [{**row, "scores": {**row.get("scores", {}), **self.given}}]


def _json(answer: object) -> bytes:
    return json.dumps(answer).encode()


def _insert(rows: dict[str, dict[str, Any]], event: dict[str, Any]) -> str:
    key = str(event["id"])
    new = {name: value for name, value in event.items() if name != "_is_merge"}
    rows[key] = {**rows.get(key, {}), **new} if event.get("_is_merge") else new
    return key


@contextmanager
def serving() -> Iterator[BraintrustServer]:
    """Yield a running service, and end it."""
    server = BraintrustServer()
    try:
        yield server
    finally:
        server.close()
