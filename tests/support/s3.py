"""S3 on this machine: a server that behaves (moto), and one that does what a test tells it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Self
from urllib.parse import urlsplit

from remit.artifacts.r2 import R2Options

BUCKET = "evidence"
"""The bucket that :func:`running_s3` makes."""

SECRET = "secret-canary-9f2d1c"
"""The secret key of every test; it may appear nowhere."""

HANG = b""
"""The answer of a server that never answers."""

_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=other/20261122/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=00"
)
_DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


def options(endpoint: str, *, bucket: str = BUCKET, timeout_seconds: float = 10.0) -> R2Options:
    """Return how a store reaches one of these servers."""
    return R2Options(
        endpoint=endpoint,
        bucket=bucket,
        region="auto",
        access_key_id="key-name",
        secret_access_key=SECRET,
        timeout_seconds=timeout_seconds,
        backoff_seconds=0.005,
    )


@contextlib.contextmanager
def running_s3() -> Iterator[str]:
    """Run moto's S3 with an empty bucket; yield its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        send(endpoint, "POST", "/moto-api/reset")
        send(endpoint, "PUT", f"/{BUCKET}")
        yield endpoint
    finally:
        server.stop()
        assert server._server is not None
        server._server.server_close()


def send(endpoint: str, method: str, path: str, body: bytes = b"") -> None:
    """Send a request past every store; moto asks for a signature, and checks none."""
    with contextlib.closing(HTTPConnection(urlsplit(endpoint).netloc, timeout=10)) as connection:
        connection.request(method, path, body, {"Authorization": _SIGNED})
        answer = connection.getresponse()
        answer.read()
        assert answer.status < 300, (method, path, answer.status)


@dataclass(frozen=True)
class Asked:
    """A request that arrived: its first line, its headers by lower-case name, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes = b"", *headers: str, announced: int | None = None) -> bytes:
    """Return an answer of HTTP/1.1, after which the connection is closed.

    Args:
        status: the code.
        body: what is sent.
        headers: more header lines.
        announced: the Content-Length; None for the truth.
    """
    length = len(body) if announced is None else announced
    lines = (
        f"HTTP/1.1 {status} Answer",
        f"Content-Length: {length}",
        'ETag: "etag"',
        f"Last-Modified: {_DATE}",
        "Connection: close",
        *headers,
        "",
        "",
    )
    return "\r\n".join(lines).encode() + body


@dataclass
class ScriptedS3:
    """Answers each request with the next of its answers, and the last one ever after.

    Attributes:
        answers: what it says, byte for byte; :data:`HANG` for nothing.
        asked: what arrived.
    """

    answers: Sequence[bytes]
    asked: list[Asked] = field(default_factory=list)
    _listening: socket.socket = field(init=False)
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Listen."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """End every thread."""
        self._over.set()
        # Closing alone would not wake the thread that waits.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        # Whoever gives up first closes the connection.
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            line = stream.readline().decode().strip()
            headers = {}
            while text := stream.readline().decode().strip():
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            body = stream.read(int(headers.get("content-length", 0)))
            self.asked.append(Asked(line, headers, body))
            said = self.answers[min(len(self.asked), len(self.answers)) - 1]
            if said == HANG:
                self._over.wait(60)
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            time.sleep(0.01)
