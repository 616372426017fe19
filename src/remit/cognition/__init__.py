"""What thinks, and may not act: models that turn text into something else.

- `embeddings`: text into vectors, for search by meaning
- `llm`: messages into an answer
- `pricing`: what a model's tokens cost, from `prices.toml`

The kinds of provider do not know each other. What both need to ask a service stands here:

- `addresses`: where a service is, its key and its model, checked
- `bounded_http`: a connection to it, bounded in size and time
- `bodies`: its answer, read without trust
- `deadlines`: an end to every wait
- `sdk_clients`: what every SDK is told, and its client, made once
- `openai_sdk`: OpenAI's SDK on such a connection
- `openai_errors`: what that SDK raises
- `sdk_logs`: keeps what an SDK would log out of every log
- `service_failures`: what its refusals mean, and whether to ask again
"""
