"""The room of figures: each figure that reports tell has one key, one name, one meaning and one way to be reckoned.

Terminal, deck, page, workbook, pictures and comparison ask this room; none of them reckons such a figure itself. Docs
have the list (`docs/figures.md`).
"""

from optimizer.plan.figures.definitions import FIGURES, Definition
from optimizer.plan.figures.room import Room, figures_of
from optimizer.plan.figures.sentences import Part, Sentence, sales_and_delays

__all__ = ["FIGURES", "Definition", "Part", "Room", "Sentence", "figures_of", "sales_and_delays"]
