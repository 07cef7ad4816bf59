"""The board pack: deck, workbook and page, every number with its receipt."""
