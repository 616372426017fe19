"""The budget's ledger: what the gate promises to directives, and what they then spend.

What is locked, reserved and closed, and what a reservation may be -> types
What a run spent, its language models included (pure) -> costs
All SQL of accounts and entries -> ledger
"""
