r"""Finds the secrets of a text by the place that they stand in: in a command, in SQL, in code.

For `masking` alone. What repeats in a pattern is possessive or bounded. Pure.
"""

import re
from collections.abc import Callable, Iterator

from remit.redaction.names import (
    hints_secret,
    is_left_out,
    looks_chosen,
    looks_random,
    looks_secret,
    names_password,
    names_secret,
)
from remit.redaction.tokens import Span
from remit.redaction.values import Value, values

_PAIR = re.compile(
    r"\b(?i:name|key|variable|header)\\*[\"']?[ \t]*+[=:>][ \t]*+\\*[\"']?(?P<name>[\w.-]{2,100}+)"
    r"\\*[\"']?(?:[\s,;{]|\\[nr]|</\w{1,20}>|<){1,80}+"
    r"\\*[\"']?(?i:value)\\*[\"']?[ \t]*+[=:>][ \t]*+"
)
_ON = r"[ \t][^\n|;]{0,200}?(?<=[ \t])"
_GAP = r"\s{1,9}"
_MACHINE = rf"\b(?:machine{_GAP}\S{{1,253}}|default)"
_ACCOUNT = rf"(?:account{_GAP}\S{{1,99}}{_GAP})?"
_COMMANDS = (
    ("-p", rf"\b(?:mysql\w*|mariadb[\w-]*|mycli|7za?){_ON}-p(?=[^\s-])"),
    ("sshpass", r"\bsshpass[ \t]++-p[ \t]*+"),
    ("login", rf"\b(?:docker|podman|helm|nerdctl|oras|az|oc|registry)[ \t]++login{_ON}-p[ \t]++"),
    ("-p", rf"\b(?:mongo\w*|cqlsh|twine|ipmitool|snowsql){_ON}-p[ \t]++"),
    ("redis-cli", rf"\bredis-cli{_ON}(?:-a|auth|AUTH)[ \t]++"),
    ("ldap", rf"\bldap\w+{_ON}-w[ \t]*+"),
    ("-P", rf"\b(?:sqlcmd|bcp|zip|unzip|ipmitool|mosquitto_\w+){_ON}-P[ \t]*+"),
    ("curl", rf"\bcurl{_ON}-b[ \t]*+(?=[\"']?[^\s=\"']{{1,99}}=)"),
    ("smbclient", rf"\bsmbclient{_ON}-U[ \t]*+[^\s%]{{1,99}}%"),
    ("pass:", r"[ \t]-?-?pass(?:in|out)?[ \t]++pass:"),
    ("echo", r"\becho[ \t]++(?:-n[ \t]++)?(?=[^\n|]{1,200}+\|[^\n|]{0,200}?(?:sudo -S|-stdin))"),
    ("login", rf"{_MACHINE}{_GAP}login{_GAP}\S{{1,253}}{_GAP}{_ACCOUNT}password{_GAP}"),
    ("machine", rf"\bmachine{_GAP}\S{{1,253}}{_GAP}password{_GAP}(?=\S{{1,253}}{_GAP}login)"),
    (
        "dentified DENTIFIED assword ASSWORD",
        (
            rf"\b(?:IDENTIFIED{_GAP}(?:WITH{_GAP}\S{{1,99}}{_GAP})?BY{_GAP}(?=\")"
            rf"|(?i:(?:with|encrypted|login|role{_GAP}\S{{1,99}}){_GAP}password"
            rf"|identified{_GAP}(?:with{_GAP}\S{{1,99}}{_GAP})?by){_GAP}N?(?='))"
        ),
    ),
    (
        "SecureString",
        (
            r"\bConvertTo-SecureString[ \t]++(?:-[AF]\w*[ \t]++){0,3}+(?:-S\w*+[ \t]++)?"
            r"(?:\$?\((?=[\"']))?"
            r"(?![$(-]|\"\$|\|)"
        ),
    ),
    ("net", rf"\bnet1?(?:\.exe)?{_GAP}user{_GAP}\S{{1,99}}{_GAP}(?=[^/\s]\S{{1,127}}\s{{1,9}}/)"),
    (
        "openssl",
        rf"\bopenssl[ \t]++(?:enc|aes\S*|des\S*){_ON}-k[ \t]++(?!pass\b|password\b|secret\b|key\b)",
    ),
    ("PASSWORD", r"=[ ]?PASSWORD\((?=')"),
    (
        "dentified DENTIFIED",
        rf"\b(?i:user{_GAP}\S{{1,99}}{_GAP}identified{_GAP}by{_GAP}(?!values|password))",
    ),
    ("requirepass", r"(?:^|\n)[ \t]*+requirepass[ \t]++"),
    ("masterauth", r"(?:^|\n)[ \t]*+masterauth[ \t]++"),
)
"""Commands and files that have a place for a password without its name.

Each begins with what stands in every text with one, in any of the ways it is written.
"""

_USER = re.compile(
    r"(?<![\w-])(?:-[A-Za-z]{0,8}[uU]|--(?:proxy-|http-)?user|--userpwd|--(?:basic-)?auth"
    r"|--credentials?|--login|-a)"
    r"(?:[ \t]*=[ \t]*|[ \t]*)(?=\S)"
)
_WEB = re.compile(r"\bcurl\b|https?:|\bwget\b")
_CALLED = re.compile(r"[(\[]\s?\\*[\"'](?P<name>[\w.-]++)\\*[\"'],[ \t]*+(?=[bu]?\\*[\"'])")
_LOGIN = re.compile(
    r"(?i:\b(?:basic_?)?auth[ ]?=[ ]?\(|(?:(?:Basic|Digest)Auth\w{0,9}"
    r"|(?:Network|PS)Credential(?:\]::new)?|(?:with|set)_?(?:basic_?)?(?:credentials|auth)"
    r"|PasswordCredentials|PasswordAuthentication|\.login)\()"
    r"\s?[\"'][^\"'\n]{1,99}[\"'],[ \t]*+(?=[\"'])"
)
_CREDENTIALS = re.compile(
    r"(?i:\b(?:cred(?:ential)?s?|zugangsdaten|identifiants|credenciales|credenziali)[ ]?[:=][ ]?"
    r"[\w.@-]{1,64}+[ ]?/[ ]?|\blog-?in[ ]?:[ ]?[\w.@-]{1,64}+[ ]/[ ])(?=\S)"
)
_ACCOUNTS = re.compile(
    rf"\b(?:net1?(?:\.exe)?{_GAP}user(?:{_GAP}/\w{{1,9}})?{_GAP}\S{{1,99}}"
    rf"|net1?(?:\.exe)?{_GAP}use(?:{_GAP}[A-Za-z*]:?)?{_GAP}\\\\\S{{1,253}}"
    rf"(?:{_GAP}/user:\S{{1,99}})?"
    r"|wpa_passphrase[ \t]++\S{1,64}"
    rf"|htpasswd{_GAP}-(?=\w{{0,9}}b)(?:\w{{0,9}}n\w{{0,9}}|\w{{1,9}}{_GAP}\S{{1,253}})"
    rf"{_GAP}\S{{1,99}}"
    rf"){_GAP}(?=[^/\s])"
)
_SETTER = re.compile(
    r"(?<![\w.-])(?:[\w.]{0,99}\.|)(?:set_?|with_?|use_?|add_?|)(?P<name>(?i:[a-z_]{0,24}"
    r"(?:password|passphrase|secret|token|key)))\([ ]?(?=[\"'])"
)
_WRAPPED = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)[\"']?\]?[ \t]*+(?::[ \t]?[\w.&]{1,30})?[ \t]*+:?[=:][ \t]*+(?:"
    r"(?:new[ ])?(?:String(?:::(?:from|new))?|Secret\w{0,9}|SecureString|Some|str|bytes"
    r"|Optional\.of)\("
    r"|[\w.]{0,60}(?i:env|config|get|setting|param|secret|fetch)\w{0,20}!?"
    r"\([ ]?[\"'][\w.-]{1,99}[\"'],[ ]?(?:default[ ]?=[ ]?)?"
    r"|[\w.]{1,60}\([ ]?[\w.]{1,60}\([^()\n]{0,60}\),[ ]?"
    r"|[A-Za-z$@][^\n;=|?]{0,99}?(?:\|\||\?\?|\?:|[ ]or)[ \t]*+)(?=[\"'`])"
)
_VARIABLE = re.compile(
    r"\bvariable[ \t]++\"(?P<name>[\w.-]{1,99})\"[ \t]*+\{[^{}]{0,500}?"
    r"\bdefault[ \t]*+=[ \t]*+(?=\")"
)
_LINE = re.compile(
    r"(?m:^)[ \t]*+(?:ENV|ARG|setenv|set[ ]-\w{1,3})[ \t]++(?P<name>[\w.-]{1,99})[ \t]++(?=[^\s=])"
)
_INSERT = re.compile(
    r"(?i:\b(?:insert|replace)\s{1,9}into)\s{1,9}\S{1,99}?\s{0,9}\((?P<columns>[^()]{1,999})\)"
    r"\s{0,9}(?i:values)\s{0,9}(?=\()"
)
_ROW = re.compile(r"[\s,]{0,9}\((?:'(?:[^'\\\n]|''|\\.)*+'|[^'()])*+\)")
_ITEM = re.compile(r"(?:'(?P<told>(?:[^'\\\n]|''|\\.)*+)'|[^',()])++")
_NAMED = re.compile(
    r"(?i)(?:basic|bearer|digest|user(?:name)?|pass(?:word|wd)?|pwd|pw|secret|token|[a-z_]*password)"
)

_LEAST = 6
"""Characters that a fallback with a digit has at least."""

_Judge = Callable[[re.Match[str], Value], bool]


def placed_spans(text: str) -> Iterator[Span]:
    """Yield where in a text something stands that is a secret by its place."""
    for needles, pattern, judge in _RULES:
        if any(needle in text for needle in needles.split()):
            for found, value in values(pattern, text):
                if judge(found, value):
                    yield value.start, value.end
    if ":" in text and "-" in text:
        yield from _users(text)
    if "(" in text:
        for found in _INSERT.finditer(text):
            yield from _inserted(text, found)


def _is_given(_: re.Match[str], value: Value) -> bool:
    return not is_left_out(value.told) and not value.told.isdigit()


def _is_paired(found: re.Match[str], value: Value) -> bool:
    return names_secret(found["name"]) and not is_left_out(value.told)


def _is_called(found: re.Match[str], value: Value) -> bool:
    return names_secret(found["name"]) and looks_random(value.told)


def _is_login(_: re.Match[str], value: Value) -> bool:
    return not is_left_out(value.told) and not _NAMED.fullmatch(value.told)


def _is_credential(found: re.Match[str], value: Value) -> bool:
    told = value.told.strip(",;")
    chosen = not found[0].lower().startswith("log") and looks_chosen(told)
    return not is_left_out(told) and (looks_random(told) or chosen)


def _is_set(found: re.Match[str], value: Value) -> bool:
    name, told = found["name"], value.told
    chosen = looks_random(told) or (names_password(name) and looks_chosen(told))
    return names_secret(name) and not is_left_out(told) and " " not in told and chosen


def _is_fallback(found: re.Match[str], value: Value) -> bool:
    name, told = found["name"], value.told
    if is_left_out(told) or not names_secret(name):
        return hints_secret(name) and looks_secret(name, told)
    digit = len(told) >= _LEAST and any(map(str.isdigit, told))
    return names_password(name) or digit or looks_random(told)


_RULES: tuple[tuple[str, re.Pattern[str], _Judge], ...] = (
    ("alue VALUE", _PAIR, _is_paired),
    (",", _CALLED, _is_called),
    (",", _LOGIN, _is_login),
    ("/", _CREDENTIALS, _is_credential),
    ("net wpa_ htpasswd", _ACCOUNTS, _is_credential),
    ("(", _SETTER, _is_set),
    ("= :", _WRAPPED, _is_fallback),
    ("default", _VARIABLE, _is_paired),
    ("ENV ARG setenv set", _LINE, _is_paired),
    *((needle, re.compile(rf"{form}(?=\S)"), _is_given) for needle, form in _COMMANDS),
)


def _users(text: str) -> Iterator[Span]:
    """Yield the password of `-u name:password`."""
    for _, value in values(_USER, text):
        user, _, told = value.told.partition(":")
        if is_left_out(told) or told == user or told[0] in "/~" or told.isdigit():
            continue
        near = text[max(0, value.start - 200) : value.end + 200]
        if looks_random(told) or _WEB.search(near):
            yield value.end - len(told), value.end


def _inserted(text: str, found: re.Match[str]) -> Iterator[Span]:
    """Yield what a statement inserts into a column that has the name of a secret."""
    secret = [names_secret(each.strip(' \n\t`"[]')) for each in found["columns"].split(",")]
    at = found.end()
    while any(secret) and (row := _ROW.match(text, at)):
        items = _ITEM.finditer(text, text.index("(", at) + 1, row.end() - 1)
        for item, masked in zip(items, secret, strict=False):
            if masked and item["told"] and not is_left_out(item["told"]):
                yield item.span("told")
        at = row.end()
