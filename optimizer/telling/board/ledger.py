"""The ledger of a deck or a page: every number and name that it shows, with its key; nothing else may hold a digit.

Tellers write sentences with marks in them. `set_down` turns a marked sentence into plain text for one slide and
remembers what it is made of, so that the written file can be read back and each number held against its figure;
`parts` takes it apart for a page, which writes each key beside its number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from optimizer.ground.errors import HouseFault, PlanError
from optimizer.telling.board.figures import GAP, Figure, Word, count
from optimizer.telling.board.keys import Amount
from optimizer.telling.board.receipts import adds_up

_MARK = re.compile("\ue000(\\d+)\ue001")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_UNSAFE = re.compile("[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ue000\ue001\ud800-\udfff\ufffe\uffff]")
LEFT_TO_RIGHT = "\u200e"
MINUS = "\u2212"
"""The sign of negative numbers: wider than a hyphen, and no line breaks after it."""
SHORTEST_NAME = 9
NOT_ADDING = "Figures may not add because each is rounded."


@dataclass(frozen=True)
class Receipt:
    """A number or a text that is shown: its key, what it says, and for a number its value in the unit shown."""

    key: str
    text: str
    value: float | None = None
    decimals: int = 0
    figure: Figure | None = None
    amount: Amount | None = None

    def holds(self) -> bool:
        """Whether the text, read as a number, is the figure at the precision shown."""
        if self.value is None:
            return True
        digits = re.sub(r"[^\d.]", "", self.text)
        read = -float(digits) if self.text.startswith(MINUS) else float(digits)
        return abs(read - round(self.value, self.decimals)) < 10.0 ** -(self.decimals + 6)


@dataclass(frozen=True)
class SetDown:
    """One paragraph of a slide as it was set down: its plain text and its receipts."""

    text: str
    receipts: tuple[Receipt, ...]


@dataclass
class Ledger:
    """All receipts of a deck, and by slide the paragraphs and plotted figures that it holds."""

    receipts: list[Receipt] = field(default_factory=list)
    lines: dict[int, dict[str, SetDown]] = field(default_factory=dict)
    plots: dict[int, dict[str, list[tuple[str, tuple[Figure, ...]]]]] = field(default_factory=dict)

    # ---- what may stand in a sentence -----------------------------------------------------------------------------

    def money(self, figure: Figure, decimals: int = 1) -> str:
        """`$412.3M`, with a minus sign before the dollar."""
        return self._number(figure, decimals, "$", "M")

    def signed(self, figure: Figure, decimals: int = 1) -> str:
        """`+$412.3M` or `-$3.0M`."""
        return self._number(figure, decimals, "$", "M", plus=True)

    def dollars(self, figure: Figure) -> str:
        return self._number(figure, 0, "$", "")

    def percent(self, figure: Figure, decimals: int = 0) -> str:
        if not math.isfinite(figure.value):
            raise PlanError(_no_number(figure.key))
        return self._number(figure.times(100), decimals, "", "%")

    def number(self, figure: Figure, most: int = 1) -> str:
        """A quantity, with as many decimals as it needs and `most` allows."""
        if not math.isfinite(figure.value):
            raise PlanError(_no_number(figure.key))
        needed = next((n for n in range(most) if abs(figure.value - round(figure.value, n)) < 1e-9), most)
        return self._number(figure, needed, "", "")

    def whole(self, figure: Figure) -> str:
        return self._number(figure, 0, "", "")

    def fixed(self, figure: Figure, decimals: int = 1) -> str:
        """A number with so many decimals whether it needs them or not, as columns of tables have it."""
        return self._number(figure, decimals, "", "")

    def exact(self, figure: Figure, before: str = "", after: str = "") -> str:
        """A number with all its decimals, as a case holds it."""
        digits = f"{figure.value:.10f}".rstrip("0").partition(".")[2]
        return self._number(figure, len(digits), before, after)

    def rows(self, rows: Sequence[Sequence[str]]) -> str:
        """How many rows of marked texts there are, each by the first thing in it that has a key; blank without."""
        keys = [self._first_key(row) for row in rows]
        return self.whole(count(filter(None, keys))) if all(keys) else ""

    def _first_key(self, row: Sequence[str]) -> Amount | None:
        marks = (self.receipts[int(n)] for text in row for n in _MARK.findall(text))
        return next((receipt.amount for receipt in marks if receipt.amount is not None), None)

    def word(self, word: Word) -> str:
        """A name or another text of the plan, told as text whatever it says."""
        return self._mark(Receipt(word.key, plain_text(word.text), amount=word.amount))

    def _number(self, figure: Figure, decimals: int, before: str, after: str, *, plus: bool = False) -> str:
        if not math.isfinite(figure.value):
            raise PlanError(_no_number(figure.key))
        shown = round(figure.value, decimals) + 0.0
        sign = MINUS if shown < 0 else "+" if plus and shown > 0 else ""
        text = f"{sign}{before}{abs(shown):,.{decimals}f}{after}"
        return self._mark(Receipt(figure.key, text, figure.value, decimals, figure, figure.amount))

    def _mark(self, receipt: Receipt) -> str:
        self.receipts.append(receipt)
        return f"\ue000{len(self.receipts) - 1}\ue001"

    # ---- what was set down on a slide -----------------------------------------------------------------------------

    def set_down(self, slide: int, marked: str) -> str:
        """The plain text of a marked sentence, remembered for its slide; a digit without receipt is a mistake."""
        receipts = tuple(self.receipts[int(n)] for n in _MARK.findall(marked))
        if re.search(r"\d", _MARK.sub("", marked)):
            raise HouseFault(
                f"A slide holds a number without receipt, which must go through the ledger: {_MARK.sub('#', marked)}"
            )
        text = self.plain(marked)
        self.lines.setdefault(slide, {})[text] = SetDown(text, receipts)
        return text

    def parts(self, marked: str) -> Iterator[str | Receipt]:
        """A marked sentence taken apart: plain words, and the receipts between them."""
        for n, part in enumerate(_MARK.split(marked)):
            yield self.receipts[int(part)] if n % 2 else part

    def plain(self, marked: str) -> str:
        """The text of a marked sentence, for measuring it."""
        return _MARK.sub(lambda mark: self.receipts[int(mark[1])].text, marked)

    def fitted(self, marked: str, fits: Callable[[str], bool]) -> str:
        """The sentence with its longest names cut until it fits; numbers are never cut."""
        while not fits(self.plain(marked)):
            names = [int(n) for n in _MARK.findall(marked) if self.receipts[int(n)].value is None]
            longest = max(names, key=lambda n: len(self.receipts[n].text), default=None)
            if longest is None or len(self.receipts[longest].text) <= SHORTEST_NAME:
                return marked
            old = self.receipts[longest]
            text = plain_text(old.text.strip(LEFT_TO_RIGHT).rstrip("…")[: -max(1, len(old.text) // 12)].rstrip() + "…")
            marked = marked.replace(f"\ue000{longest}\ue001", self._mark(replace(old, text=text)))
        return marked

    def plot(self, slide: int, chart: str, series: str, figures: Sequence[Figure]) -> tuple[float | None, ...]:
        """The values of a series for a chart, remembered for its slide; None where a line has a gap."""
        for figure in figures:
            if figure is not GAP and not math.isfinite(figure.value):
                raise PlanError(_no_number(figure.key))
        self.plots.setdefault(slide, {}).setdefault(chart, []).append((series, tuple(figures)))
        return tuple(None if figure is GAP else round(figure.value, 9) + 0.0 for figure in figures)


def _no_number(key: str) -> str:
    return f"Nothing is written: {key} has no value, and a blank is no finite number."


def plain_text(text: str) -> str:
    """A text in one line, without signs that steer or break a display; right-to-left names keep to themselves."""
    clean = " ".join(_UNSAFE.sub(" ", text).split())
    return f"{LEFT_TO_RIGHT}{clean}{LEFT_TO_RIGHT}" if _RIGHT_TO_LEFT.search(clean) else clean


def listed(items: Sequence[str], most: int = 6, more: str = "more") -> str:
    """`A, B and C`; past `most` the rest goes by `more`, which the caller counts."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(more)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def adds(parts: Iterable[Figure], total: Figure, decimals: int = 1) -> str:
    """A note where the parts, each rounded, do not add to the rounded total; otherwise nothing."""
    return "" if adds_up((part.value for part in parts), total.value, decimals) else NOT_ADDING
