r"""Finds the secrets of a text by the name that they stand under, whatever their own form.

Names and values meet in many ways: `name=value`, `"name": "value"` at any depth of escapes,
`--name value`, `<name>value</name>`, a block of YAML, a sentence that tells it.
For `masking` alone. What repeats in a pattern is possessive or bounded. Pure.
"""

import re
from collections.abc import Iterator

from remit.redaction.names import (
    PHRASES,
    describes,
    ends_there,
    hints_secret,
    is_known,
    is_left_out,
    is_word,
    looks_chosen,
    looks_random,
    looks_secret,
    names_password,
    names_secret,
    stands_in,
)
from remit.redaction.tokens import Span
from remit.redaction.values import LONG, OBJECT, Value, value_at, values

_TYPE = (
    r"(?::[ \t]*+|(?<=[ \t]))(?:&(?:'static[ ])?)?(?:Option(?:al)?[<\[])?"
    r"(?i:str(?:ing)?|bytes|secretstr|text)[>\]?]?(?:[ ]\|[ ]None)?[ \t]*+=(?![=>])"
)
_ASSIGNED = re.compile(
    rf"(?<![\w.-])(?P<name>{PHRASES}|[\w.-]++)(?P<close>\\*+[\"'`]?+(?:\[\d{{0,4}})?+\]?+)"
    rf"(?P<sep>[ \t\xa0\u202f]*+"
    rf"(?:{_TYPE}|[=-]>|%3[Dd]|:=|[?+]=|=(?![=~])|:(?!//|[:=])|\uff1a)[ \t]*+)"
)
_OPTION = re.compile(
    r"(?<![\w-])(?P<name>--?[A-Za-z][\w.-]++)(?:[ \t]++|\\*[\"'],[ \t]*+(?=\\*[\"']))(?=[^\s-])"
)
_ELEMENT = re.compile(
    r"<(?:\w{1,64}:)?(?P<name>[A-Za-z][\w.-]*+)(?:\s[^<>]{0,200}+)?>"
    r"(?:<!\[CDATA\[)?(?P<value>[^<>]++)(?:>\s{0,9})?</"
)
_BLOCK = re.compile(
    r"^(?P<indent>[ \t]*+)(?:-[ ]++)?[\"']?(?P<name>[\w.-]++)[\"']?:[ \t]*+[|>][-+\d]*+[ \t]*+\n",
    re.MULTILINE,
)
_SPOKEN = re.compile(
    rf"(?P<word>{PHRASES}|(?i:key|pass(?:word|wd|phrase|code|wort)?|pwd|psk|pw|mdp|pin|otp|secret|token"
    r"|credentials?|kennwort|senha|clave))"
    r"(?P<between>[ ](?i:for|of|to|on|at|in|für|vom|zum|von|pour|du|de|del|da|do|para|per|di)"
    r"(?:[ ][\w.@-]{1,40}){1,4}?(?=[ ](?:is|was|lautet|ist|est|es|è|é)[ :]))?"
    r"(?P<says>(?i:[ ](?:is|was|to|are|lautet|ist|est|es|è|é)(?:[ ]now)?:?))?[ ]++(?=[^\s-])"
)
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
_COUNTED = re.compile(r"(?:arg|value|val|var|tmp|param|field|line|item|group|part|row|[a-z])\d+")
_NO_WORD = re.compile(r"[^-]*-|[A-Za-z_]\w*[=(\[:]")
_PLAIN = re.compile(
    r"(?i)(?:password|passwd|passphrase|passcode|pwd|secret|token|credential|cookie)s?"
)
_RUN = re.compile(r"(?i)test|spec|check|case|[/:\[]|\.[a-z]{1,4}\Z")
_PERSON = re.compile(
    r"(?i)(?:^|\s)(?:user(?:name)?|login|email|account)[ ]?[:=][ ]?\S+[ ,;/]*"
    r"(?:and[ ])?pass[a-z]*[ ]?:\Z"
)
_PART = re.compile(r"(?:id|src|source|name|type|env|file|from|path|target)=")
_FOLLOWS = re.compile(r"[ \t]*+(?:\\?\n|\Z|[\"'`)]|--?\w|[|&;>]|[a-z]{2,9}://)")


_SHORTEST, _SHORT, _STRIKING = 2, 4, 8
"""Characters that a value has at least: any, one that could be a word, one amid a sentence."""


def named_spans(text: str) -> Iterator[Span]:
    """Yield where in a text a secret stands under its name."""
    yield from _assigned(text)
    for pattern, judge in ((_SPOKEN, _is_said), (_OPTION, _is_option)):
        for found, value in values(pattern, text):
            if judge(found, value):
                yield value.start, value.end
    if "</" in text:
        yield from _elements(text)
    if "\n" in text:
        yield from _blocks(text)


def _is_said(found: re.Match[str], value: Value) -> bool:
    """Return whether a sentence tells a secret: `the password is ...`, `set API_TOKEN ...`."""
    told, name = value.told, found.string[max(0, found.start() - 64) : found.end("word")]
    told = told.rstrip(".,;")
    if found["between"]:
        return looks_random(told) and names_secret(name) and not is_known(told)
    if found["says"] and (names_password(name) or hints_secret(name)):
        chosen = names_password(name) and (looks_chosen(told) or looks_random(told))
        other = told.startswith("<") or is_known(told) or stands_in(told)
        return not other and (chosen or (hints_secret(name) and looks_secret(name, told)))
    striking = len(told) >= _STRIKING and looks_random(told)
    striking = striking and (value.quoted or not _NO_WORD.match(told))
    return striking and names_secret(name)


def _is_option(found: re.Match[str], value: Value) -> bool:
    """Return whether what follows an option is its value, and not the next word of a sentence."""
    name, told = found["name"], value.told
    named = names_secret(name) or (
        hints_secret(name) and name.startswith("--") and not name.endswith("tokens")
    )
    if not named or is_left_out(told) or _PART.match(told) or (told[0] == "(" and not value.quoted):
        return False
    if value.quoted or looks_random(told):
        return True
    if any(map(str.isdigit, told)):
        return not is_known(told)
    follows = _FOLLOWS.match(found.string, value.end)
    return follows is not None and told.isalnum() and not is_word(told)


def _assigned(text: str) -> Iterator[Span]:
    at, within, outer = 0, 0, ""
    while found := _ASSIGNED.search(text, at):
        at = found.end()
        name = _name_of(text, found)
        named, inside = names_secret(name) and not _is_file(text, found), at < within
        if not named and not inside and not hints_secret(name):
            continue
        if (named or hints_secret(name)) and OBJECT.match(text, at):
            if named or name.lower().endswith("tokens"):
                within, outer = max(within, text.find("}", at, at + LONG)), name
            continue
        value = value_at(text, at)
        inside = inside and not describes(outer, name, value.told)
        named = named or (inside and (names_secret(outer) or looks_random(value.told)))
        if len(value.told) > LONG or (
            _is_told(found, name, text, value) if named else _is_hinted(found, name, value)
        ):
            at = value.end
            within_quotes = text.startswith(('"', "'"), max(0, found.start() - 1))
            variable = name.isupper() or not name.isalpha() or within_quotes
            if variable and not value.quoted and found["sep"] == "=":
                at = _end_of_variable(text, found.start(), at)
            yield value.start, at


def _is_file(text: str, found: re.Match[str]) -> bool:
    """Return whether a name is that of the file whose lines a program shows: `/etc/passwd: ...`."""
    return found["name"] == "passwd" and text.startswith("/", found.start() - 1)


def _is_hinted(found: re.Match[str], name: str, value: Value) -> bool:
    """Return whether a value is a secret under a name that only hints at one.

    `PASS: TestTokenRefresh (0.03s)` is the line of a test that passed.
    """
    told = value.told
    if not hints_secret(name) or _is_remark(found, name, value):
        return False
    if name != "PASS" or "=" in found["sep"] or found["close"]:
        listed = re.split(r"[\\\"',\s]++", told) if found.string[value.start - 1] == "[" else [told]
        return any(looks_secret(name, each) for each in listed)
    run = _RUN.search(told) or not ends_there(found.string, value.end)
    return not run and looks_random(told)


def _is_remark(found: re.Match[str], name: str, value: Value) -> bool:
    """Return whether quotes hold what is said of a thing: `On the token: "one ride, ..."`."""
    if (
        not value.quoted
        or found["close"]
        or ":" not in found["sep"]
        or (names_password(name) and names_secret(name) and not name.endswith("pass"))
    ):
        return False
    before = found.string[max(0, found.start() - 8) : found.start()]
    after = found.string[value.end + 1 : value.end + 3]
    spoken = re.search(r"(?i)\b(?:the|an?|each|every|this|that|one)[ ]\Z", before)
    return " " in value.told and bool(spoken or re.match(r"[ ][a-z]", after))


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
    if _is_remark(found, name, value):
        return False
    told, sep = value.told, "=" if found["sep"].startswith("%") else found["sep"]
    if len(told) < _SHORTEST or stands_in(told) or (name.startswith("-") and is_left_out(told)):
        return False
    if value.quoted or (found["close"] and told.isdigit()):
        # Not the quote that closes a text with the name in it.
        return bool(found["close"]) or sep != ":" or told[0] not in ",)]}; +"
    code = _CODE.match(told)
    if looks_random(told):
        return code is None or looks_random(code["callee"] or "")
    if (
        code
        or _repeats(told, sep, text, value)
        or (" " in told and text.startswith("`", value.end))
    ):
        return False
    return _is_weak(name, sep, text, value)


def _repeats(told: str, sep: str, text: str, value: Value) -> bool:
    """Return whether a value is the name of a secret itself, as in `password: newPassword`."""
    if not names_secret(told) or ("-" in told and told[-1].isdigit()):
        return False
    if _PLAIN.fullmatch(told):
        line = (
            sep == "="
            and told == "secret"
            and re.match(r"[ \t]*(?:\n|\Z)", text[value.end : value.end + 9])
        )
        return not line
    return bool(re.search(r"[^a-z\d]", told)) or bool(
        re.match(r"(?:new|old|user|db|the)(?!.*my)", told)
    )


def _is_weak(name: str, sep: str, text: str, value: Value) -> bool:
    """Return whether a word that could be one of a sentence or a program is a secret here."""
    told = value.told
    if sep == "=":
        called = text.startswith((")", "]"), value.end) and told.isidentifier()
        state = is_word(told) and not names_password(name)
        return len(told) >= _SHORT - 1 and not called and not state
    chosen = names_password(name) and any(map(str.isdigit, told)) and not is_known(told)
    if "=" in sep:
        return chosen and not told.isdigit() and not _COUNTED.fullmatch(told)
    if len(told) < _SHORT:
        return False
    ending = ends_there(text, value.end)
    if chosen:
        return ending or not told.isdigit()
    if "-" in name and any(map(str.isdigit, told)) and not is_known(told):
        return ending
    return ending and told.isalnum() and _is_line(name, text, value)


def _is_line(name: str, text: str, value: Value) -> bool:
    """Return whether a line of a settings file gives a password, or a header a key."""
    begin = text.rfind("\n", max(0, value.start - 200), value.start) + 1
    before = text[begin : value.start].strip(" \t-\"'")
    joined = re.search(r"[a-z_.-][A-Z_.-]|[_.-]", name) and len(value.told) >= _STRIKING
    plain = names_password(name) or joined
    line = plain and (before.startswith(name[:20]) or _PERSON.search(before))
    return bool(line or name.lower().startswith("x-")) and not (
        is_word(value.told) or is_known(value.told)
    )


def _elements(text: str) -> Iterator[Span]:
    for pattern in (_ELEMENT, _ENTRY):
        for found in pattern.finditer(text):
            if names_secret(found["name"]) and not is_left_out(found["value"]):
                yield found.span("value")


def _blocks(text: str) -> Iterator[Span]:
    for found in _BLOCK.finditer(text):
        if names_secret(found["name"]):
            deeper = rf"(?:[ \t]*+(?:\n|\Z)|{found['indent']}[ \t]++\S[^\n]*+(?:\n|\Z))*+"
            block = re.compile(deeper).match(text, found.end())
            value = block[0] if block else ""
            if value.strip() and not stands_in(value):
                start = found.end() + len(value) - len(value.lstrip())
                yield start, found.end() + len(value.rstrip())
