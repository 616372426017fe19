"""Who is known, and the tokens by which they are.

- principals and tokens, as admins make them -> `directory`
- what the others share inside their transactions -> `principals`
- whose token is shown, and whose keys a database trusts -> `authentication`
- codes of which people make tokens -> `invitations`
- one admin proposes, another confirms -> `four_eyes`
- a token ends, and its votes with it -> `revocation`
"""
