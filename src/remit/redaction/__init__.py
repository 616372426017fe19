"""What in a text or a name is a secret, for `redaction` alone.

- `names_secret`, `looks_random`, `stands_in` -> `names`
- `marked_spans` -> `marks`
- `placed_spans` -> `places`
- `named_spans` -> `texts`
- `Value`, `value_at`, `values` -> `values`
"""
