"""Policy files for the tests of what an author may get wrong."""

from tests.support.policies import whole


def file(
    *rules: str,
    tools: str = '"deploy", "echo"',
    scopes: str = '"production", "test"',
    more: str = "",
) -> str:
    """Return a policy file of some rules, each as the text of an inline table without its name."""
    inline = ", ".join(f'{{name = "r{at}", {rule}}}' for at, rule in enumerate(rules))
    return whole(
        f'version = "1"\nbudget.ceiling = "$100"\ntools.allow = [{tools}]\n'
        f"scopes.allow = [{scopes}]\napproval.rules = [{inline}]\n{more}"
    )
