r"""Finds the secrets of a text by the name that they stand under, whatever their own form.

Names and values meet in many ways: `name=value`, `"name": "value"` at any depth of escapes,
`--name value`, `<name>value</name>`, a block of YAML, the short options of well-known commands.
Called by `redaction` alone. What repeats in a pattern is possessive or bounded. Pure.
"""

import re
from collections.abc import Callable, Iterator

from remit.detectors.marks import Span
from remit.detectors.names import (
    ends_there,
    hints_secret,
    is_word,
    looks_random,
    names_password,
    names_place,
    names_secret,
    stands_in,
)
from remit.detectors.values import LONG, OBJECT, Value, value_at, values

_ASSIGNED = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]++)(?P<close>\\*+[\"'`]?+\]?+)"
    r"(?P<sep>[ \t]*+(?::[ \t]*+(?i:str(?:ing)?|bytes|secretstr|text)(?:[ ]\|[ ]None)?"
    r"[ \t]*+=(?![=>])|[=-]>|%3[Dd]|:=|[?+]=|=(?![=~])|:(?!//|[:=]))[ \t]*+)"
)
_OPTION = re.compile(
    r"(?<![\w-])(?P<name>--?[A-Za-z][\w.-]++)(?:[ \t]++|\\*[\"'],[ \t]*+(?=\\*[\"']))(?=[^\s-])"
)
_PAIR = re.compile(
    r"\b(?i:name|key|variable|header)\\*[\"']?[ \t]*+[=:>][ \t]*+\\*[\"']?(?P<name>[\w.-]{2,100}+)"
    r"\\*[\"']?(?:[\s,;{]|\\[nr]|</\w{1,20}>|<){1,80}+"
    r"\\*[\"']?(?i:value)\\*[\"']?[ \t]*+[=:>][ \t]*+"
)
_ELEMENT = re.compile(
    r"<(?:\w{1,64}:)?(?P<name>[A-Za-z][\w.-]*+)(?:\s[^<>]{0,200}+)?>"
    r"(?:<!\[CDATA\[)?(?P<value>[^<>]++)(?:>\s{0,9})?</"
)
_BLOCK = re.compile(
    r"^(?P<indent>[ \t]*+)(?:-[ ]++)?[\"']?(?P<name>[\w.-]++)[\"']?:[ \t]*+[|>][-+\d]*+[ \t]*+\n",
    re.MULTILINE,
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
    ("'", rf"\b(?i:(?:with|encrypted|login){_GAP}password|identified{_GAP}by){_GAP}(?=')"),
    ("requirepass", r"(?:^|\n)[ \t]*+requirepass[ \t]++"),
    ("masterauth", r"(?:^|\n)[ \t]*+masterauth[ \t]++"),
)
"""Commands and files that have a place for a password without its name."""

_USER = re.compile(
    r"(?<![\w-])(?:-[A-Za-z]{0,8}[uU]|--(?:proxy-|http-)?user|--userpwd|--(?:basic-)?auth"
    r"|--credentials?|--login|-a)"
    r"(?:[ \t]*=[ \t]*|[ \t]*)(?=\S)"
)
_SPOKEN = re.compile(
    r"(?P<word>(?i:key|pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?))"
    r"(?i:[ ](?:is|was|to|are)(?:[ ]now)?:?)?[ ]++(?=[^\s-])"
)
_CALLED = re.compile(r"[(\[]\s?\\*[\"'](?P<name>[\w.-]++)\\*[\"'],[ \t]*+(?=[bu]?\\*[\"'])")
_ENTRY = re.compile(
    r"<\w{1,64}\s[^<>]{0,200}?(?:key|name)=[\"'](?P<name>[\w.-]++)[\"'][^<>]{0,200}+>"
    r"(?P<value>[^<>]++)</"
)

_REST = re.compile(r"(?:[ ][^\s=|;&<>\"'\\]{1,64}+){1,8}+(?=[\n\"'`]|\Z)")
_BEFORE = re.compile(r"(?:^|(?<=[^A-Za-z]))[A-Za-z]{1,20}[ ]\Z")
_CODE = re.compile(
    r"(?P<callee>[A-Za-z_][\w.]*+)(?:[(\[]|->|\?\.)"
    r"|(?:self|this|os|env|process|config|cfg|settings|args|request|req|ctx|data|params|options|opts"
    r"|secrets|vars?|local|module|props|state|conf|app|client|user|response|resp|session|db)\.[\w.]+"
)
_KNOWN = re.compile(
    r"(?i:sha|md|base|rfc|oauth|html?|https?|ipv|utf|aes|rsa|pbkdf|argon|ed|tls|ssl|ec|hs|rs|es|v)"
    r"[-_]?\d[\w-]*"
)
_COUNTED = re.compile(r"(?:arg|value|val|var|tmp|param|field|line|item|group|part|row|[a-z])\d+")
_NO_WORD = re.compile(r"[^-]*-|[A-Za-z_]\w*[=(\[:]")
_PART = re.compile(r"(?:id|src|source|name|type|env|file|from|path|target)=")
_FOLLOWS = re.compile(r"[ \t]*+(?:\\?\n|\Z|[\"'`)]|--?\w|[|&;>]|[a-z]{2,9}://)")
_WEB = re.compile(r"\bcurl\b|https?:|\bwget\b")


_SHORTEST, _SHORT, _STRIKING = 2, 4, 8
"""Characters that a value has at least: any, one that could be a word, one amid a sentence."""

_Judge = Callable[[re.Match[str], Value], bool]


def named_spans(text: str) -> Iterator[Span]:
    """Yield where in a text a secret stands under its name."""
    yield from _assigned(text)
    for needle, pattern, judge in _RULES:
        if needle in text:
            for found, value in values(pattern, text):
                if judge(found, value):
                    yield value.start, value.end
    if "</" in text:
        yield from _elements(text)
    if ":" in text and "-" in text:
        yield from _users(text)
    if "\n" in text:
        yield from _blocks(text)


def _is_left_out(told: str) -> bool:
    """Return whether a value is no value: too short, a reference, or a name for what to put in."""
    return len(told.strip()) < _SHORTEST or stands_in(told) or (told.isupper() and told.isalpha())


def _is_given(_: re.Match[str], value: Value) -> bool:
    return not _is_left_out(value.told) and not value.told.isdigit()


def _is_said(found: re.Match[str], value: Value) -> bool:
    """Return whether a sentence tells a secret: `the password is ...`, `set API_TOKEN ...`."""
    told, name = value.told, found.string[max(0, found.start() - 64) : found.end("word")]
    striking = len(told) >= _STRIKING and looks_random(told)
    striking = striking and (value.quoted or not _NO_WORD.match(told))
    return striking and names_secret(name)


def _is_paired(found: re.Match[str], value: Value) -> bool:
    return names_secret(found["name"]) and not _is_left_out(value.told)


def _is_called(found: re.Match[str], value: Value) -> bool:
    return names_secret(found["name"]) and looks_random(value.told)


def _is_option(found: re.Match[str], value: Value) -> bool:
    """Return whether what follows an option is its value, and not the next word of a sentence."""
    name, told = found["name"], value.told
    named = names_secret(name) or (hints_secret(name) and name.startswith("--"))
    if not named or _is_left_out(told) or _PART.match(told):
        return False
    if value.quoted or looks_random(told):
        return True
    if any(map(str.isdigit, told)):
        return not _KNOWN.fullmatch(told)
    follows = _FOLLOWS.match(found.string, value.end)
    return follows is not None and told.isalnum() and not is_word(told)


_RULES: tuple[tuple[str, re.Pattern[str], _Judge], ...] = (
    (" ", _SPOKEN, _is_said),
    ("-", _OPTION, _is_option),
    ("alue", _PAIR, _is_paired),
    ("VALUE", _PAIR, _is_paired),
    (",", _CALLED, _is_called),
    *((needle, re.compile(rf"{form}(?=\S)"), _is_given) for needle, form in _COMMANDS),
)


def _assigned(text: str) -> Iterator[Span]:
    at, within = 0, 0
    while found := _ASSIGNED.search(text, at):
        at = found.end()
        name = _name_of(text, found)
        named = names_secret(name) or (at < within and not names_place(name))
        if not named and not hints_secret(name):
            continue
        if named and OBJECT.match(text, at):
            within = max(within, text.find("}", at, at + LONG))
            continue
        value = value_at(text, at)
        if len(value.told) > LONG or (
            _is_told(found, name, text, value) if named else looks_random(value.told)
        ):
            at = value.end
            within_quotes = text.startswith(('"', "'"), max(0, found.start() - 1))
            variable = name.isupper() or not name.isalpha() or within_quotes
            if variable and not value.quoted and found["sep"] == "=":
                at = _end_of_variable(text, found.start(), at)
            yield value.start, at


def _name_of(text: str, found: re.Match[str]) -> str:
    """Return a name with the word before it, as in `api key: ...`."""
    name = found["name"]
    before = _BEFORE.search(text, max(0, found.start() - 21), found.start())
    return before[0] + name if before and name.isalpha() else name


def _end_of_variable(text: str, name: int, end: int) -> int:
    """Return where the value of a variable ends that is alone on its line or within quotes."""
    if name and not re.search(r"(?:^|[\n\"'])(?:export )?\Z", text[max(0, name - 8) : name]):
        return end
    rest = _REST.match(text, end)
    return rest.end() if rest else end


def _is_told(found: re.Match[str], name: str, text: str, value: Value) -> bool:
    """Return whether what a text gives under a name of a secret is one, and not prose or code."""
    told, sep = value.told, "=" if found["sep"].startswith("%") else found["sep"]
    if len(told) < _SHORTEST or stands_in(told) or (name.startswith("-") and _is_left_out(told)):
        return False
    if value.quoted or (found["close"] and told.isdigit()):
        # Not the quote that closes a text with the name in it.
        return bool(found["close"]) or sep != ":" or told[0] not in ",)]}; +"
    code = _CODE.match(told)
    if looks_random(told):
        return code is None or looks_random(code["callee"] or "")
    if code or names_secret(told) or (" " in told and text.startswith("`", value.end)):
        return False
    return _is_weak(name, sep, text, value)


def _is_weak(name: str, sep: str, text: str, value: Value) -> bool:
    """Return whether a word that could be one of a sentence or a program is a secret here."""
    told = value.told
    if sep == "=":
        called = text.startswith((")", "]"), value.end) and told.isidentifier()
        state = is_word(told) and not names_password(name)
        return len(told) >= _SHORT - 1 and not called and not state
    chosen = names_password(name) and any(map(str.isdigit, told)) and not _KNOWN.fullmatch(told)
    if "=" in sep:
        return chosen and not told.isdigit() and not _COUNTED.fullmatch(told)
    if len(told) < _SHORT:
        return False
    ending = ends_there(text, value.end)
    if chosen:
        return ending or not told.isdigit()
    return ending and told.isalnum() and _is_line(name, text, value)


def _is_line(name: str, text: str, value: Value) -> bool:
    """Return whether a line of a settings file gives a password, or a header a key."""
    begin = text.rfind("\n", max(0, value.start - 200), value.start) + 1
    before = text[begin : value.start].strip(" \t-\"'")
    joined = re.search(r"[a-z_.-][A-Z_.-]|[_.-]", name) and len(value.told) >= _STRIKING
    plain = names_password(name) or joined
    line = plain and before.startswith(name[:20])
    return bool(line or name.lower().startswith("x-")) and not is_word(value.told)


def _elements(text: str) -> Iterator[Span]:
    for pattern in (_ELEMENT, _ENTRY):
        for found in pattern.finditer(text):
            if names_secret(found["name"]) and not _is_left_out(found["value"]):
                yield found.span("value")


def _users(text: str) -> Iterator[Span]:
    """Yield the password of `-u name:password`."""
    for _, value in values(_USER, text):
        user, _, told = value.told.partition(":")
        if _is_left_out(told) or told == user or told[0] in "/~" or told.isdigit():
            continue
        near = text[max(0, value.start - 200) : value.end + 200]
        if looks_random(told) or _WEB.search(near):
            yield value.end - len(told), value.end


def _blocks(text: str) -> Iterator[Span]:
    """Yield the blocks of YAML, whose lines stand deeper than their name."""
    for found in _BLOCK.finditer(text):
        if names_secret(found["name"]):
            deeper = rf"(?:[ \t]*+(?:\n|\Z)|{found['indent']}[ \t]++\S[^\n]*+(?:\n|\Z))*+"
            block = re.compile(deeper).match(text, found.end())
            value = block[0] if block else ""
            if value.strip() and not stands_in(value):
                start = found.end() + len(value) - len(value.lstrip())
                yield start, found.end() + len(value.rstrip())
