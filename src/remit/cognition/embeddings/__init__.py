"""Text into vectors, so that memory can be searched by meaning.

- `types`: what is asked, what is answered, and their bounds
- `provider`: what every provider offers, the error that all of them raise, and the one that refuses
- `local`: a small model that ships with Remit and needs no network
- `openai`: OpenAI's service, or one that speaks its protocol
- `retrying`: asks another provider again when that may help
- `config`: which provider the settings choose
"""
