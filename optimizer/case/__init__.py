"""What the optimiser is told: schema, checks, contract terms, market, folder, workbook.

Knows no decision and no solver. Imports `ground` and `files`; every room above imports it.
"""
