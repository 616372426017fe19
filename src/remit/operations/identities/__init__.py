"""Who is known, and the tokens by which they are.

- principals and tokens, as admins make them -> `directory`
- principals in the making -> `principals`
- tokens in the making -> `minting`
- whose token is shown -> `authentication`
- codes of which people make tokens -> `invitations`
- whether two admins are asked -> `second_admin`
- one admin proposes, another confirms -> `four_eyes`
- a token ends, and its votes with it -> `revocation`
- whose keys a database trusts -> `installation`
"""
