"""Who acts: principals, what they may do, and the tokens by which they are known.

- `types`: principals, roles, abilities
- `names`: what a principal may be called (pure)
- `rules`: who may do what (pure)
- `tokens`: what a token is, and its digest (pure but for its randomness)
- `statements`: what is signed of principals and tokens (pure)
- `repository`: all SQL of principals and tokens
"""
