"""What a PromQL expression reads: its metrics, and the labels that it asks of them."""

import re
from dataclasses import dataclass

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(by|without|on|ignoring)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"\b([a-z_][a-z0-9_:]*)\b\s*(\{[^}]*\})?(?!\s*\()", re.IGNORECASE)
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})
_DURATION = re.compile(r"\[[^\]]*\]|\b\d+[smhd]\b")


@dataclass(frozen=True)
class Reads:
    """What an expression reads.

    Attributes:
        metrics: the metrics, as they are named in it.
        labels: the labels that it selects or groups by.
    """

    metrics: frozenset[str]
    labels: frozenset[str]


def reads(expr: str) -> Reads:
    """Return what an expression reads; functions and aggregations are no metrics."""
    text = _STRING.sub('""', expr)
    labels = {one.strip() for found in _GROUPING.finditer(text) for one in found[2].split(",")}
    text = _DURATION.sub("", _GROUPING.sub(" ", text))
    metrics = set()
    for found in _SELECTOR.finditer(text):
        name, selected = found[1], found[2] or ""
        if name in _WORDS or text[: found.start()].count("{") > text[: found.start()].count("}"):
            continue
        rest = text[found.end() :].lstrip()
        if not rest.startswith("(") and not name.isdigit():
            metrics.add(name)
            labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))
    return Reads(frozenset(metrics), frozenset(labels) - {""})
