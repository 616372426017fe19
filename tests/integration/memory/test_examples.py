"""What a person finds who asks the example notes a plain question, with no key and no network.

The questions were written before any answer was looked at. Which of them the local model does not
answer within its first three is told as well: it knows words, and neither grammar nor synonyms.
"""

import json
from functools import cache

import numpy as np
import pytest

from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.types import MAX_BATCH_SIZE, EmbeddingRequest
from tests.architecture.tree import ROOT

FIRST = 3
"""Among how many answers an expected one must be."""

FOUND: list[tuple[str, set[str]]] = [
    ("how long may a statement run", {"statement_timeout"}),
    ("how many connections are allowed", {"max_connections"}),
    ("how much memory may a sort use", {"work_mem"}),
    ("give up waiting for a lock", {"lock_timeout"}),
    ("close sessions that sit idle", {"idle_session_timeout"}),
    ("which port does the server listen on", {"port"}),
    ("what time zone are times shown in", {"TimeZone"}),
    ("where are the log files written", {"log_directory", "log_filename", "log_destination"}),
    ("require encrypted connections", {"ssl"}),
    ("how are passwords encrypted", {"password_encryption"}),
    ("how often does a checkpoint happen", {"checkpoint_timeout"}),
    ("how many autovacuum workers may run at once", {"autovacuum_max_workers"}),
    ("default isolation level of transactions", {"default_transaction_isolation"}),
    ("make every transaction read only", {"default_transaction_read_only"}),
    ("detect deadlocks", {"deadlock_timeout"}),
    ("order in which schemas are searched", {"search_path"}),
    ("encoding of the client's characters", {"client_encoding"}),
    ("limit the size of temporary files", {"temp_file_limit"}),
    ("where is the server certificate", {"ssl_cert_file"}),
    ("load a library when the server starts", {"shared_preload_libraries"}),
    ("parallel workers for one query", {"max_parallel_workers_per_gather", "max_parallel_workers"}),
    ("cost of reading a page at random", {"random_page_cost"}),
    ("use huge pages of memory", {"huge_pages"}),
    ("which addresses does the server listen on", {"listen_addresses"}),
    ("log every SQL command", {"log_statement"}),
    ("format of dates", {"DateStyle"}),
    ("compress the write-ahead log", {"wal_compression"}),
    ("stop recovery at a certain moment", {"recovery_target_time"}),
    ("command that copies finished log files to an archive", {"archive_command"}),
    ("disable index scans", {"enable_indexscan"}),
    ("largest number of prepared transactions", {"max_prepared_transactions"}),
]

MISSED: list[tuple[str, set[str]]] = [
    (
        "wait for the standby before a commit returns",
        {"synchronous_commit", "synchronous_standby_names"},
    ),
    ("log slow queries", {"log_min_duration_statement", "log_min_duration_sample"}),
    ("make crash recovery safe by flushing to disk", {"fsync"}),
    ("clean up dead rows automatically", {"autovacuum"}),
    ("compile queries just in time", {"jit"}),
    ("keep old log segments for replicas", {"wal_keep_size", "max_slot_wal_keep_size"}),
    ("record who connects", {"log_connections"}),
    ("shared memory for caching data", {"shared_buffers"}),
    ("kill queries when the client is gone", {"client_connection_check_interval"}),
]
"""Questions as good as the others, whose words are not those of the notes."""


class Notes:
    """The example notes, embedded."""

    def __init__(self) -> None:
        lines = (ROOT / "examples" / "notes.jsonl").read_text(encoding="utf-8").splitlines()
        texts = [json.loads(line)["content"] for line in lines]
        self.provider = LocalEmbeddingProvider()
        self.names = [text.partition(":")[0] for text in texts]
        batches = [
            EmbeddingRequest(tuple(texts[start : start + MAX_BATCH_SIZE]))
            for start in range(0, len(texts), MAX_BATCH_SIZE)
        ]
        vectors = [one for batch in batches for one in self.provider.embed(batch).embeddings]
        self.vectors = np.array(vectors)

    def first(self, question: str) -> list[str]:
        """Return the settings that the nearest notes are about, the nearest first."""
        similarity = self.vectors @ np.array(self.provider.embed_single(question))
        return [self.names[place] for place in np.argsort(-similarity)[:FIRST]]


@cache
def notes() -> Notes:
    """Return the notes; embedding them takes a part of a second."""
    return Notes()


@pytest.mark.parametrize(("question", "expected"), FOUND, ids=[asked for asked, _ in FOUND])
def test_a_plain_question_finds_what_a_person_expects(question: str, expected: set[str]) -> None:
    assert expected & set(notes().first(question))


def test_every_expected_answer_is_there() -> None:
    expected = {name for _, names in FOUND + MISSED for name in names}
    assert expected <= set(notes().names)


def test_three_of_four_questions_are_answered() -> None:
    found = sum(bool(expected & set(notes().first(asked))) for asked, expected in FOUND + MISSED)
    assert found >= 0.75 * len(FOUND + MISSED)
