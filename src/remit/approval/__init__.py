"""Box 3, consent: people answer where policy asks, and a grant is what their answer leaves behind.

- `types`: requests, votes, grants
- `rules`: who may vote, when votes decide, what a request can have become (pure)
- `statements`: what is signed of grants and votes (pure)
- `repository`: all SQL of the three tables
- `confirmation`: what is signed of a policy that an operator confirmed (pure)
- `policy_repository`: all SQL of those policies
"""
