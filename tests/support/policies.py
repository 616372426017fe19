"""Policy files of tests: what a test is not about is written out here."""

import re

_HOLDERS = {"approval": "rules", "budget": "limits"}


def whole(text: str) -> str:
    """Return the text of a policy with what every file must say, where it does not say it.

    That is `rules = []`, `limits = []`, and the end with the version once more.
    """
    for table, key in _HOLDERS.items():
        if re.search(rf"\b{key}\b|^\s*{table}\s*=", text, re.MULTILINE):
            continue
        header = re.search(rf"^\s*\[{table}\]\n?", text, re.MULTILINE)
        if header is None:
            text = f"{table}.{key} = []\n{text}"
        else:
            text = f"{text[: header.end()]}{key} = []\n{text[header.end() :]}"
    version = re.search(r"version = (\".*?\")", text)
    if "[end]" in text:
        return text
    return f"{text}\n[end]\nversion = {version[1] if version else '1'}\n"
