"""Who acts: principals, what they may do, and the tokens by which they are known.

- `types`: principals, roles, abilities
- `names`: what a principal may be called (pure)
- `rules`: who may do what (pure)
- `tokens`: what a token and an invitation's code are, and their digests (pure but for randomness)
- `statements`: what is signed of principals, tokens and invitations (pure)
- `repository`, `token_repository`, `invitation_repository`: all SQL of these and of the
installation
"""
