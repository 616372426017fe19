"""Working memory: the state of the moment, while something is being done.

It has one home, the state of Temporal workflows, which survives every crash and can be replayed.
There is no store for it, no cache beside it, and no module that remembers between two calls: two
workers would hold two truths. `tests/architecture/test_working_memory.py` proves it.
"""

WORKING_MEMORY = "Temporal workflow state"
"""Where the state of the moment lives, and nowhere else."""
