"""Files and folders, whole or not at all: strict tables, sheets, manifest, journal.

Knows no business. Imports `ground`.
"""
