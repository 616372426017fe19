"""Remit: governed execution for AI agents and automations.

The packages, in the order of the control loop, are listed in `docs/architecture.md`.
"""
