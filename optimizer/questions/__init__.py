"""What can be asked: the best plan, sweeps, studies, conflicts, comparison.

Imports every room but `telling` and `commands`.
"""
