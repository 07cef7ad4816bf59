"""What is shown: summary, pictures, deck, workbook, page.

Computes no figure of its own: it asks `plan.figures` and studies. Only `commands` import it.
"""
