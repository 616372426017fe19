"""A pooler that stands before Postgres, and passes on of a start-up packet what it likes.

It listens on 127.0.0.1, knows no TLS, and reads nothing after the first packet.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKS_FOR_ENCRYPTION = frozenset({80877103, 80877104})  # SSLRequest, GSSENCRequest


@contextmanager
def pooling(server: str, drops: frozenset[str] = frozenset()) -> Iterator[int]:
    """Pass connections on to a server's socket file; yield the port.

    Args:
        server: path of the socket file.
        drops: parameters of the start-up packet that are not passed on.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, server, drops), daemon=True).start()
        yield listener.getsockname()[1]
        # Closing alone does not wake a thread that waits in accept().
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: str, drops: frozenset[str]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, server, drops), daemon=True).start()


def _serve(client: socket.socket, server: str, drops: frozenset[str]) -> None:
    with client, socket.socket(socket.AF_UNIX) as upstream, contextlib.suppress(OSError):
        upstream.connect(server)
        upstream.sendall(_first_packet(client, drops))
        back = threading.Thread(target=_pump, args=(upstream, client))
        back.start()
        _pump(client, upstream)
        back.join()


def _first_packet(client: socket.socket, drops: frozenset[str]) -> bytes:
    while True:
        (size,) = struct.unpack("!I", client.recv(4, socket.MSG_WAITALL))
        body = client.recv(size - 4, socket.MSG_WAITALL)
        (code,) = struct.unpack("!I", body[:4])
        if code not in _ASKS_FOR_ENCRYPTION:
            break
        client.sendall(b"N")
    names_and_values = body[4:].rstrip(b"\0").split(b"\0")
    pairs = zip(names_and_values[::2], names_and_values[1::2], strict=False)
    kept = b"".join(
        name + b"\0" + value + b"\0" for name, value in pairs if name.decode() not in drops
    )
    packet = body[:4] + kept + b"\0"
    return struct.pack("!I", len(packet) + 4) + packet


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
