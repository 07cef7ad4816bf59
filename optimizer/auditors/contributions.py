"""Contributions: the few lines, businesses and sites that most of a plan's value comes from, or goes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from optimizer.auditors.inputs import ZERO
from optimizer.auditors.lines import CASH_ONLY, CORPORATE

if TYPE_CHECKING:
    from optimizer.auditors.books import Flow

MOST = 5
IN_CAPITALS = {"ai": "AI", "gpu": "GPU", "btc": "BTC", "g": "G"}


@dataclass(frozen=True)
class Contribution:
    """The present value of one line of a business at a site, within and after the horizon, $M.

    `site` is blank for the company as a whole. `share` is its part of all such present values, received or paid, taken
    without their signs: shares of value itself mean nothing where large sums cancel out.
    """

    line: str
    business: str
    site: str
    present_value_musd: Decimal
    share: Decimal

    @property
    def words(self) -> str:
        """`rent, colocation at Moses Lake`."""
        line = " ".join(IN_CAPITALS.get(word, word) for word in self.line.split("_")).replace("G and a", "G&A")
        business = "company" if self.business == CORPORATE else self.business
        return f"{line}, {business}{f' at {self.site}' if self.site else ''}"

    @property
    def told(self) -> str:
        sign = "-" if self.present_value_musd < 0 else ""
        return f"{sign}${abs(self.present_value_musd):,.1f}M"

    def record(self) -> dict[str, Any]:
        return {
            "line": self.line,
            "business": self.business,
            "site": self.site,
            "words": self.words,
            "present_value_musd": float(self.present_value_musd),
            "share": float(self.share),
        }


def rank_contributions(flows: Iterable[Flow], most: int = MOST) -> tuple[Contribution, ...]:
    """The largest present values by line, business and site, whether received or paid, largest first."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for flow in flows:
        if flow.line not in CASH_ONLY:
            key = flow.line, flow.business, flow.site
            sums[key] = sums.get(key, ZERO) + flow.worth_musd
    whole = sum((abs(musd) for musd in sums.values()), ZERO)
    ordered = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    return tuple(Contribution(*key, musd, abs(musd) / whole) for key, musd in ordered[:most] if musd)
