"""What is decided and what it comes to: plan, settlement, figures, folder.

Imports `case` and `business`; a plan is read without Pyomo. Imported by `auditors` and all above it.
"""
