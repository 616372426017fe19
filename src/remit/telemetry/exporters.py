"""Where spans go: to a collector (OTLP over HTTP, in protobuf), or to files of the embedded stack.

HTTP and not gRPC: its client is pure Python, loads in a fraction of the time and survives a fork.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from remit.errors import MisconfiguredError
from remit.telemetry.state import count_failures

if TYPE_CHECKING:
    import requests
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.trace import ReadableSpan

EXPORT_SECONDS = 5.0
"""How long one export may take, its retries included."""

_FIELD = "OTEL_EXPORTER_OTLP_ENDPOINT"

TOTAL_BYTES = 32 * 1024 * 1024
"""What all files may hold together, counted when a file begins."""

FILE_BYTES = 1024 * 1024
"""Size at which a process begins another file."""

MANY_FILES = 500
"""How many files there may be: every command of a person leaves one."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


def signal_address(endpoint: str, signal: str) -> str:
    """Return where one signal goes: `traces` or `metrics` of the collector at `endpoint`.

    Raises:
        MisconfiguredError: the endpoint is no HTTP address, or is the port that speaks gRPC.
    """
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    is_plain = host and not (parts.query or parts.fragment or re.search(r"\s", endpoint))
    if parts.scheme not in {"http", "https"} or not is_plain:
        raise MisconfiguredError(
            "this is not the address of a collector: give it as http://host:4318", field=_FIELD
        )
    if port == 4317:  # noqa: PLR2004 - named in the message
        raise MisconfiguredError(
            "port 4317 speaks gRPC, and Remit sends OTLP over HTTP: give the collector's HTTP "
            f"port, by custom {parts.scheme}://{host}:4318",
            field=_FIELD,
        )
    return f"{endpoint.rstrip('/')}/v1/{signal}"


class OtlpSpanExporter:
    """Sends spans to a collector, at an address of :func:`signal_address`."""

    def __init__(self, address: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult

        self._inner = OTLPSpanExporter(
            endpoint=address, timeout=EXPORT_SECONDS, session=_direct_session()
        )
        self._success = SpanExportResult.SUCCESS

    def export(self, spans: Sequence["ReadableSpan"]) -> bool:
        """Send spans; return whether the collector took them."""
        return self._inner.export(spans) is self._success

    def close(self) -> None:
        """Send nothing more; a retry under way is given up."""
        self._inner.shutdown()  # type: ignore[no-untyped-call]


def otlp_metrics(address: str) -> "OTLPMetricExporter":
    """Return what sends metrics to a collector, at an address of :func:`signal_address`."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

    return OTLPMetricExporter(endpoint=address, timeout=EXPORT_SECONDS, session=_direct_session())


def _direct_session() -> "requests.Session":
    """Return a session that takes no proxy, no `.netrc` and no certificates of other programs.

    Given one, the exporters look for no provider of credentials either.
    """
    import requests

    session = requests.Session()
    session.trust_env = False
    return session


class FileSpanExporter:
    """Keeps spans in a folder that only its owner may read, one JSON object a line.

    Each process writes files of its own; before a new one begins, the oldest of all are removed.
    """

    def __init__(
        self, folder: Path, *, total_bytes: int = TOTAL_BYTES, file_bytes: int = FILE_BYTES
    ) -> None:
        self._folder = folder
        self._total_bytes = total_bytes
        self._file_bytes = file_bytes
        self._file: int | None = None
        self._size = 0

    def export(self, spans: Sequence["ReadableSpan"]) -> bool:
        """Write spans; a whole batch in one write, so that a crash cuts the last line at most.

        One that cannot be written as a line is counted as lost, and keeps no other from its place.

        Raises:
            OSError: the folder cannot be written.
        """
        lines = b""
        for span in spans:
            with count_failures():
                lines += _line(span).encode()
        file = self._room_for(len(lines))
        written = os.write(file, lines)
        self._size += written
        return written == len(lines)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = None

    def _room_for(self, size: int) -> int:
        if self._file is not None:
            removed = os.fstat(self._file).st_nlink == 0
            if not removed and self._size + size <= self._file_bytes:
                return self._file
            self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_room()
        name = f"{time.time_ns():020d}-{os.getpid()}.jsonl"
        self._file, self._size = os.open(self._folder / name, _FLAGS, 0o600), 0
        return self._file

    def _make_room(self) -> None:
        """Remove the oldest files until one more, full, keeps within the bounds."""
        files = []
        for file in sorted(self._folder.glob("*.jsonl")):
            # Another process may make room at the same moment.
            with contextlib.suppress(OSError):
                files.append((file, file.stat().st_size))
        held = sum(size for _, size in files)
        count = len(files)
        for file, size in files:
            if held + self._file_bytes <= self._total_bytes and count < MANY_FILES:
                return
            with contextlib.suppress(OSError):
                file.unlink()
            held, count = held - size, count - 1


def _line(span: "ReadableSpan") -> str:
    context, resource = span.context, span.resource.attributes
    if context is None:
        return ""
    record: dict[str, object] = {
        "trace_id": f"{context.trace_id:032x}",
        "span_id": f"{context.span_id:016x}",
        "parent_id": None if span.parent is None else f"{span.parent.span_id:016x}",
        "name": span.name,
        "service": str(resource.get("service.name", "")),
        "pid": os.getpid(),
        "start_ns": span.start_time or 0,
        "end_ns": span.end_time or 0,
        "status": span.status.status_code.name.lower(),
        "status_text": span.status.description,
        "attributes": dict(span.attributes or {}),
        "events": [
            {"name": each.name, "at_ns": each.timestamp, "attributes": dict(each.attributes or {})}
            for each in span.events
        ],
        "links": [f"{link.context.trace_id:032x}" for link in span.links],
    }
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + "\n"
