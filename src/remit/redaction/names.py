"""Which names stand for a secret, and which values under such a name are none.

A reference (`${DB_PASSWORD}`, `vault://db/main`, a path), a placeholder (`<token>`, `***`) and what
is no value at all (`null`) tell nobody a secret. Called for texts and for JSON, so that both are
judged alike. Pure.
"""

import re

PHRASES = (
    r"(?i:mots?[ ]de[ ]passe|parola[ ]d['\u2019]ordine|palavra[- ]passe|password[ ]di[ ]accesso"
    r"|contrase(?:ñ|n\u0303)a"
    r"|has[lł]o|heslo|lösenord|пароль|密码|密碼|パスワード)"
)
"""Names of a password in other languages that no pattern of words finds."""

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_PHRASES = re.compile(PHRASES)

_PASSWORD = re.compile(
    r"[a-z]*(?:password|passwd|passphrase|passcode|pwd|psw|psk|(?:pass|kenn)wort)s?"
    r"|(?:key|store)pass|mdp|contrasena|senha|wachtwoord"
)
_SECRET = re.compile(
    r"[a-z]*(?:secret|credential|apikey)s?|(?:set)?cookie|authorization|mnemonic"
    r"|[a-z]*(?<!next)(?<!page)(?<!sub)(?<!cancellation)token"
    r"|(?:access|account|auth|encryption|master|private|secret|signing)key"
    r"|requirepass|masterauth|sharedaccesssignature"
)
"""The last word of a name of a secret; `total_tokens` has another."""

_KEYS = frozenset(
    {
        *("access", "account", "admin", "aes", "api", "app", "application", "auth", "client"),
        *("decryption", "encryption", "hmac", "jwt", "master", "private", "root", "secret"),
        *("shared", "signing", "ssh", "subscription", "symmetric"),
    }
)
"""`private_key` names a secret, `idempotency_key` does not."""

_PLACES = frozenset(
    {
        *("begin", "bos", "cancel", "cancellation", "checkpoint", "cls", "completion", "consume"),
        *("continuation", "current", "cursor", "delta", "each", "end", "eos", "first"),
        *("idempotency", "input", "last", "mask", "next", "output", "pad", "page", "pagination"),
        *("per", "prev", "previous", "prompt", "render", "request", "resume", "second", "sep"),
        *("single", "special", "start", "stop", "sync", "test", "tests", "unk", "watch"),
    }
)
"""`page_token` names a place in a list, and `pad_token` a piece of a text."""

_PASSES = frozenset(
    {
        *("account", "admin", "api", "app", "auth", "basic", "db", "email", "ftp", "http", "imap"),
        *("keystore", "ldap", "login", "mail", "mongo", "my", "mysql", "pg", "postgres", "proxy"),
        *("redis", "root", "smtp", "ssh", "sudo", "user", "vpn"),
    }
)
"""`DB_PASS` names a secret, `first_pass` does not."""

_CODES = frozenset({"otp", "pin", "tan"})
_CHOSEN = frozenset({"clave", "cred", "creds", "pass", "pw", "userpass"})
_WEAK = _CODES | _CHOSEN | {"auth", "jwt", "tokens"}
"""Names of a secret only if the value looks like one: four digits, or a word with a digit."""

_TAILS = frozenset(
    {
        *("base", "confirm", "confirmation", "data", "dev", "live", "plain", "plaintext"),
        *("primary", "prod", "production", "raw", "secondary", "staging", "value"),
    }
)
"""Words after which a name means what it means without them: `DB_PASSWORD_PROD`."""

_STAND_IN = re.compile(
    r"""
    |\[[A-Za-z][\w -]*\]|<[^<>]*>|\*+|[xX]{3,}|[•.…?_-]+          # taken out, or to be filled in
    |(?:[:@/.-]?(?:\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_][A-Z0-9_]*|\$\d|\$env:\w+))+  # of a shell
    |(?:\$?\{\{[^{}]*\}\})+|(?:\{[\w.!:]*\})+|\#\{[^}]*\}|<%.*%>|<\?.*\?>  # fields of a template
    |%\(\w+\)s|%[sdr]|%[A-Z_]\w*%|:[a-z]\w*|@[A-Z_]{3,}              # parameters of a statement
    |(?i:(?:cookie[-_]?)?(?:consent|lang(?:uage)?|locale|theme|currency|region|country|tz|timezone
       |dark[-_]?mode|font[-_]?size|layout)=(?:[a-z]{0,12}(?:[-_/][a-z]{1,12})?|\d{1,4})(?:;\s*|$)
       |(?:(?:path|domain|expires|max-age|samesite|priority)=[^;]*|httponly|secure|partitioned)(?:;\s*|$))+
    |(?i:(?:ctrl|control|alt|shift|cmd|meta|option|win|super)[+-])+(?:\w|[fF]\d\d?|[A-Z][a-z]{2,5})
    |[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b                                # the name of a variable
    |(?i:none|null|nil|undefined|true|false|yes|no|n/a|tbd|todo|empty|unset|missing|optional
       |required|redacted|masked|hidden|removed|string|str|bytes|boolean|integer|any|object
       |secretstr|default|placeholder|stdin|prompt|unknown|invalid|expired|value|name|text|include
       |omit|same-origin
       |your(?:[-_ ][a-z]+)+|your(?:own|new|api|access|auth|client|db|secret|strong|super|[-_ ]
       |password|passwd|pass|pwd|token|key|name|here|value|host|domain|user|id)+
       |my[-_](?:api[-_]?)?(?:password|token|key)
       |erforderlich|falsch|ungültig|abgelaufen|vergessen|obligatoire|requise?|invalide|expiré|oublié
       |requerid[oa]|obbligatori[oa]|obligatori[oa]|obrigatóri[oa]|olvidad[oa]|valor)[;,.!?|]*
    |(?:(?:vault|op|env|file|secret|ssm|arn|kms|keyring|keychain|sops|doppler|ref|gcpsm|awssm)
       |[a-z]*secrets?-?manager|azurekeyvault):[\w./:@\#+-]+
    |@Microsoft\.KeyVault\(.*\)|projects/[\w./-]+|secret/[\w./-]+
    |(?:~|\.{1,2})?/[a-z._][\w.@-]{0,31}(?:/[\w.@-]{0,40})*/?|[A-Z]:\\[\w .\\-]+  # a path
    |[a-z][a-z0-9+.-]*://[^\s/@]*(?:/[^\s@]*)?                      # an address without a password
    |[\w.-]{1,32}:[x*!]{1,2}:\d*:\d*:\S*                               # a line of /etc/passwd
    |(?i:sha(?:1|256|384|512)|md5|blake2b)[:=-][0-9A-Za-z+/=]+
    |(?i:this\ field|must|should|cannot|may\ not|please|at\ least|invalid|missing|required
       |(?:is|was|has|are|too|not)\ (?:required|not|too|invalid|missing|blank|empty|weak|short|long
       |common|wrong|incorrect|expired|been|set|found|given|allowed))\b.*   # said about a value
    """,
    re.VERBOSE | re.DOTALL,
)

_ORDINARY = re.compile(
    r"""
    (?:[A-Z]{0,4}[a-z]{0,12}|[A-Z]{1,10})[-_]?\d{1,4}|v?\d+(?:\.\d+)+\S*|(?:\d+(?:\.\d+)?(?:[numkKMGT]?s|min|[hdwyxkKMGTB]|[kKMGT]i?[Bb]|[kMG]?Hz|px|r?em)){1,4}|\d{4}-\d\d-\d\d\S*
    |[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[A-Za-z]+\d*(?:[-_/.][A-Za-z]*\d*)+|[\w-]+(?:\.[A-Za-z][\w-]*)+:\d+
    |\d+(?:[-/:]\d+)*\w?
    """,
    re.VERBOSE,
)
"""Names with a number, versions, spans of time, dates, addresses of mail, words with hyphens."""

_MIXED = re.compile(r"(?=.*[A-Za-z]).*\d|.*\w[!@#$%^&*+=~]+\w", re.DOTALL)
_RUNS = re.compile(r"[A-Z]+|[a-z]+")


_REFERRING = re.compile(
    r"(?i)(?:secret_?)?(?:name|names|key|ref|reference|path|file|mount|vault|version|namespace|env|arn"
    r"|from|value_?from|provider|store|engine|field|id|url|optional|kind|type|region|project|backend"
    r"|source|(?:secret|config_?map|field)_?key_?ref|expires_?\w*|rotat\w*"
    r"|description|title|format|pattern|(?:min|max)_?\w+|required|nullable|label|(?:read|write)_?only"
    r"|deprecated|length|autocomplete|policy|scopes?|expiry|ttl|count|total|index|role|stat(?:e|us)"
    r"|enabled|active|valid|created\w*|updated\w*|size|\w+_(?:by|at|on|count))"
)
"""Names of what says where a secret is found: `{"secret": {"name": "db", "key": "password"}}`."""

_ENDING = re.compile(r"\\*[\"'`]|[)}\],.;!?\\ \t]{0,8}+(?:[#\n\"'`]|\\[nr]|//|\Z)")
_SPOKEN = re.compile(r"[A-Za-z][a-z]+(?:ed|ing|en|ly)[.,;!]*")
_TALK = frozenset(
    {
        *("and", "argument", "auth", "authentication", "authorization", "credentials", "flag"),
        *("header", "instead", "option", "or", "parameter", "policy", "scheme", "switch", "token"),
        *("tokens", "value"),
    }
)


_GIVING = re.compile(
    r"(?i)(?:value|data|raw|plain\w*|current|new|old|access|refresh|bearer|session|sid)"
)
"""Names of what is the secret itself, within an object of its name."""
_HOLDING = re.compile(r"(?i).*(?:tokens?|cookies?|authorization)")
"""Names of a secret under which an object often describes one, with words of its own."""

_KNOWN = re.compile(
    r"(?i:sha|md|base|rfc|oauth|html?|https?|ipv|utf|aes|rsa|pbkdf|argon|ed|tls|ssl|wpa|ec|hs|rs|es|v"
    r"|stage|phase|step|token|item|user|group|node|host|file|level|round|run|pass|part|test|page|line|version|chapter|section|table)"
    r"[-_]?\d[\w-]*|x509\w*|bcrypt\d*|oauth2\w*|k8s"
)
"""Words with a number that everybody knows."""

_LEAST, _SHORT, _LONG = 2, 6, 512
"""Fewer characters look like nothing; no reference has more."""


def words_of(name: str) -> list[str]:
    """Return the words of a name, in small letters, without those at its end that add nothing."""
    words = [word.lower() for word in _WORDS.findall(_PHRASES.sub("password", name[-100:]))]
    while len(words) > 1 and words[-1] in _TAILS:
        words.pop()
    return words


def _last_word(name: str) -> str:
    return (words_of(name) or [""])[-1]


def names_secret(name: str) -> bool:
    """Return whether a value of this name is a secret, whatever its form."""
    words = words_of(name)
    last, before = words[-1] if words else "", words[-2] if len(words) > 1 else ""
    if last in {"key", "keys"}:
        return before in _KEYS
    if last in {"pass", "pw"}:
        return before in _PASSES or (name.isupper() and before not in _PLACES | {""})
    if last == "token" and before in _PLACES:
        return False
    return bool(_PASSWORD.fullmatch(last) or _SECRET.fullmatch(last))


def names_password(name: str) -> bool:
    """Return whether people choose a value of this name, so that it may be an ordinary word."""
    last = _last_word(name)
    return last in {"pass", "pw"} or bool(_PASSWORD.fullmatch(last))


def hints_secret(name: str) -> bool:
    """Return whether a value of this name is a secret if it looks like one."""
    return _last_word(name) in _WEAK


def looks_chosen(value: str) -> bool:
    """Return whether a value is as people choose a password: a word with a digit or a sign."""
    chosen = re.match(r"[A-Za-z].*[A-Za-z]", value) and re.search(r"\d|[!#$%^&*]\Z", value)
    return len(value) >= _SHORT - 1 and bool(chosen) and not _KNOWN.fullmatch(value)


def looks_secret(name: str, value: str) -> bool:
    """Return whether a value looks like a secret under a name that hints at one."""
    last = _last_word(name)
    if last in _CODES and re.fullmatch(r"\d{4,8}", value):
        return True
    if looks_random(value):
        return True
    return last in _CHOSEN and not stands_in(value) and looks_chosen(value)


def describes(outer: str, name: str, value: str) -> bool:
    """Return whether a member of an object under a secret's name only says something about it."""
    if looks_random(value) or names_secret(name):
        return False
    counted = value.isdigit() and len(value) < _SHORT - 2
    other = (counted or _HOLDING.fullmatch(outer)) and not _GIVING.fullmatch(name)
    return bool(_REFERRING.fullmatch(name) or other)


def looks_random(value: str) -> bool:
    """Return whether nobody would write a value as a word of a sentence."""
    value = value[:256]
    if len(value) < _SHORT or _ORDINARY.fullmatch(value) or _STAND_IN.fullmatch(value):
        return False
    if _MIXED.match(value):
        return True
    return len(value) >= 2 * _SHORT and len(_RUNS.findall(value)) * 3 > len(value)


def stands_in(value: str) -> bool:
    """Return whether a value only says where a secret is, or that there is none."""
    return len(value) <= _LONG and bool(_STAND_IN.fullmatch(value.strip()))


def is_known(value: str) -> bool:
    """Return whether a value is a word with a number that everybody knows: `sha256`, `step2`."""
    return bool(_KNOWN.fullmatch(value))


def is_left_out(told: str) -> bool:
    """Return whether a value is no value: too short, a reference, or a name for what to put in."""
    return len(told.strip()) < _LEAST or stands_in(told) or (told.isupper() and told.isalpha())


def ends_there(text: str, at: int) -> bool:
    """Return whether a line, or what is quoted, ends at a place of a text."""
    return bool(_ENDING.match(text, at))


def is_word(value: str) -> bool:
    """Return whether a value is a word of which people write instead of a secret."""
    return value.lower().rstrip(".,;!") in _TALK or bool(_SPOKEN.fullmatch(value))
