"""Words that every room uses: quarters, units, cells, amounts, findings, errors, interrupts.

Imports no other room.
"""
