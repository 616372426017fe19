"""The page about artifacts, made from their schemas and from what a real run left.

`scripts.generate_docs` writes it; `scripts.record_artifacts` records the examples.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from remit.artifacts.schemas import ARTIFACT_SCHEMAS, KEPT, ArtifactSchema, artifact_json_schema
from remit.artifacts.store import CONTENT_THRESHOLD_BYTES
from remit.artifacts.types import CONTENT_REF, MAX_ARTIFACT_BYTES
from remit.artifacts.values import FORMS
from remit.base.json_types import MAX_NUMBER
from remit.vocabulary import ArtifactType

EXAMPLES = Path(__file__).with_name("artifact_examples.json")

Schema = Mapping[str, Any]
"""A part of a JSON Schema."""

_HEAD = f"""\
<!-- Written by `make docs` from the schemas in remit.artifacts.schemas. -->

# Artifacts

An artifact is a piece of evidence that is never changed: what was decided, what was done, what was
produced. There are {{count}} types and no others; the database refuses any other, and this page has
the schema of each. Every artifact is kept {KEPT}.

| Type | What it is evidence of | Who makes it |
|---|---|---|
{{types}}

`remit schema --artifact TYPE` prints the JSON Schema (2020-12) of a type's metadata, which says a
little less than Remit checks: it cannot compare two fields with one another.

## The row

| Column | Meaning |
|---|---|
| `id` | The artifact, a UUID. |
| `type` | One of the types above. |
| `uri` | Its address, `artifact://local/<id>`. |
| `directive_id`, `run_id` | What it is about; null for nothing. |
| `metadata` | The evidence itself, a JSON object of the form that its type has. |
| `digest` | SHA-256 over the canonical JSON (RFC 8785) of the metadata. |
| `size_bytes` | Length of that JSON in bytes, at most {MAX_ARTIFACT_BYTES:,}. |
| `content` | Bytes that it has besides, when Postgres keeps them; else null. |
| `created_at` | When it was stored, by the database's clock. |

Secrets are masked in what modules emit and in what is said of a file, before anything is stored.
The bytes of a file are kept as they are.

## Content, and where it lies

An artifact may have *content*: bytes, at most {MAX_ARTIFACT_BYTES:,} (10 MiB). Its metadata then
has a field `{CONTENT_REF}`, which Remit alone writes:

{{content}}

- Up to {CONTENT_THRESHOLD_BYTES:,} bytes (64 KiB) the content lies in the artifact's own row, and
  its address is the artifact's: `artifact://local/<id>`.
- What is larger lies in the object store, under its own digest:
  `artifact://<store>/sha256/<hex>`. The store is `filesystem` or `r2` (any S3); `noop` keeps
  nothing past its process, so content that large is refused there.
- What a module emits becomes content too, once its canonical JSON is larger than that.

The object is written first and the row after it, together with the event that tells of it. What
was acknowledged is therefore never lost; a crash in between leaves at most an object that nothing
refers to, and `remit artifacts gc --dry-run` lists those. Stores remove nothing.

## How digests chain

1. `{CONTENT_REF}.digest` is the SHA-256 of the content's bytes.
2. `digest` is the SHA-256 of the metadata, and so of `{CONTENT_REF}` with it.
3. The event that tells of the artifact holds `digest`, and each event's hash covers the one before.
4. A signed checkpoint (`remit audit checkpoint`) covers the last hash of every chain.

Whoever changes a byte anywhere is found on the next read: `remit artifacts get` checks the first
two, `remit artifacts check` does so for every artifact, and `remit audit verify` checks the rest.
"""


def artifact_page() -> str:
    """Return the page."""
    types = "\n".join(
        f"| [`{name}`](#{name}) | {each.says} | {each.maker} |"
        for name, each in ARTIFACT_SCHEMAS.items()
    )
    described = artifact_json_schema("attachment")
    content = _table(_fields(described["$defs"]["ContentReference"], described))  # type: ignore[index, call-overload, arg-type]
    head = _HEAD.format(count=len(ARTIFACT_SCHEMAS), types=types, content=content)
    examples = {each["type"]: each for each in json.loads(EXAMPLES.read_text(encoding="utf-8"))}
    sections = [_section(name, each, examples.get(name)) for name, each in ARTIFACT_SCHEMAS.items()]
    return "\n".join([head, *sections])


def _section(name: ArtifactType, described: ArtifactSchema, example: Schema | None) -> str:
    schema = artifact_json_schema(name)
    more = "" if schema["additionalProperties"] is False else " Every other field is the module's."
    shown = "This version leaves none, so there is none to show."
    if example is not None:
        sizes = f"`{example['digest']}`, {example['size_bytes']} bytes"
        written = json.dumps(example["metadata"], indent=2, ensure_ascii=False)
        shown = f"From a real run ({sizes} as canonical JSON):\n\n```json\n{written}\n```"
    return "\n".join(
        [
            f"## {name}\n",
            f"{described.description}{more}\n",
            f"{_table(_fields(schema, schema))}\n",
            f"{shown}\n",
        ]
    )


def _table(rows: Iterator[tuple[str, str, str]]) -> str:
    lines = ["| Field | Form | Meaning |", "|---|---|---|"]
    for path, form, meaning in rows:
        cells = [cell.replace("|", "\\|") for cell in (form, meaning)]
        lines.append(f"| `{path}` | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _fields(schema: Schema, root: Schema, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield each field of an object with those inside it: path, form and meaning."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        inner, nullable = _resolved(field, root)
        item, _ = _resolved(inner.get("items", {}), root)
        needed = "" if name in schema.get("required", ()) else "; may be left out"
        form = f"{_form(inner, item)}{' or null' if nullable else ''}{needed}"
        meaning = str(field.get("description", inner.get("description", "")))
        # The policy's descriptions speak of Python; the page speaks of JSON.
        yield here, form, meaning.replace("None:", "null:")
        yield from _fields(inner, root, f"{here}.")
        yield from _fields(item, root, f"{here}[].")


def _resolved(field: Schema, root: Schema) -> tuple[Schema, bool]:
    """Return what a field holds when it is not null, and whether it may be null."""
    forms = field.get("anyOf", [field])
    held = next(each for each in forms if each.get("type") != "null")
    if "$ref" in held:
        held = root["$defs"][held["$ref"].rpartition("/")[2]]
    return held, len(forms) > 1


def _form(field: Schema, item: Schema) -> str:
    """Return what may stand in a field, in words."""
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "anything")
    if kind == "array":
        return f"list of {_PLURALS.get(item.get('type', ''), 'values')}{_bounds(field, 'Items')}"
    if kind == "object":
        return f"object{_bounds(field, 'Properties')}"
    if field.get("pattern") in _SHOWN:
        return _SHOWN[field["pattern"]]
    if kind == "string":
        return f"text{_bounds(field, 'Length')}"
    return f"{_NAMES.get(kind, kind)}{_bounds(field, 'imum')}"


def _bounds(field: Schema, of: str) -> str:
    low, high = field.get(f"min{of}"), field.get(f"max{of}")
    if high is None or high == MAX_NUMBER:
        return "" if low is None else f", at least {low}"
    unit = _UNITS[of]
    if low is None:
        return f", at most {high:,}{unit}"
    return f", {low:,} to {high:,}{unit}"


# A name's length says more than its pattern.
_SHOWN: Mapping[str, str] = {
    pattern: form for pattern, form in FORMS.items() if "invisible" not in form
}
_NAMES: Mapping[str, str] = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
}
_PLURALS: Mapping[str, str] = {"string": "texts", "object": "objects", "integer": "whole numbers"}
_UNITS: Mapping[str, str] = {
    "Length": " characters",
    "Items": " items",
    "Properties": " fields",
    "imum": "",
}
