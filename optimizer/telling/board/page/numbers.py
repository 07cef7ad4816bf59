"""Numbers and names as they stand on the page: each number carries its key, each name is plain text of the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol

from markupsafe import Markup, escape

from optimizer.ground.errors import PlanError

Style = Literal["plain", "musd", "usd", "percent"]
MINUS = "−"


class Html(Protocol):
    """Something that knows its own markup."""

    def __html__(self) -> Markup: ...


@dataclass(frozen=True)
class Number:
    """One number of a plan: its value, the key under which the plan holds it, and how many decimals are shown.

    A percent is held as a share. Raises PlanError where the value is no finite number: that is told in words or not
    at all.
    """

    value: float
    key: str
    style: Style = "plain"
    decimals: int = 1

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise PlanError(f"The page is not written: {self.key} is {self.value}, not a finite number.")

    @property
    def text(self) -> str:
        """`$412.3M`, `14.2%`, `1,234`; the sign stands before the dollar, and nothing is less than zero by rounding."""
        shown = self.value * (100 if self.style == "percent" else 1)
        digits = f"{abs(shown):,.{self.decimals}f}"
        sign = MINUS if shown < 0 and float(digits.replace(",", "")) else ""
        before, after = {"plain": ("", ""), "musd": ("$", "M"), "usd": ("$", ""), "percent": ("", "%")}[self.style]
        return f"{sign}{before}{digits}{after}"

    def __html__(self) -> Markup:
        return Markup(f'<span class="n" {self._receipt}>{self.text}</span>')

    @property
    def svg(self) -> Markup:
        """The number inside a drawing."""
        return Markup(f"<tspan {self._receipt}>{self.text}</tspan>")

    @property
    def _receipt(self) -> str:
        decimals = "" if self.decimals == 1 else f' data-decimals="{self.decimals}"'
        return f'data-key="{escape(self.key)}"{decimals}'


@dataclass(frozen=True)
class Name:
    """A text of the plan (a site, an offer, a quarter, a hash): set apart, so that its script keeps its direction."""

    text: str

    def __html__(self) -> Markup:
        return Markup("<bdi data-text>{}</bdi>").format(self.text)

    @property
    def svg(self) -> Markup:
        """The text inside a drawing."""
        return Markup("<tspan data-text>{}</tspan>").format(self.text)


@dataclass(frozen=True)
class Either:
    """The same thing in gross and in IT MW; the switch on the page shows one of them."""

    gross: Html
    it: Html

    def __html__(self) -> Markup:
        return Markup('<span class="gross">{}</span><span class="it">{}</span>').format(self.gross, self.it)


def words(sentence: str, *parts: object) -> Markup:
    """A sentence with numbers and names in its places `{}`; everything is escaped but what knows its own markup."""
    return Markup(sentence).format(*parts)


def listed(parts: Iterable[object]) -> Markup:
    """`a`, `a and b`, `a, b and c`."""
    shown = [escape(part) for part in parts]
    if len(shown) < 2:
        return Markup("").join(shown)
    return Markup(", ").join(shown[:-1]) + Markup(" and ") + shown[-1]


def adds(parts: Iterable[Number], total: Number) -> bool:
    """Whether the parts add to the total as they are shown, not only as they are."""
    shown = round(sum(round(part.value, part.decimals) for part in parts), total.decimals)
    return bool(abs(shown - round(total.value, total.decimals)) < 0.5 * 10**-total.decimals)


ROUNDED = Markup("Each figure is rounded by itself; the rounded figures do not add up to the last digit.")
