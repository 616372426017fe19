"""Which service is asked, with which key, for which model; checked before anything is sent. Pure.

`variable` is the environment variable that holds what is checked: messages name it and never
repeat what it holds. Providers check when they are built, and raise ValueError as their own error.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

_KEY = re.compile(r"[!-~]{1,1000}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,79}")
_PLACE = re.compile(r"[A-Za-z0-9._~:/\[\]-]{1,100}")


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where a service is; `url` has no slash at the end, and `place` is that without `https://`."""

    url: str
    place: str
    is_loopback: bool


def parse_address(url: str, *, variable: str) -> ServiceAddress:
    """Return the address of a service.

    Raises:
        ValueError: it is none, or texts and key would travel in clear.
    """
    try:
        parts = urlsplit(url.strip().rstrip("/"))
        host = (parts.hostname or "").lower()
        place = f"{parts.netloc.lower()}{parts.path}"
        _ = parts.port  # read for its check
    except ValueError:
        parts, host, place = urlsplit(""), "", ""
    # An address with a name and password, a query or a fragment fits none of this.
    is_plain = not (parts.query or parts.fragment) and _PLACE.fullmatch(place)
    if parts.scheme not in ("http", "https") or not host or not is_plain:
        raise ValueError(
            f"{variable} is no address of a service: write it as https://host/path, of at most "
            "100 characters, without a password or a question mark"
        )
    is_loopback = _is_loopback(host)
    if parts.scheme == "http" and not is_loopback:
        raise ValueError(
            f"{variable} would send texts and key in clear: write https:// in front of it"
        )
    return ServiceAddress(f"{parts.scheme}://{place}", place, is_loopback)


def checked_key(
    api_key: SecretStr | None, address: ServiceAddress, *, variable: str, missing: str
) -> str:
    """Return the key to send; only a service on this machine needs none.

    `missing` is the whole message for a key that is needed and was not set.

    Raises:
        ValueError: there is none, or it is not one.
    """
    key = api_key.get_secret_value().strip() if api_key else ""
    if not key and address.is_loopback:
        return "none"  # the protocols want one
    if not key:
        raise ValueError(missing)
    if not _KEY.fullmatch(key):
        raise ValueError(
            f"{variable} cannot be a key: it holds spaces or characters other than ASCII, so copy "
            "it again"
        )
    return key


def is_model_name(text: str) -> bool:
    """Return whether a text can be what a service calls a model."""
    return _MODEL.fullmatch(text) is not None


def checked_model(model: str, *, variable: str, example: str) -> str:
    """Return the model's name as the service knows it; ValueError when it cannot be one."""
    if not is_model_name(model):
        raise ValueError(
            f"{variable} is no model's name: at most 80 letters, digits and ._:/-, such as "
            f"{example}"
        )
    return model


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
