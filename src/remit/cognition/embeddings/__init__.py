"""Text into vectors, so that memory can be searched by meaning.

- `types`: what is asked, what is answered, and their bounds
- `provider`: what every provider offers, and the error that all of them raise
- `noop`: refuses; used when nothing else was chosen
- `local`: a small model that ships with Remit and needs no network
- `openai`: OpenAI's service, or one that speaks its protocol
- `openai_addresses`: where it is, its key and its model, checked
- `openai_answers`: its answers, read without trust
- `openai_failures`: its failures, in the bounded words of `types`
- `retrying`: asks another provider again when that may help
- `config`: which provider the settings choose
"""
