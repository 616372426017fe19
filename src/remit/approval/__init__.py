"""Box 3, consent: people answer where policy asks, and a grant is what their answer leaves behind.

- `types`: requests, votes, grants
- `rules`: who may vote, when votes decide, what a request can have become (pure)
- `statements`: what is signed of grants, votes and confirmed policies (pure)
- `repository`: all SQL of requests, votes, grants and confirmed policies
"""
