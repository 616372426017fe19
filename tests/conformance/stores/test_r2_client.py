"""How the store on S3 reaches its server: addresses, and an environment that interferes."""

import traceback

import pytest

from remit.artifacts.r2 import R2ObjectStore
from remit.artifacts.store import ObjectStoreException
from tests.support.object_stores import put
from tests.support.s3 import ScriptedS3, answer, options
from tests.support.sdk_variables import PROXIES

CONTENT = b"evidence"

INTERFERING = {
    "AWS_ACCESS_KEY_ID": "other-key",
    "AWS_SECRET_ACCESS_KEY": "other-secret",
    "AWS_SESSION_TOKEN": "other-token",
    "AWS_TOKEN": "other-token",
    "AWS_REGION": "other-region",
    "AWS_DEFAULT_REGION": "other-region",
    "AWS_BUCKET": "other-bucket",
    "AWS_BUCKET_NAME": "other-bucket",
    "AWS_ENDPOINT": "http://127.0.0.1:9/other",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9/other",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9/other",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_S3_EXPRESS": "true",
    "AWS_REQUEST_PAYER": "true",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_UNSIGNED_PAYLOAD": "true",
    "AWS_ROLE_ARN": "arn:aws:iam::1:role/other",
    "AWS_ROLE_SESSION_NAME": "other",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/other",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/other",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
    "AWS_METADATA_ENDPOINT": "http://127.0.0.1:9",
    "AWS_SSE_KMS_KEY_ID": "other",
    "AWS_SSE_BUCKET_KEY_ENABLED": "true",
    "AWS_SSE_CUSTOMER_KEY_BASE64": "b3RoZXI=",
    "AWS_CONDITIONAL_PUT": "disabled",
    "AWS_COPY_IF_NOT_EXISTS": "multipart",
    "AWS_DISABLE_TAGGING": "true",
    "AWS_ALLOW_HTTP": "false",
    "AWS_ALLOW_INVALID_CERTIFICATES": "true",
    "AWS_PROXY_URL": "http://127.0.0.1:9",
    "AWS_TIMEOUT": "1ns",
    "AWS_CONNECT_TIMEOUT": "1ns",
    "AWS_USER_AGENT": "other",
    "AWS_DEFAULT_CONTENT_TYPE": "other/type",
    **PROXIES,
}


def headers_of_a_put() -> tuple[str, dict[str, str]]:
    """Return the first line and the headers that arrive, without what each moment changes."""
    with ScriptedS3([answer(200)]) as server:
        put(R2ObjectStore(options(server.endpoint)), CONTENT)
    (asked,) = server.asked
    changing = {"host", "x-amz-date"}
    told = {name: value for name, value in asked.headers.items() if name not in changing}
    told["authorization"] = told["authorization"].partition(", Signature=")[0]
    return asked.line, told


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = headers_of_a_put()
    for name, value in INTERFERING.items():
        monkeypatch.setenv(name, value)
    assert headers_of_a_put() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_SERVER_SIDE_ENCRYPTION", "AES256"),
        ("AWS_SERVER_SIDE_ENCRYPTION", "aws:kms"),
        ("AWS_SERVER_SIDE_ENCRYPTION", "sse-c"),
        ("AWS_CHECKSUM_ALGORITHM", "sha256"),
    ],
)
def test_two_variables_add_a_header_and_hand_over_no_key(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    line, expected = headers_of_a_put()
    for other, interfering in INTERFERING.items():
        monkeypatch.setenv(other, interfering)
    monkeypatch.setenv(name, value)
    same, told = headers_of_a_put()
    assert same == line
    added = {header: told[header] for header in told if header not in expected}
    assert added
    assert all(header.startswith(("x-amz-server-side", "x-amz-checksum")) for header in added)
    assert not {"other", "b3RoZXI=", "true"} & set(added.values())


def test_a_variable_that_obstore_cannot_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SERVER_SIDE_ENCRYPTION", "nonsense")
    with pytest.raises(ObjectStoreException, match="AWS_SERVER_SIDE_ENCRYPTION") as caught:
        R2ObjectStore(options("https://s3.example"))
    assert caught.value.error.error_type == "misconfigured"


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "s3.example",
        "ftp://s3.example",
        "file:///etc",
        "http://s3.example",
        "http://127.0.0.1.s3.example",
        "http://localhost.s3.example",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://[::2]",
        "http://2130706433.example",
        "https://",
        "https://user:hidden@s3.example",
        "http://127.0.0.1@s3.example",
        "https://s3.example?x=hidden",
        "https://s3.example#hidden",
        "https://s3.example:hidden",
        "https://[hidden",
    ],
)
def test_an_endpoint_is_https_or_on_this_machine(endpoint: str) -> None:
    with pytest.raises(ObjectStoreException, match="OBJECT_STORE_ENDPOINT") as caught:
        R2ObjectStore(options(endpoint))
    assert caught.value.error.error_type == "misconfigured"
    assert "https://" in caught.value.message
    assert "hidden" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://account.r2.cloudflarestorage.com",
        "https://s3.example:9000/",
        "http://127.0.0.1:9000",
        "http://localhost:9000",
        "http://[::1]:9000",
    ],
)
def test_a_usable_endpoint_is_taken(endpoint: str) -> None:
    assert R2ObjectStore(options(endpoint)).name == "r2"


@pytest.mark.parametrize("bucket", ["", "a", "a/b", "../other", "a b", "bucket?x", "-ab", "b" * 64])
def test_a_bucket_has_a_name_that_cannot_lead_elsewhere(bucket: str) -> None:
    with pytest.raises(ObjectStoreException, match="OBJECT_STORE_BUCKET") as caught:
        R2ObjectStore(options("https://s3.example", bucket=bucket))
    assert caught.value.error.error_type == "misconfigured"
