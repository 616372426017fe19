"""Box 4, action: runs, and the bounded modules that do the work. Nothing here reasons.

A run and its shapes -> models
Which status of a run may follow which -> lifecycle
Whether a grant covers a run -> grants
What is signed of how attempts and runs end -> statements
The only writer of `execution_runs.status` -> mutator
Every other statement on runs -> repository
Ended runs, as observers are told of them -> ended_repository
What workers announced that they can execute -> module_repository
Who a worker is, and which live -> workers, worker_repository
What may act, and how it is found -> modules
"""
