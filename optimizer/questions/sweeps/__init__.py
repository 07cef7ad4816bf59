"""Many solves of one case with other numbers: compiled once, solved in parallel, kept as they land."""
