"""The store on S3: servers that fail, hang, cut and lie."""

import socket
import time
import traceback
from collections.abc import Callable
from functools import partial

import pytest

from remit.artifacts.r2 import MAX_RETRIES, R2ObjectStore
from remit.artifacts.store import (
    MAX_OBJECT_BYTES,
    ObjectStoreException,
    ObjectStoreRequest,
    object_key,
)
from tests.support.object_stores import keys, put, reason
from tests.support.s3 import HANG, SECRET, ScriptedS3, answer, options

CONTENT = b"evidence " * 10_000
KEY = object_key(CONTENT)

LISTING = (
    b'<?xml version="1.0"?><ListBucketResult><Name>evidence</Name><KeyCount>0</KeyCount>'
    b"<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code></Error>"
BAD_SIGNATURE = (
    b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>key-name</AWSAccessKeyId>"
    b"<StringToSign>quoted-canary</StringToSign></Error>"
)

OPERATIONS: list[Callable[[R2ObjectStore], object]] = [
    lambda store: put(store, CONTENT),
    lambda store: store.get(KEY),
    lambda store: store.exists(KEY),
    keys,
]
NAMES = ["put", "get", "exists", "list"]


def reached(server: ScriptedS3, timeout_seconds: float = 5.0) -> R2ObjectStore:
    return R2ObjectStore(options(server.endpoint, timeout_seconds=timeout_seconds))


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (answer(500), ("storage_error", True)),
        (answer(502), ("storage_error", True)),
        (answer(503, b"<Error><Code>SlowDown</Code></Error>"), ("storage_error", True)),
        (answer(408), ("storage_error", True)),
        (answer(429), ("storage_error", True)),
        (answer(400), ("storage_error", False)),
        (answer(418), ("storage_error", False)),
        (answer(401), ("misconfigured", False)),
        (answer(403, BAD_SIGNATURE), ("misconfigured", False)),
        (answer(404, NO_BUCKET), ("misconfigured", False)),
        (answer(301), ("misconfigured", False)),
        (answer(307), ("misconfigured", False)),
        (answer(501), ("misconfigured", False)),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", ("storage_error", True)),
        (b"\r\n", ("storage_error", True)),
    ],
    ids=lambda said: repr(said[:20]) if isinstance(said, bytes) else None,
)
def test_every_failure_has_one_of_the_six_types(
    said: bytes, expected: tuple[str, bool], operation: Callable[[R2ObjectStore], object]
) -> None:
    with ScriptedS3([said]) as server:
        assert reason(lambda: operation(reached(server))) == expected


@pytest.mark.parametrize("status", [500, 503, 429])
@pytest.mark.parametrize(
    ("operation", "last"),
    [
        (OPERATIONS[0], answer(200)),
        (OPERATIONS[1], answer(200, CONTENT)),
        (OPERATIONS[2], answer(200, announced=len(CONTENT))),
        (OPERATIONS[3], answer(200, LISTING)),
    ],
    ids=NAMES,
)
def test_what_passes_is_tried_again_a_few_times(
    status: int, operation: Callable[[R2ObjectStore], object], last: bytes
) -> None:
    with ScriptedS3([answer(status)] * MAX_RETRIES + [last]) as server:
        operation(reached(server))
        assert len(server.asked) == MAX_RETRIES + 1
    with ScriptedS3([answer(status)] * (MAX_RETRIES + 1) + [last]) as server:
        assert reason(lambda: operation(reached(server))) == ("storage_error", True)
        assert len(server.asked) == MAX_RETRIES + 1


@pytest.mark.parametrize(
    ("said", "operation"),
    [
        *((HANG, operation) for operation in OPERATIONS),
        (answer(200, CONTENT[:-1], announced=len(CONTENT)), OPERATIONS[1]),
        (answer(200, LISTING[:-9], announced=len(LISTING)), OPERATIONS[3]),
    ],
    ids=[*(f"hang-{name}" for name in NAMES), "cut-get", "cut-list"],
)
def test_a_server_that_hangs_or_cuts_is_given_up_in_bounded_time(
    said: bytes, operation: Callable[[R2ObjectStore], object]
) -> None:
    with ScriptedS3([said]) as server:
        store = reached(server, timeout_seconds=0.5)
        began = time.monotonic()
        assert reason(lambda: operation(store)) == ("storage_error", True)
        assert time.monotonic() - began < 3.0


def test_nobody_listening_is_given_up_in_bounded_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    store = R2ObjectStore(options(f"http://127.0.0.1:{port}", timeout_seconds=0.5))
    began = time.monotonic()
    for operation in OPERATIONS:
        assert reason(partial(operation, store)) == ("storage_error", True)
    assert time.monotonic() - began < 8.0


def test_a_cut_body_is_never_handed_on() -> None:
    cut = answer(200, CONTENT[:1000], announced=len(CONTENT))
    for said in ([cut], [cut, answer(200, CONTENT)], [cut, answer(500)]):
        with ScriptedS3(said) as server:
            assert reason(lambda: reached(server).get(KEY)) == ("storage_error", True)


def test_a_cut_body_is_taken_up_where_it_ended() -> None:
    rest = (f"Content-Range: bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}",)
    said = [
        answer(200, CONTENT[:1000], announced=len(CONTENT)),
        answer(206, CONTENT[1000:], *rest),
    ]
    with ScriptedS3(said) as server:
        assert reached(server).get(KEY) == CONTENT
        assert server.asked[1].headers["range"] == f"bytes=1000-{len(CONTENT) - 1}"


@pytest.mark.parametrize("said", [b"", b"x", CONTENT[:-1], CONTENT + b"x", CONTENT.upper()])
def test_wrong_bytes_are_damage(said: bytes) -> None:
    with ScriptedS3([answer(200, said)]) as server:
        assert reason(lambda: reached(server).get(KEY)) == ("storage_error", False)


def test_a_body_that_is_announced_too_large_is_not_begun() -> None:
    with ScriptedS3([answer(200, announced=10**12)]) as server:
        assert reason(lambda: reached(server).get(KEY)) == ("storage_error", False)
    with ScriptedS3([answer(200, announced=MAX_OBJECT_BYTES + 1)]) as server:
        assert reason(lambda: reached(server).get(KEY)) == ("storage_error", False)


@pytest.mark.parametrize("length", [b"", b"Content-Length: 5\r\n"])
def test_a_body_of_no_announced_end_is_read_no_further_than_the_bound(length: bytes) -> None:
    head = answer(200).replace(b"Content-Length: 0\r\n", length + b"Transfer-Encoding: chunked\r\n")
    part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with ScriptedS3([head + part * 64]) as server:
        assert reason(lambda: reached(server).get(KEY))[0] == "storage_error"


def test_a_body_that_is_longer_than_announced_is_not_read_whole() -> None:
    lengths = b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
    head = answer(200).replace(b"Content-Length: 0\r\n", lengths)
    part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with ScriptedS3([head + part * 64]) as server:
        assert MAX_OBJECT_BYTES < len(reached(server).read(KEY)) < 2 * MAX_OBJECT_BYTES


def test_a_missing_object_is_told_from_a_missing_bucket() -> None:
    with ScriptedS3([answer(404), answer(200, LISTING)]) as server:
        assert reason(lambda: reached(server).get(KEY)) == ("not_found", False)
    with ScriptedS3([answer(404), answer(200, LISTING)]) as server:
        assert not reached(server).exists(KEY)
    for said in ([answer(404), answer(404, NO_BUCKET)], [answer(404), answer(403)]):
        for operation in OPERATIONS[:3]:
            with ScriptedS3(said) as server:
                assert reason(partial(operation, reached(server))) == ("misconfigured", False)


def test_a_put_that_was_acknowledged_twice_is_one_object() -> None:
    # The first answer is lost on its way, after the server stored the object.
    said = [answer(500), answer(412), answer(200, CONTENT)]
    with ScriptedS3(said) as server:
        assert not put(reached(server), CONTENT).created
        assert [asked.line.split()[0] for asked in server.asked] == ["PUT", "PUT", "GET"]


@pytest.mark.parametrize("status", [409, 412])
def test_an_object_that_is_there_is_read_back(status: int) -> None:
    with ScriptedS3([answer(status), answer(200, CONTENT)]) as server:
        assert not put(reached(server), CONTENT).created
    with ScriptedS3([answer(status), answer(200, CONTENT[:-1] + b"x")]) as server:
        assert reason(lambda: put(reached(server), CONTENT)) == ("storage_error", False)
    with ScriptedS3([answer(status), answer(404), answer(200, LISTING)]) as server:
        assert reason(lambda: put(reached(server), CONTENT)) == ("storage_error", True)
    with ScriptedS3([answer(status)]) as server:
        assert reason(lambda: put(reached(server), CONTENT))[0] == "storage_error"


def test_a_put_is_conditional_signed_and_of_its_media_type() -> None:
    with ScriptedS3([answer(200)]) as server:
        reached(server).put(ObjectStoreRequest(KEY, CONTENT, "text/csv; charset=utf-8"))
    (asked,) = server.asked
    assert asked.line == f"PUT /evidence/{KEY} HTTP/1.1"
    assert asked.body == CONTENT
    assert asked.headers["if-none-match"] == "*"
    assert asked.headers["content-type"] == "text/csv; charset=utf-8"
    assert asked.headers["x-amz-content-sha256"] == KEY.removeprefix("sha256/")
    assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key-name/")


@pytest.mark.parametrize("said", [answer(403, BAD_SIGNATURE), answer(500, BAD_SIGNATURE), HANG])
def test_an_error_tells_neither_the_secret_nor_what_was_signed(said: bytes) -> None:
    with ScriptedS3([said]) as server:
        store = reached(server, timeout_seconds=0.5)
        assert SECRET not in repr(options(server.endpoint)) + repr(store) + repr(store._store)
        for operation in OPERATIONS:
            with pytest.raises(ObjectStoreException) as caught:
                operation(store)
            told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.error)
            assert SECRET not in told
            assert "quoted-canary" not in told


def test_an_error_names_what_the_server_called_it() -> None:
    with (
        ScriptedS3([answer(403, BAD_SIGNATURE)]) as server,
        pytest.raises(ObjectStoreException, match=r"403 SignatureDoesNotMatch.*ACCESS_KEY_ID"),
    ):
        reached(server).get(KEY)


def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    store = R2ObjectStore(options(bucket, bucket="no-such-bucket"))
    for operation in OPERATIONS:
        with pytest.raises(ObjectStoreException, match="no-such-bucket") as caught:
            operation(store)
        assert caught.value.error.error_type == "misconfigured"
