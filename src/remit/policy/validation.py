"""What makes a policy file refused beyond the form of each value. Pure.

Only a file that is read is asked: a policy that decided once stays readable as evidence. Refused is
what would open the gate further than its author means.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

from remit.base.wording import listed, printable, quoted
from remit.confusables.text import oddities, revealed
from remit.confusables.words import look_alike

Fault = tuple[str, str]
"""What is wrong with a file: the path of a key in it, and the problem with its fix."""

END = "end"
"""The table that closes a file. It repeats the file's version, so that the head of one file and
the tail of another, which a file is while it is written over in place, do not pass for either."""

_HEADER = re.compile(r"^[ \t]*\[[ \t]*end[ \t]*\][ \t]*(#.*)?\r?$", re.MULTILINE)

_LISTS = (
    ("approval", "rules", "nobody is ever asked"),
    ("budget", "limits", "directives have no limit together"),
)
"""Lists that hold back what would pass without them, with what an empty one means."""


def left_out(text: str, document: Mapping[str, object]) -> list[Fault]:
    """Return what a file does not say that it must, in the order in which it is to be added."""
    return [*_of_lists(document), *_of_end(text, document)]


def _of_lists(document: Mapping[str, object]) -> Iterator[Fault]:
    for table, key, meaning in _LISTS:
        content = document.get(table, {})
        if not isinstance(content, dict) or key in content:
            continue
        lines = f"{key} = [] under [{table}]" if table in document else f"[{table}] and {key} = []"
        yield f"{table}.{key}", f"missing: write {lines} to say that {meaning}, or what was lost"


def _of_end(text: str, document: Mapping[str, object]) -> Iterator[Fault]:
    version = document.get("version")
    lines = f"[{END}] and version = {quoted(version) if isinstance(version, str) else '...'}"
    end = document.get(END)
    if end is None:
        yield END, f"missing: end the file with the lines {lines}, unless it was cut off"
        return
    if not isinstance(end, dict):
        yield END, f"must be a table: end the file with the lines {lines}"
        return
    for key in end:
        if key != "version":
            yield f"{END}.{printable(key, 40)}", "unknown key; known here: version"
    if "version" not in end or (isinstance(version, str) and end["version"] != version):
        problem = f"is not the version at the top: end with the lines {lines}"
        yield f"{END}.version", f"{problem}, unless the file is made of two"
    if not _is_last(text, end):
        yield END, f"must come last: end the file with the lines {lines}"


def _is_last(text: str, end: Mapping[str, object]) -> bool:
    """Return whether nothing but comments comes after the table that closes a file."""
    # TOML lets an earlier table go on later, so the order of a read document does not tell.
    headers = list(_HEADER.finditer(text))
    try:
        return bool(headers) and tomllib.loads(text[headers[-1].start() :]) == {END: end}
    except tomllib.TOMLDecodeError:
        return False


FILE_KEYS: Mapping[str, Mapping[str, str]] = {
    "budget": {"ceiling": "budget_ceiling", "limits": "budget_limits"},
    "tools": {"allow": "allowed_tools"},
    "scopes": {"allow": "allowed_scopes"},
    "grant": {"valid_for": "grant_valid_for"},
}
"""Tables of the file whose keys stand at the top of a `PolicyConfig`, with their fields."""

MOST_APPROVALS = 100
"""How many people may have to approve; more are a slip, and would be asked for in vain."""


def flattened(
    document: Mapping[str, object], approval: Iterable[str]
) -> tuple[dict[str, object], list[Fault]]:
    """Return the file's keys as fields of a `PolicyConfig`, and what is wrong with its tables."""
    top = ("version", "approval", *FILE_KEYS, END)
    homes = {key: f"approval.{key}" for key in approval}
    faults = [
        (printable(key, 40), unknown_key(key, top, homes)) for key in document if key not in top
    ]
    if "version" not in document:
        faults.append(("version", 'missing: add a line like version = "1"'))
    flat: dict[str, object] = {
        key: document[key] for key in ("version", "approval") if key in document
    }
    terms = document.get("approval", {})
    if isinstance(terms, dict):
        # What a file leaves out is asked for; what a stored policy leaves out was not known then.
        flat["approval"] = {"independent_tokens": True, **terms}
    for table, fields in FILE_KEYS.items():
        content = document.get(table, {})
        if not isinstance(content, dict):
            faults.append((table, f"must be a table: write [{table}]"))
            continue
        faults += [
            (f"{table}.{printable(key, 40)}", unknown_key(key, fields))
            for key in content
            if key not in fields
        ]
        flat |= {fields[key]: value for key, value in content.items() if key in fields}
    return flat, faults


def unknown_key(key: str, known: Iterable[str], homes: Mapping[str, str] | None = None) -> str:
    """Return what to say of a key that is not known, with the one that may be meant."""
    known = tuple(known)
    there = {**(homes or {}), **{each: each for each in known}}
    near = get_close_matches(key[:100], there, n=1, cutoff=0.75)
    meant = f"did you mean {there[near[0]]}? " if near else ""
    return f"unknown key; {meant}known here: {listed(known, 'and')}"


def contradictions(document: Mapping[str, object]) -> list[Fault]:
    """Return where a file seems to ask, or to hold back, and never would; in the file's order.

    What is not of the form that it should have is passed over: it is refused for that already.
    """
    approval = _table(document.get("approval"))
    tools, scopes = (
        _texts(_table(document.get(each)).get("allow")) for each in ("tools", "scopes")
    )
    limits = _tables(_table(document.get("budget")).get("limits"))
    roles = [(f"budget.limits[{at}].role", _text(each, "role")) for at, each in limits]
    groups = approval.get("approver_groups")
    return [
        *_of_roles([(path, role) for path, role in roles if role is not None]),
        *_of_list("tools.allow", "tool", tools, "list each tool"),
        *_of_list("scopes.allow", "scope", scopes, "list each scope"),
        *_too_many("approval", approval),
        *_of_groups(groups),
        *(
            fault
            for at, rule in _tables(approval.get("rules"))
            for fault in _of_rule(f"approval.rules[{at}]", rule, tools, scopes)
        ),
    ]


def _of_roles(roles: Sequence[tuple[str, str]]) -> Iterator[Fault]:
    """Yield what is wrong with the roles of limits: such a limit would be passed by."""
    for path, role in roles:
        yield from _star(path, role, "leave role out for all roles together")
        for note in oddities(role)[:1]:
            yield path, f"{_shown(role)} {note}: no directive that is typed would have this role"
    for (_, one), (path, other) in combinations(roles, 2):
        if one != other and look_alike(one, other):
            yield path, _confusing("role", other, one)


def _of_list(path: str, noun: str, names: Sequence[str], instead: str) -> Iterator[Fault]:
    for at, name in enumerate(names):
        yield from _star(f"{path}[{at}]", name, instead)
        twins = (other for other in names[:at] if other != name and look_alike(other, name))
        yield from ((f"{path}[{at}]", _confusing(noun, name, twin)) for twin in twins)


def _of_groups(groups: object) -> Iterator[Fault]:
    path = "approval.approver_groups"
    if groups == []:
        yield path, "is empty, which would let every voter approve: name a group, or leave it out"
    yield from _of_list(path, "group", _texts(groups), "leave approver_groups out for every voter")


def _of_rule(
    path: str, rule: Mapping[str, object], tools: Sequence[str], scopes: Sequence[str]
) -> Iterator[Fault]:
    """Yield what keeps a rule from ever asking, where the directives that it means could run."""
    for key, table, allowed in (("scope", "scopes", scopes), ("type", "tools", tools)):
        name = _text(rule, key)
        # Where nothing is allowed, nothing runs unasked.
        if name is None or not allowed or name in allowed:
            continue
        near = nearest(name, allowed)
        instead = f"write one of {listed(map(_shown, allowed))}"
        if "*" in name:
            instead = f"leave {key} out for any {key}, or {instead}"
        elif near:
            instead = f"did you mean {_shown(near)}?"
        yield (
            f"{path}.{key}",
            f"{_shown(name)} is not in {table}.allow, so this rule would never ask: {instead}",
        )
    yield from _too_many(path, rule)


def _too_many(path: str, table: Mapping[str, object]) -> Iterator[Fault]:
    needed = table.get("required_approvals")
    if isinstance(needed, int) and needed > MOST_APPROVALS:
        yield (
            f"{path}.required_approvals",
            f"must be at most {MOST_APPROVALS}: more people would be asked for in vain",
        )


def _star(path: str, name: str, instead: str) -> Iterator[Fault]:
    if "*" in name:
        yield path, f"{_shown(name)} is no pattern: names are compared exactly; {instead}"


def _confusing(noun: str, name: str, other: str) -> str:
    return (
        f"{_shown(name)} can be taken for {_shown(other)}, and what holds for one {noun} does not "
        "for the other: keep one of them"
    )


def _shown(name: str) -> str:
    return quoted(revealed(name))


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the name that was most likely meant; None when none is near."""
    for other in known:
        if look_alike(name, other):
            return other
    near = get_close_matches(name[:100], known, n=1)
    begun = [each for each in known if name and each.startswith(name)]
    return next(iter([*near, *begun]), None)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[tuple[int, Mapping[str, object]]]:
    found = enumerate(value) if isinstance(value, list) else ()
    return [(at, each) for at, each in found if isinstance(each, dict)]


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _text(table: Mapping[str, object], key: str) -> str | None:
    value = table.get(key)
    return value if isinstance(value, str) else None
