"""What is decided and what it comes to: plan, settlement, figures, folder.

Imports `case` and `business`; a plan is read without Pyomo. Imported by `audit` and all above it.
"""
