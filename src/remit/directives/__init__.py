"""Box 1, intent: what is asked for, frozen, named by a digest, moved through a lifecycle.

Intent, its shapes, limits and JSON Schema -> models
What JSON a directive may hold -> plain_json
Canonical JSON and the action digest -> digest
Which status may follow which -> lifecycle
The only writer of `directives.status` -> mutator
Every other statement on directives -> repository
"""
