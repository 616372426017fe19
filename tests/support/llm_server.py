"""A service that speaks both vendors' protocols for language models on 127.0.0.1.

Over a real socket, so that the SDKs, their HTTP client and the providers are all under test. Left
alone, it answers well: the answer turns the last message around.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.support.embedding_server import Asked, EmbeddingServer, Reply

INPUT_TOKENS = 11
"""How many tokens the server counts in every request."""

OUTPUT_TOKENS = 5
"""How many it counts in every answer."""

ANTHROPIC_PATH = "/v1/messages"
OPENAI_PATH = "/v1/chat/completions"


def reversed_text(body: Mapping[str, Any]) -> str:
    """Return the text that the server answers a request with."""
    last: str = body["messages"][-1]["content"]
    return last[::-1]


def openai_answer(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a chat completion, with fields of its choice and of itself changed.

    Args:
        body: the request.
        changes: `finish_reason` and `message` change the choice, anything else the whole.
    """
    choice = {
        "index": 0,
        "message": changes.pop(
            "message", {"role": "assistant", "content": reversed_text(body), "refusal": None}
        ),
        "finish_reason": changes.pop("finish_reason", "stop"),
    }
    usage = {
        "prompt_tokens": INPUT_TOKENS,
        "completion_tokens": OUTPUT_TOKENS,
        "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
    }
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [choice],
        "usage": usage,
        **changes,
    }


def anthropic_answer(body: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a message of the model, with fields of it changed."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [
            {"type": "thinking", "thinking": "backwards, then", "signature": "x"},
            {"type": "text", "text": reversed_text(body), "citations": None},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
        **changes,
    }


def answer_to(asked: Asked, **changes: Any) -> bytes:
    """Return the answer to a request, in the protocol of its path."""
    make = {OPENAI_PATH: openai_answer, ANTHROPIC_PATH: anthropic_answer}[asked.path]
    return json.dumps(make(asked.body, **changes)).encode()


class LLMServer(EmbeddingServer):
    """The service; `replies` are sent first, one to a request, and then `usual` for good."""

    @property
    def root(self) -> str:
        """The address to configure for Anthropic's SDK, which adds the version itself."""
        return self.url.removesuffix("/v1")

    def reply_to(self, asked: Asked) -> Reply:
        """Note a request and return what to send."""
        reply = super().reply_to(asked)
        if reply.body is None and not reply.waits:
            return replace(reply, body=answer_to(asked))
        return reply


@contextmanager
def serving() -> Iterator[LLMServer]:
    """Yield a running service, and end it."""
    server = LLMServer()
    try:
        yield server
    finally:
        server.close()
