"""Recall: memory, and asking a language model.

- read memory, on record, and write it -> `memories`
- whether a model may be asked, and the evidence that it was -> `llm_calls`
"""
