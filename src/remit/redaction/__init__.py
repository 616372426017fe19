"""What in a text or a JSON value is a secret, and how it is taken out.

- `redact`, `redact_text`, `redact_object`, `find_secret` -> `masking`: what all other packages call
- `tokens`: secrets known by their own form
- `assignments`: by the name they stand under
- `commands`: by their place in a command, a call, or SQL
- `names`, `values`: which names and values mean a secret; where a value ends
"""
