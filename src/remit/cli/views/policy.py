"""What would happen under a policy, as a table that fits a terminal of 80 columns."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import timedelta
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

from remit.base.wording import counted, listed
from remit.cli.base.output import padded, print_out, safe, text_width
from remit.vocabulary import PolicyVerdict

if TYPE_CHECKING:
    from remit.base.json_types import JsonObject
    from remit.policy.config import ApprovalRule, PolicyConfig
    from remit.policy.limits import BudgetLimit
    from remit.policy.preview import Preview

_WIDTH = 80
_WIDEST = 18
_WIDEST_OF_FOUR = 14
"""Longer names go on in the next line; shorter ones too, where roles are told apart."""


def as_json(policy: "PolicyConfig", expected: "Sequence[Preview]") -> "list[JsonObject]":
    """Return what would happen as plain JSON, with who may approve and for how long."""
    from pydantic_core import to_jsonable_python

    approval = policy.canonical()["approval"]
    terms = ("approver_groups", "allow_self_approval", "expires_after")
    asking = {name: approval[name] for name in terms} if isinstance(approval, dict) else {}
    return [to_jsonable_python(asdict(one)) | asking for one in expected]


def write_prospects(
    policy: "PolicyConfig", expected: "Sequence[Preview]", unknown: Collection[str] = ()
) -> None:
    """Print a row for each kind of directive; nothing when the policy allows none.

    No module here has one of the `unknown` tools; whether a worker has, nobody has said.
    """
    if not expected:
        return
    roles = any(one.role for one in expected)
    rows = [
        [one.scope, one.tool, *([one.role or "any"] if roles else []), _budget(one, policy)]
        for one in expected
    ]
    header = ["SCOPE", "TOOL", *(["ROLE"] if roles else []), "BUDGET"]
    widest = _WIDEST_OF_FOUR if roles else _WIDEST
    widths = [
        min(widest, max(map(text_width, column))) for column in zip(header, *rows, strict=True)
    ]
    widths.append(_WIDTH - sum(widths) - 2 * len(widths))
    told = [
        [*row, _outcome(one, policy) + (" (no module known)" if one.tool in unknown else "")]
        for row, one in zip(rows, expected, strict=True)
    ]
    print_out("")
    for row in ([*header, "WHAT HAPPENS"], *told):
        cells = [_broken(cell, width) for cell, width in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            print_out("  ".join(map(padded, line, widths)).rstrip())
    print_out("")


def _broken(text: str, width: int) -> list[str]:
    """Return text in lines of at most so many columns; a word that fits in none is broken."""
    lines = [""]
    for word in safe(text).split(" "):
        begun = f"{lines[-1]} " if lines[-1] else ""
        if text_width(begun + word) <= width:
            lines[-1] = begun + word
        elif text_width(word) <= width:
            lines.append(word)
        else:
            lines[-1] = begun
            for character in word:
                if text_width(lines[-1] + character) > width:
                    lines.append("")
                lines[-1] += character
    return [line.rstrip() for line in lines]


def _budget(one: "Preview", policy: "PolicyConfig") -> str:
    """Return a range of budgets; what is over the ceiling is blocked, and not told of."""
    if one.over is None:
        return "any" if one.up_to == policy.budget_ceiling else f"up to ${one.up_to:,}"
    if one.up_to == policy.budget_ceiling:
        return f"over ${one.over:,}"
    return f"${one.over + Decimal('0.01'):,} to ${one.up_to:,}"


def _outcome(one: "Preview", policy: "PolicyConfig") -> str:
    if one.verdict is PolicyVerdict.ALLOW:
        return "runs, nobody is asked"
    why = ", ".join(one.rules)
    if one.verdict is PolicyVerdict.BLOCK:
        return f"blocked: {why}"
    approval = policy.approval
    who = f" of {listed(approval.approver_groups)}" if approval.approver_groups else ""
    within = length(approval.expires_after)
    return f"asks {one.required_approvals}{who} within {within}: {why}"


def length(time: timedelta) -> str:
    """Return a length of time as a policy file has it: in its largest whole unit."""
    seconds = time // timedelta(seconds=1)
    units = ((86400, "d"), (3600, "h"), (60, "m"))
    return next((f"{seconds // n}{unit}" for n, unit in units if seconds % n == 0), f"{seconds}s")


def summary(policy: "PolicyConfig") -> list[tuple[str, str]]:
    """Return what a policy allows, a line for each part; what it does not list is not allowed."""
    approval = policy.approval
    groups = ", ".join(approval.approver_groups) or "everyone who may vote"
    asks = [
        *map(_rule, approval.rules),
        *(f"limit {limit.name}" for limit in policy.budget_limits if limit.at_cap == "ask"),
    ]
    return [
        ("version", policy.version),
        ("digest", policy.digest),
        ("budget", f"at most ${policy.budget_ceiling:,} for one directive"),
        *(("limit", _limit(limit)) for limit in policy.budget_limits),
        ("tools", ", ".join(policy.allowed_tools) or "none: every directive is blocked"),
        ("scopes", ", ".join(policy.allowed_scopes) or "none: every directive is blocked"),
        ("a person", ", ".join(asks) or "is never asked"),
        ("approvals", f"{approval.required_approvals} within {length(approval.expires_after)}"),
        ("voters", groups),
        ("grant", f"good for {length(policy.grant_valid_for)}"),
    ]


def _limit(limit: "BudgetLimit") -> str:
    whose = "all roles together" if limit.role is None else f"the role {limit.role}"
    at_cap = "a person may let it pass" if limit.at_cap == "ask" else "then it blocks"
    return f"{limit.name}: ${limit.ceiling:,} {limit.each} for {whose}; {at_cap}"


def _rule(rule: "ApprovalRule") -> str:
    needed = rule.required_approvals
    return rule.name if needed is None else f"{rule.name} ({counted(needed, 'approval')})"
