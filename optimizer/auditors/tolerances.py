"""Every tolerance of the audit: by how much a row may miss and still hold.

Megawatts are in MW, money is in $M. Several have the same figure and another reason; each can be changed by itself.
"""

from __future__ import annotations

from decimal import Decimal

# ---- megawatts -----------------------------------------------------------------------------------------------------

WATT = Decimal("1e-6")
"""MW by which a physical row may miss: the solver keeps its rows to about that."""
TIER_EDGE = Decimal("1e-6")
"""IT MW by which a size may lie past the edge of a price tier and still be that edge: a watt."""
SHARE_SOLD = Decimal("1e-5")
"""Share of a site's usable capacity by which what is sold may seem to exceed it: a watt of a tenth of a megawatt."""

# ---- money ---------------------------------------------------------------------------------------------------------

DOLLAR = Decimal("1e-6")
"""$M by which a rule about money, or a value, may miss."""
TEN_CENTS = Decimal("1e-7")
"""$M by which a cash line may differ: decisions are written with nine decimals, so a rate of 100 $M per MW comes in."""
SHARE_OF_FLOWS = Decimal("1e-11")
"""And this share of the flows summed in the line: the plan's own arithmetic has sixteen digits."""
SHARE_OF_VALUE = Decimal("1e-9")
"""Share of all discounted flows by which two sums of them may lie apart, where that is more than a dollar."""
FACTOR = Decimal("1e-14")
"""By which a discount factor may differ: it is written with fifteen digits."""

# ---- what tables leave out -----------------------------------------------------------------------------------------

LAST_DIGIT = Decimal("1e-9")
"""What the last digit of a plan's tables is worth; sums get one for each rounded term."""
TWO_LAST_DIGITS = Decimal("2e-9")
"""By which two cells may differ that were rounded from one figure."""
A_FEW_DIGITS = Decimal("1e-8")
"""By which a number that follows from a few cells (machines, halls, BTC) may differ."""

# ---- key figures ---------------------------------------------------------------------------------------------------

FIGURE = Decimal("1e-6")
"""$M, MW or BTC by which a key figure may differ."""
SHARE_OF_FIGURE = Decimal("1e-9")
"""And this share of it; also what sums of flows may hide in a share or a return, for each flow."""
YEARLY_RETURN = Decimal("1e-8")
"""By which a yearly return may miss the rate at which nothing is gained, as a share of it where it is above 100%."""
RATES_APART = Decimal("1e-5")
"""Width, as a discount of an eighth of a year, within which two rates of return may be two, one or none."""
NOTHING_GAINED = Decimal("1e-6")
"""$M that two plans may differ by at a date and count as the same there: a dollar."""

SAME_EXTREME = Decimal("1e-3")
"""$M by which a quarter may miss the lowest (or the highest) of all and still tie with it: the first one is told."""

# ---- proof ---------------------------------------------------------------------------------------------------------

SOLVER = Decimal("1e-5")
"""$M within which the solver itself calls two values the same."""
PROOF_SHARE, PROOF_MUSD = Decimal("1e-6"), Decimal("1e-5")
"""By how much a better plan may have been missed by a plan called PROVEN: a millionth of its value, at least $10."""
GAP = Decimal("1e-9")
"""By which a stated gap may differ, in $M and as a share of the value; a value below it counts as this much there."""

# ---- choices that are worth the same -------------------------------------------------------------------------------

EVEN = Decimal("1e-12")
"""Margins this close to nothing, as a share of revenue, may be run or left: both are worth the same."""
SAME_PRICE = Decimal("1e-12")
"""Share by which two prices may differ and be the same price."""
