"""Box 1, intent: what is asked for, frozen, named by a digest, moved through a lifecycle.

Intent, its shapes and its limits -> models
What JSON a directive may hold -> plain_json
Canonical JSON and the action digest -> digest
Which status may follow which -> lifecycle
How long a directive may take -> timebox
JSON Schema of a new directive -> schema
The only writer of `directives.status` -> mutator
Every other statement on directives -> repository
"""
