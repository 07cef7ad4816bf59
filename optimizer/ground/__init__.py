"""Words that every room uses: quarters, units, uses of power, cells, amounts, findings, errors, interrupts.

Imports no other room.
"""
