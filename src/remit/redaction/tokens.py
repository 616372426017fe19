r"""Finds the secrets of a text that show by their own form, or by the words around them.

For `masking` alone. Every pattern takes time in proportion to the text: what repeats is
possessive or bounded, or begins only where no other repetition of its own could have begun. Pure.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping

from remit.redaction.names import ends_there, is_word, looks_random, stands_in

Span = tuple[int, int]

_VENDORS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
    remit_[\w-]{24,}|(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b|gh[opsur]_[0-9A-Za-z]{30,}
    |github_pat_\w{22,}|do[opr]_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}
    |pscale_(?:tkn|pw|oauth)_[\w.-]{20,}|dckr_[po]at_[\w-]{20,}|lsv2_[a-z]{2}_[\w-]{20,}
    |(?:hf|r8|gsk|npm|sbp|nfp|glc|glsa|figd|lin_api|ntn|cio|sntry[su]|rubygems|fo1|ops|whsec|secret
       |sb_secret|sq0[a-z]{3})[_-](?=[a-z]*[0-9A-Z])[0-9A-Za-z][0-9A-Za-z+/=-]{19,}[\w.+/=-]*
    |(?<![\w-])(?:sk|xai|pplx|tvly|pul|nvapi|csk|tskey|NRAK|PMAK|pypi|sntry|gl[a-z]{2,8}|sk-ant|ATCTT3)-
       (?=[a-z_-]{0,40}[0-9A-Z]|[a-z]{16})[\w-]{20,}(?:\.[\w.-]+)?|[rs]k_(?:live|test)_(?=[a-z]*[0-9A-Z])[0-9A-Za-z]{16,}
    |(?<![\w-])xox[a-z]-(?=[a-z_-]*\d)[\w-]{10,}|xapp-\d[\w-]{10,}|(?<=hooks\.slack\.com/services/)[\w/-]{20,}
    |(?<=discord\.com/api/webhooks/)\d+/[\w-]{20,}|ATATT3[\w=-]{30,}|ATBB[0-9A-Za-z]{24,}
    |AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}|1//0[\w-]{30,}|EAA[0-9A-Za-z]{40,}
    |SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-z]{32}\b|SK[0-9a-f]{32}\b|dapi[0-9a-f]{32}\b
    |hv[sbr]\.(?=[a-z_-]*[0-9A-Z])[\w-]{20,}|[0-9A-Za-z]{14}\.atlasv1\.[\w-]{40,}|\d{8,10}:AA[\w-]{32,}|bot\d{8,10}:[\w-]{35}
    |[MNO][\w-]{23,25}\.[\w-]{6}\.[\w-]{27,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){0,3}
    |[\w~.-]{3}[78]Q~[\w~.-]{31,34}|AGE-SECRET-KEY-1[0-9A-Z]{20,}|A3-[0-9A-Z]{6}-[0-9A-Z-]{20,}
    |SWMTKN-1-[\w-]{30,}|v[1-4]\.local\.[\w-]{20,}|dp\.(?:pt|st|ct|sa)\.[\w.-]{20,}
    |\$(?:2[abxy]?|apr1|[156y]|argon2(?:id?|d)|scrypt|pbkdf2[\w-]*)\$[\w./$,=+-]{20,}
    )""",
    re.VERBOSE,
)
"""Tokens that their makers marked, to be looked for in long words only."""

_LONG = re.compile(r"(?<![\w.:/~+=$,-])[\w.:/~+=$,-]{16,}+")

_URL = re.compile(r"://(?P<user>[^\s/:@\"'<>`\[]{0,256}+)(?P<rest>(?:(?!://)[^\s\"'<>`])*+)")
_TOKEN = 16
"""Characters that a user has at least who is a token."""

_ANYBODY = frozenset({"user", "USER", "username", "login", "name", "me", "u"})
_ANYTHING = frozenset(
    {"password", "PASSWORD", "pass", "PASS", "passwd", "pwd", "pw", "secret", "p"}
)
"""How addresses are written about: `https://user:password@host`."""

_PORT = re.compile(r":\d{1,5}(?=[/?#,\\)\]}]|$)")

_SCHEMES = frozenset(
    {
        *("apikey", "aws4-hmac-sha256", "basic", "bearer", "digest", "dpop", "hawk", "hmac", "jwt"),
        *("key", "negotiate", "ntlm", "oauth", "sharedaccesssignature", "sharedkey", "token"),
        *("api-key", "googlelogin", "private-token", "sso-key", "secret"),
    }
)
_AUTHORIZATION = re.compile(
    r"(?i:authorization)\\*[\"']?[ \t]*+[:=,][ \t]*+\\*[\"']?"
    r"(?P<scheme>[A-Za-z][\w-]{2,30}+)(?:[ \t]++|:)"
    r"(?P<value>(?:[\w-]++=(?:\\*\"[^\"\\\n]*+(?:\\*\")?|[^\s,\"'\\=]++)[,; \t]*+)++"
    r"|[^\s\"'\\,;<>]++)"
)
_BEARER = re.compile(r"(?i:\bbearer)(?:[:=][ \t]*+|[ \t]++)(?P<value>[\w.~+/=-]{8,}+)")
_BASIC = re.compile(r"(?i:\bbasic)[ \t]++(?P<value>[A-Za-z0-9+/_-]{6,}+={0,2})")

_PRIVATE = r"(?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?[ ]?-{4,5}"
_NEWLINE = r"(?:\s|\\+[nr])"
_OTHERS: Mapping[str, str] = {
    rf"(?P<value>-{{4,5}}[ ]?BEGIN {_PRIVATE}"
    rf"(?=[ \t]*(?:[\r\n]|\\+[nr])|[ \t]*[A-Za-z0-9+/=]{{16}})"
    rf".*?(?:-{{4,5}}[ ]?END {_PRIVATE}|\Z))": "PRIVATE KEY",
    # One whose beginning was cut off.
    rf"(?<![A-Za-z0-9+/=])(?P<value>(?:[A-Za-z0-9+/]{{40,80}}+{_NEWLINE}{{1,4}}+){{1,100}}+"
    rf"(?:[A-Za-z0-9+/]{{1,80}}+={{0,2}}{_NEWLINE}{{1,4}}+)?)-{{4,5}}[ ]?END {_PRIVATE}": "-END ",
    r"Private-Lines: ?\d+\s+(?P<value>.*?)(?=Private-MAC|\Z)": "Private-Lines",
    r"\"(?:d|k)\\*\"\s*:\s*\\*\"(?P<value>[\w-]{20,}+)": "kty",
    r"(?i:\b(?:set-)?cookie2?)\\*[\"']?[ \t]*+:[ \t]*+\\*[\"']?"
    r"(?P<value>[^\s=;,\"'\\]{1,128}+=(?:[^\n\"'\\]++|(?<==)\"[^\"\n]*+\"?)++)": "ookie",
    r"(?:\bjdbc:oracle:\w{2,5}:|\bsqlplus[ \t]++(?:-\w++[ \t]++){0,3})[\w.$-]{1,64}/"
    r"(?P<value>[^\s/@\"']{1,128}+)(?=[@\s\"']|\Z)": "/",
    r"[\"'](?P<value>[^\"'\n]{1,256}+)[\"'][ \t]*+\|[ \t]*+ConvertTo-SecureString": "SecureString",
    r"SharedAccessSignature=(?P<value>[^\s;\"']++)": "Signature=",
    r"(?<![\w.:/@-])(?!(?:mailto|sip|to|cc|bcc|from):)[A-Za-z_][\w.-]{0,31}+:"
    r"(?P<random>[^\s\"'@:/]{6,64}+)@(?!sha)[\w-]{1,63}+[.:][\w-]": "@",
    r"(?<![\w.:-])[\w.-]{1,64}+:(?P<value>[^\s\"'@]{1,256}+)@(?:tcp|unix)?\(": "@",
    # A line of .pgpass.
    r"(?:^|(?<=[\n\"']))[\w.*-]{1,253}+:(?:\d{2,5}|\*):[\w*-]{1,64}+:[\w.*@-]{1,64}+:"
    r"(?P<value>[^\s\"':]+)": ":",
    r"[?&](?i:sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token))="
    r"(?P<value>[^\s&\"'<>]++)": "=",
    r"[?&](?i:key|code|auth|ticket|sid|session|hmac)=(?P<random>[^\s&\"'<>#]{8,}+)": "=",
}
"""Patterns, each with what stands in every text that it finds something in."""

_SEARCHED = tuple((needle, re.compile(form, re.DOTALL)) for form, needle in _OTHERS.items())


def marked_spans(text: str) -> Iterator[Span]:
    """Yield where in a text something stands that has the form of a secret."""
    for word in _LONG.finditer(text):
        for found in _VENDORS.finditer(text, word.start(), word.end()):
            yield found.span()
    if "://" in text:
        yield from _urls(text)
    yield from _authorizations(text)
    for needle, pattern in _SEARCHED:
        if needle in text:
            for found in pattern.finditer(text):
                name = str(found.lastgroup)
                told = found[name]
                if not stands_in(told) and (name == "value" or looks_random(told)):
                    yield found.span(name)


def _urls(text: str) -> Iterator[Span]:
    """Yield passwords and tokens of addresses, up to the last `@`: a password may hold one."""
    for found in _URL.finditer(text):
        user, rest, start = found["user"], found["rest"], found.start("rest")
        if rest.startswith("@") and len(user) >= _TOKEN and looks_random(user):
            yield found.span("user")
        end = rest.rfind("@")
        open_ = not rest.startswith(":") or _PORT.match(rest) or rest.startswith("sha256:", end + 1)
        example = user in _ANYBODY and rest[1:end] in _ANYTHING
        if end > 1 and not open_ and not example and not stands_in(rest[1:end]):
            yield start + 1, start + end


def _authorizations(text: str) -> Iterator[Span]:
    rules: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], bool]], ...] = (
        (_AUTHORIZATION, _is_authorization),
        (_BEARER, lambda _, found: looks_random(found["value"])),
        (_BASIC, lambda _, found: _is_pair(found["value"])),
    )
    for pattern, judge in rules:
        for found in pattern.finditer(text):
            if not stands_in(found["value"]) and judge(text, found):
                yield found.span("value")


def _is_authorization(text: str, found: re.Match[str]) -> bool:
    value = found["value"]
    if looks_random(value):
        return True
    if found["scheme"].lower() not in _SCHEMES:
        return False
    return not value.isalpha() or (ends_there(text, found.end()) and not is_word(value))


def _is_pair(value: str) -> bool:
    """Return whether a word is the base64 of a name and a password."""
    try:
        pair = base64.b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4))
        return ":" in pair.decode() and pair.decode().isprintable()
    except (binascii.Error, UnicodeDecodeError):
        return False
