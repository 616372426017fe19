"""What thinks, and may not act: models that turn text into something else.

- `embeddings`: text into vectors, for search by meaning
- `llm`: messages into an answer
- `pricing`: what a model's tokens cost, from `prices.toml`

The kinds of provider do not know each other. What both need to ask a service stands here:

- `addresses`: where a service is, its key and its model, checked
- `sdk`: what every SDK is told, its client, and an end to every wait
- `bounded_http`: a connection, bounded in size and time
- `bodies`: an answer's body, read without trust
- `failures`: what refusals mean, and whether to ask again
"""
