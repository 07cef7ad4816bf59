"""Amounts of money: how they are told, and which of a series is the lowest; one way for every report."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.ground.units import USD_PER_MUSD

TOLD_MUSD = 0.05
"""What is less would be told as $0.0M: it is told in dollars, or not at all."""
TIE_MUSD = 1e-3
"""$M within which two quarters tie: a solver's noise is far below it, and no report shows a thousand dollars."""
TOLD_SHARE = 5e-7
"""A share that is less would be told as 0.0000%."""


def musd(amount: float) -> str:
    """`$412.3M`, with a minus sign before the dollar."""
    return f"{'-' if amount < -TOLD_MUSD else ''}${abs(amount):,.1f}M"


def signed_musd(amount: float) -> str:
    """A change: `+$412.3M`, `-$3.0M`; nothing has no sign."""
    text = musd(amount)
    return text if text.startswith("-") or text == "$0.0M" else f"+{text}"


def margin_musd(amount: float) -> str:
    """A margin, of any size: `$1.234M`, `$1,602`, and never $0: `under $1`."""
    if amount >= TOLD_MUSD:
        return f"${amount:,.3f}M"
    usd = amount * USD_PER_MUSD
    return f"${usd:,.0f}" if usd >= 1 else "under $1"


def margin_words(amount_musd: float, value_musd: float) -> str:
    """A margin with its share of a value: `$1,602 (0.0001%)`."""
    return f"{margin_musd(amount_musd)} ({share_words(amount_musd / max(abs(value_musd), 1e-9))})"


def share_words(share: float) -> str:
    """A small share, never 0.0000%: `0.0123%`, `under 0.0001%`."""
    return f"{share:.4%}" if share >= TOLD_SHARE else "under 0.0001%"


def lowest(amounts_musd: Sequence[float]) -> int:
    """Where the lowest amount stands first; later ones that are lower by less than a tie do not count."""
    least = min(amounts_musd)
    return next(i for i, musd in enumerate(amounts_musd) if musd <= least + TIE_MUSD)


def highest(amounts_musd: Sequence[float]) -> int:
    """Where the highest amount stands first; later ones that are higher by less than a tie do not count."""
    return lowest([-musd for musd in amounts_musd])
