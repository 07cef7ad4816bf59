"""Two plans side by side: inputs, decisions, figures, and what made the difference."""
