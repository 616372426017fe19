"""The local model embeds by meaning, offline, and leaves the process as it was."""

import json
import math
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import wordllama  # type: ignore[import-untyped]

from remit.cognition.embeddings import local
from remit.cognition.embeddings.local import LocalEmbeddingProvider
from remit.cognition.embeddings.provider import EmbeddingProviderError
from remit.cognition.embeddings.types import EmbeddingRequest

PROGRAM = """
import json, logging, sys

reached = []

def refuse(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.client")):
        reached.append(event)
        raise OSError("no network here")

sys.addaudithook(refuse)
from remit.cognition.embeddings.local import LocalEmbeddingProvider
early = sorted(set(sys.modules) & {"numpy", "wordllama", "requests"})
vector = LocalEmbeddingProvider().embed_single("how many connections are allowed")
root = logging.getLogger()
print(json.dumps([reached, early, vector, root.level, len(root.handlers)]))
"""


@pytest.fixture(scope="module")
def provider() -> LocalEmbeddingProvider:
    return LocalEmbeddingProvider()


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a copy of the model's files stand for the installed package; return its folder."""
    for name in local._FILES:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes((Path(wordllama.__file__).parent / name).read_bytes())
    stand_in = ModuleType("wordllama")
    stand_in.__file__ = str(tmp_path / "__init__.py")
    stand_in.__dict__["WordLlama"] = wordllama.WordLlama
    monkeypatch.setitem(sys.modules, "wordllama", stand_in)
    return tmp_path


def similarity(provider: LocalEmbeddingProvider, one: str, other: str) -> float:
    first, second = provider.embed(EmbeddingRequest((one, other))).embeddings
    return sum(a * b for a, b in zip(first, second, strict=True))


def test_without_a_network_and_in_another_process_the_vector_is_the_same(
    provider: LocalEmbeddingProvider, tmp_path: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path / "nowhere"), "PYTHONPATH": ":".join(sys.path)},
    )
    reached, early, vector, level, handlers = json.loads(run.stdout)
    # A library of wordllama makes a socket when it is imported, to see whether there is IPv6.
    assert set(reached) <= {"socket.__new__"}, "nothing is looked up, and nobody is called"
    assert early == [], "the model is loaded at the first request, and not before"
    assert tuple(vector) == provider.embed_single("how many connections are allowed")
    assert (level, handlers) == (30, 0), "the process's logging is as it was"
    assert run.stderr == ""


def test_a_vector_has_length_one_in_256_places_and_zeros_after(
    provider: LocalEmbeddingProvider,
) -> None:
    vector = provider.embed_single("log slow queries")
    assert math.isclose(math.hypot(*vector), 1, rel_tol=1e-9)
    assert any(vector[:256])
    assert not any(vector[256:])


def test_texts_about_one_thing_are_nearer_than_texts_about_two(
    provider: LocalEmbeddingProvider,
) -> None:
    near = similarity(provider, "how many connections are allowed", "maximum number of clients")
    far = similarity(provider, "how many connections are allowed", "the cat sleeps on the sofa")
    assert near > far + 0.1


def test_it_costs_nothing_and_says_so(provider: LocalEmbeddingProvider) -> None:
    usage = provider.embed(EmbeddingRequest(("a",))).usage
    assert (usage.total_tokens, usage.estimated_cost_usd) == (None, Decimal(0))


def test_a_text_without_direction_is_refused_by_its_place() -> None:
    class Blank:
        def embed(self, texts: list[str], *, batch_size: int) -> object:
            assert batch_size == 1
            return np.array([[1.0] * 256, [0.0] * 256], dtype=np.float32)

    provider = LocalEmbeddingProvider()
    provider._loaded = Blank()
    with pytest.raises(EmbeddingProviderError) as refusal:
        provider.embed(EmbeddingRequest(("a", "b")))
    assert refusal.value.reason == "invalid_request"
    assert "text 2 holds nothing that the local model knows" in refusal.value.message


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [_flip, Path.unlink], ids=["changed", "missing"])
@pytest.mark.parametrize("name", list(local._FILES))
def test_other_weights_never_pass_under_the_same_name(
    packaged: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(packaged / name)
    with pytest.raises(EmbeddingProviderError) as refusal:
        LocalEmbeddingProvider().embed_single("a")
    assert refusal.value.reason == "misconfigured"
    assert "install Remit again" in refusal.value.message


def test_the_very_same_files_pass(packaged: Path, provider: LocalEmbeddingProvider) -> None:
    assert LocalEmbeddingProvider().embed_single("a") == provider.embed_single("a")


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(EmbeddingProviderError) as refusal:
        LocalEmbeddingProvider().embed_single("a")
    assert refusal.value.reason == "misconfigured"
