"""Box 4, action: runs, and the bounded modules that do the work. Nothing here reasons.

A run and its shapes -> models
Which status of a run may follow which -> lifecycle
The only writer of `execution_runs.status` -> mutator
Every other statement on runs -> repository
Ended runs, as observers are told of them -> ended_repository
What the workers announced that they can do -> catalog
What may act, and how it is found -> modules
"""
