"""The budget's ledger: what the gate promises to directives, and what they then spend.

What is locked, reserved and closed, and what a reservation may be -> types
All SQL of accounts and entries -> ledger
"""
