"""Studies around a plan: why this one, and what would have to be true for another."""
