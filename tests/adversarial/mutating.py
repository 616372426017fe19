"""Changes of a directive's content: those that mean something else, and those that mean the same.

Seeded, so that every run makes the same ones. Each takes the ten fields and a source of chance, and
returns the fields that it changed.
"""

import copy
import random
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

Content = dict[str, Any]
Mutation = Callable[[Content, random.Random], Content]

CONTENT: Content = {
    "role": "operations",
    "type": "test",
    "payload": {
        "amount": 5,
        "rate": 2.5,
        "to": "paul@example.com",
        "live": False,
        "note": None,
        "steps": [{"do": "stop", "times": 1}, {"do": "start", "times": 2}],
        "café": "Zoë",
    },
    "issued_by": "agent-1",
    "objective": "Pay Paul what he is owed.",
    "scope": "test",
    "constraints": {"hosts": ["a.example.com", "b.example.com"], "max": 3},
    "success_metrics": {"paid": 1},
    "budget": "$10.00",
    "timebox": "5m",
}
"""All ten fields, so that each of them can be changed."""

CHANGED: Content = {
    "role": "finance",
    "type": "echo",
    "payload": {"amount": 500000},
    "issued_by": "agent-2",
    "objective": "Pay Peter instead.",
    "scope": "development",
    "constraints": None,
    "success_metrics": {"paid": 2},
    "budget": "$99.00",
    "timebox": "9h",
}
"""One change of each field, to what policy would allow as well."""

LOOK_ALIKES = str.maketrans("aceopxyPS", "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0420\u0405")
"""Latin letters, and the Cyrillic ones that look the same."""

INVISIBLE = ("\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad", " ", "\u00a0")
TEXTS = ("role", "issued_by", "objective", "scope", "budget", "timebox")


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value that holds no others."""
    if isinstance(value, dict):
        return [leaf for key in value for leaf in _leaves(value[key], (*path, key))]
    if isinstance(value, list):
        return [leaf for at, one in enumerate(value) for leaf in _leaves(one, (*path, at))]
    return [path]


def _at(content: Content, path: tuple[Any, ...]) -> Any:
    value: Any = content
    for step in path:
        value = value[step]
    return value


def _edited(content: Content, path: tuple[Any, ...], value: Any) -> Content:
    """Return the one field that an edit within the JSON changes."""
    copied = copy.deepcopy(content)
    _at(copied, path[:-1])[path[-1]] = value
    return {path[0]: copied[path[0]]}


def _some(content: Content, rng: random.Random, *kinds: type) -> tuple[Any, ...]:
    """Return the path of some value, of exactly one of these types, inside the payload."""
    inside = _leaves(content["payload"], ("payload",))
    return rng.choice([path for path in inside if type(_at(content, path)) in kinds])


def edit_a_value(content: Content, rng: random.Random) -> Content:
    path = _some(content, rng, int, str, bool, float, type(None))
    before = _at(content, path)
    others: list[Any] = [0, 7, 0.25, "other", True, None, [], {}]
    after = rng.choice([one for one in others if one != before or type(one) is not type(before)])
    return _edited(content, path, after)


def nudge_a_number(content: Content, rng: random.Random) -> Content:
    path = _some(content, rng, int, float)
    return _edited(content, path, _at(content, path) + rng.choice([-1, 1, 1e-9, 1000]))


def number_to_text(content: Content, rng: random.Random) -> Content:
    path = _some(content, rng, int, float)
    return _edited(content, path, str(_at(content, path)))


def truth_to_number(content: Content, rng: random.Random) -> Content:
    path = _some(content, rng, bool)
    return _edited(content, path, rng.choice([int(_at(content, path)), "false", None]))


def null_to_nothing(content: Content, rng: random.Random) -> Content:
    payload = {key: value for key, value in content["payload"].items() if value is not None}
    return {"payload": payload}


def look_alike(content: Content, rng: random.Random) -> Content:
    choices = [name for name in TEXTS if content[name].translate(LOOK_ALIKES) != content[name]]
    name = rng.choice(choices)
    return {name: content[name].translate(LOOK_ALIKES)}


def look_alike_inside(content: Content, rng: random.Random) -> Content:
    return _edited(content, ("payload", "to"), content["payload"]["to"].translate(LOOK_ALIKES))


def decompose(content: Content, rng: random.Random) -> Content:
    name = unicodedata.normalize("NFD", content["payload"]["café"])
    return _edited(content, ("payload", "café"), name)


def insert_invisible(content: Content, rng: random.Random) -> Content:
    name = rng.choice(TEXTS)
    at = rng.randint(0, len(content[name]))
    return {name: content[name][:at] + rng.choice(INVISIBLE) + content[name][at:]}


def change_case(content: Content, rng: random.Random) -> Content:
    name = rng.choice(("role", "objective", "scope", "issued_by"))
    return {name: content[name].swapcase()}


def add_a_key(content: Content, rng: random.Random) -> Content:
    name = rng.choice(("payload", "constraints", "success_metrics"))
    key = rng.choice(("force", "__proto__", "", "Amount", "amount ", "to\u200b"))
    return {name: content[name] | {key: rng.choice([True, None, 1, "x"])}}


def remove_a_key(content: Content, rng: random.Random) -> Content:
    name = rng.choice(("payload", "constraints", "success_metrics"))
    gone = rng.choice(sorted(content[name]))
    return {name: {key: value for key, value in content[name].items() if key != gone}}


def reorder_a_list(content: Content, rng: random.Random) -> Content:
    path = rng.choice([("payload", "steps"), ("constraints", "hosts")])
    return _edited(content, path, _at(content, path)[::-1])


def repeat_in_a_list(content: Content, rng: random.Random) -> Content:
    path = rng.choice([("payload", "steps"), ("constraints", "hosts")])
    return _edited(content, path, [*_at(content, path), _at(content, path)[0]])


def swap_type(content: Content, rng: random.Random) -> Content:
    return {"type": rng.choice(["echo", "noop", "validate", "Test", "test ", "nothing-like-it"])}


def respell_an_amount(content: Content, rng: random.Random) -> Content:
    return rng.choice(
        [{"budget": "$10"}, {"budget": "10.00"}, {"timebox": "300s"}, {"timebox": "PT5M"}]
    )


def drop_a_limit(content: Content, rng: random.Random) -> Content:
    return {rng.choice(("constraints", "success_metrics", "budget", "timebox")): None}


def swap_fields(content: Content, rng: random.Random) -> Content:
    first, second = rng.sample(("role", "objective", "scope", "issued_by"), 2)
    return {first: content[second], second: content[first]}


HARMFUL: tuple[Mutation, ...] = (
    edit_a_value,
    nudge_a_number,
    number_to_text,
    truth_to_number,
    null_to_nothing,
    look_alike,
    look_alike_inside,
    decompose,
    insert_invisible,
    change_case,
    add_a_key,
    remove_a_key,
    reorder_a_list,
    repeat_in_a_list,
    swap_type,
    respell_an_amount,
    drop_a_limit,
    swap_fields,
)
"""Each makes it another action."""


def reorder_keys(content: Content, rng: random.Random) -> Content:
    name = rng.choice(("payload", "constraints"))
    keys = rng.sample(sorted(content[name]), len(content[name]))
    return {name: {key: content[name][key] for key in keys}}


def respell_a_number(content: Content, rng: random.Random) -> Content:
    return _edited(content, ("payload", "amount"), float(content["payload"]["amount"]))


def write_the_same(content: Content, rng: random.Random) -> Content:
    name = rng.choice(sorted(content))
    return {name: content[name]}


HARMLESS: tuple[Mutation, ...] = (reorder_keys, respell_a_number, write_the_same)
"""Each leaves it the same action."""


def merged(content: Mapping[str, Any], changes: Mapping[str, Any]) -> Content:
    """Return the ten fields after a mutation."""
    return {**content, **changes}
