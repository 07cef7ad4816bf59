"""The whole model: ports, uses, company, rules, the decisions' records.

Imports `ground` and `case`; knows no solver. Imported by `plan`, `questions`, `telling`.
"""
