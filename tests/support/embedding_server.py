"""A service that speaks OpenAI's embedding protocol on 127.0.0.1, and misbehaves when told to.

Over a real socket, so that the SDK, its HTTP client and the provider are all under test. Left
alone, it answers well: the vector of a text is made from the text's digest, so the same text gets
the same vector from every server.
"""

import base64
import hashlib
import json
import random
import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

TOKENS_OF_A_TEXT = 7
"""How many tokens the server counts for each text."""


@dataclass(frozen=True)
class Reply:
    """What the server sends.

    Attributes:
        status: the status code.
        body: the body; None sends the vectors that were asked for.
        headers: more headers.
        announced: the length that is announced; None announces the true one.
        waits: whether it sends nothing before the server is closed.
        drips: seconds between two bytes; 0 sends the body at once.
    """

    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    announced: int | None = None
    waits: bool = False
    drips: float = 0


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    headers: Message
    body: dict[str, Any]


def vector_of(text: str) -> list[float]:
    """Return the vector that the server gives a text."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest())
    source = random.Random(seed)
    numbers = [source.gauss(0, 1) for _ in range(1536)]
    # As 32-bit numbers hold them, so that both forms of the answer say the same.
    return list(struct.unpack("<1536f", struct.pack("<1536f", *numbers)))


def packed(vector: list[float]) -> str:
    """Return numbers as the protocol's base64."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def answer_to(
    body: Mapping[str, Any],
    *,
    change: Callable[[list[list[float]]], list[list[float]]] = lambda vectors: vectors,
    as_numbers: bool = False,
) -> bytes:
    """Return the answer to a request, its vectors changed as told, in the form it asks for."""
    vectors = change([vector_of(text) for text in body["input"]])
    in_base64 = body.get("encoding_format") == "base64" and not as_numbers
    tokens = TOKENS_OF_A_TEXT * len(body["input"])
    return json.dumps(
        {
            "object": "list",
            "model": body["model"],
            "data": [
                {"object": "embedding", "index": index, "embedding": packed(v) if in_base64 else v}
                for index, v in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    ).encode()


class EmbeddingServer:
    """The service; `replies` are sent first, one to a request, and then `usual` for good."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: deque[Reply] = deque()
        self.usual = Reply()
        self.as_numbers = False
        self.closing = Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """The address to configure."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def close(self) -> None:
        """Let go of whoever waits, and stop."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def reply_to(self, asked: Asked) -> Reply:
        """Note a request and return what to send."""
        self.asked.append(asked)
        return self.replies.popleft() if self.replies else self.usual

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                asked = Asked(self.path, self.headers, json.loads(self.rfile.read(length)))
                _send(self, server, server.reply_to(asked), asked)

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        return Handler


def _send(
    handler: BaseHTTPRequestHandler, server: EmbeddingServer, reply: Reply, to: Asked
) -> None:
    if reply.waits:
        server.closing.wait()
        handler.close_connection = True
        return
    body = reply.body
    if body is None:
        body = answer_to(to.body, as_numbers=server.as_numbers)
    handler.send_response(reply.status)
    whole = {"Content-Type": "application/json", **reply.headers}
    for name, value in whole.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(reply.announced or len(body)))
    handler.end_headers()
    handler.close_connection = bool(reply.announced or reply.drips)
    pieces = [body[i : i + 1] for i in range(len(body))] if reply.drips else [body]
    try:
        for piece in pieces:
            handler.wfile.write(piece)
            if server.closing.wait(reply.drips):
                return
    except OSError:
        handler.close_connection = True  # the other side has had enough


@contextmanager
def serving() -> Iterator[EmbeddingServer]:
    """Yield a running service, and end it."""
    server = EmbeddingServer()
    try:
        yield server
    finally:
        server.close()
