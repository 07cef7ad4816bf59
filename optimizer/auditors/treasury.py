"""The treasury: BTC held, cash with its interest and tax, quarter by quarter, and the liquidity it must keep."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from optimizer.auditors import tax
from optimizer.auditors.books import Books
from optimizer.auditors.hashprice import btc_usd
from optimizer.auditors.inputs import MILLION, QUARTERS, ZERO, decimal
from optimizer.auditors.lines import BTC_HELD, CASH, CORPORATE, PRINCIPAL, VALUE_ONLY
from optimizer.auditors.mining import fleet, summed
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.tolerances import A_FEW_DIGITS, DOLLAR, LAST_DIGIT, TEN_CENTS, WATT
from optimizer.ground.quarters import Quarter


def holds_btc(books: Books) -> bool:
    """Whether the company has a treasury of BTC at all."""
    settings = books.case.settings
    return bool(settings.btc_held or settings.btc_rule == "free")


def btc_closing(books: Books) -> dict[Quarter, Decimal]:
    """BTC held at each quarter's end, as the plan decides."""
    return {row["quarter"]: row["closing_btc"] for row in books.table("btc")}


# ---- money -------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    """BTC sold or kept, tax, then interest on opening cash. BTC held are no value, at the end neither."""
    if holds_btc(books):
        _record_btc(books)
    tax.record(books)
    _record_interest(books)


def _record_btc(books: Books) -> None:
    closing, held = btc_closing(books), decimal(books.case.settings.btc_held)
    for quarter in books.case.horizon:
        now = closing.get(quarter, ZERO)
        musd = (held - now) * btc_usd(books.inputs, quarter) / MILLION
        if musd:
            books.record("btc_sales", quarter, musd, CORPORATE, source=BTC_HELD)
        held = now


def _record_interest(books: Books) -> None:
    """Each quarter's from the closing cash before it."""
    settings, net = books.case.settings, _net(books)
    cash, rate = decimal(settings.opening_cash_musd), decimal(settings.cash_rate) / QUARTERS
    for quarter in books.case.horizon:
        interest = rate * cash
        if interest:
            books.record("cash_interest", quarter, interest, CORPORATE, source=CASH)
        cash += net.get(quarter, ZERO) + interest


def _net(books: Books) -> dict[Quarter, Decimal]:
    """Cash of each quarter, of what is recorded so far; a residual, or interest above its normal cost, is none."""
    net: dict[Quarter, Decimal] = {}
    for flow in books.flows:
        if flow.line not in VALUE_ONLY:
            net[flow.quarter] = net.get(flow.quarter, ZERO) + flow.musd
    return net


# ---- rules -------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    yield from _cash(books)
    yield _liquidity(books)
    yield _kept_until_needed(books)
    yield from _btc(books)
    yield from _btc_policies(books)
    yield from _sources_and_uses(books)


def _cash(books: Books) -> Iterator[Check]:
    """The table of cash, column by column, and each row against the flows recomputed."""
    rolls = Tally(
        "roll-forward",
        "cash_roll_forward",
        "Opening cash plus the net of all lines is closing cash, from the case's opening cash on.",
        "$M",
        LAST_DIGIT,
    )
    ties = Tally(
        "cash", "net_cash", "A quarter's net cash is the sum of all its lines, computed again.", "$M", LAST_DIGIT
    )
    rows = books.table("cash")
    rolls.holds("one row for each quarter", tuple(row["quarter"] for row in rows) == books.case.horizon)
    net, share = _net(books), decimal(books.case.settings.btc_liquidity_share)
    held, flows = btc_closing(books), _count(books)
    cash, before, count = decimal(books.case.settings.opening_cash_musd), None, 0
    for row in rows:
        quarter = row["quarter"]
        count += flows.get(quarter, 0)
        tolerance = LAST_DIGIT * (count + 10)
        rolls.holds(f"scenario in {quarter}", row["scenario"] == books.scenario)
        rolls.equal(f"opening of {quarter}", row["opening_musd"], cash if before is None else before, 2 * LAST_DIGIT)
        rolls.equal(f"net of {quarter}", row["opening_musd"] + row["net_musd"], row["closing_musd"], 3 * LAST_DIGIT)
        ties.equal(f"net of {quarter}", row["net_musd"], net.get(quarter, ZERO), tolerance)
        cash += net.get(quarter, ZERO)
        ties.equal(f"closing of {quarter}", row["closing_musd"], cash, tolerance)
        counted = share * held.get(quarter, ZERO) * btc_usd(books.inputs, quarter) / MILLION
        rolls.equal(f"liquidity of {quarter}", row["liquidity_musd"], row["closing_musd"] + counted, tolerance)
        least = decimal(books.case.settings.minimum_cash_musd)
        rolls.equal(f"minimum of {quarter}", row["minimum_musd"], least)
        before = row["closing_musd"]
    yield rolls.check()
    yield ties.check()


def _count(books: Books) -> dict[Quarter, int]:
    """How many flows each quarter has; each may bring a rounding of the tables."""
    count: dict[Quarter, int] = {}
    for flow in books.flows:
        count[flow.quarter] = count.get(flow.quarter, 0) + 1
    return count


def _liquidity(books: Books) -> Check:
    """What a decided plan must keep; a company that only goes on sells its BTC before it falls short."""
    tally = Tally(
        "rules",
        "minimum_liquidity",
        "Cash, and the share of BTC that counts, keep the minimum at each quarter's end, and cash is never negative.",
        "$M",
        DOLLAR,
    )
    least = decimal(books.case.settings.minimum_cash_musd)
    for row in books.table("cash"):
        quarter = row["quarter"]
        if books.decide:
            tally.at_least("liquidity", row["liquidity_musd"], least, quarter)
            tally.at_least("cash", row["closing_musd"], ZERO, quarter)
        elif _could_sell(books, quarter):
            tally.at_least("cash beside BTC", row["closing_musd"], least, quarter)
    return tally.check()


def _kept_until_needed(books: Books) -> Check:
    """Of a company that only goes on: a plan that decides may sell for what it does later."""
    tally = Tally(
        "rules",
        "btc_kept_until_needed",
        "A company that only goes on sells BTC by its schedule, or to bring cash up to its minimum and no further.",
        "$M",
        DOLLAR,
    )
    settings, held = books.case.settings, btc_closing(books)
    if books.decide or settings.btc_rule == "schedule":
        return tally.check()
    before = decimal(settings.btc_held)
    for row in books.table("cash"):
        now = held.get(row["quarter"], ZERO)
        if before - now > A_FEW_DIGITS:
            tally.at_most("cash beside BTC sold", row["closing_musd"], row["minimum_musd"], row["quarter"])
        before = now
    return tally.check()


def _could_sell(books: Books, quarter: Quarter) -> bool:
    """Whether more BTC could have been sold in a quarter: above the minimum, below the most, by no schedule."""
    settings, closing = books.case.settings, btc_closing(books)
    held = closing.get(quarter, ZERO)
    if settings.btc_rule == "schedule" or held <= decimal(settings.minimum_btc) + A_FEW_DIGITS:
        return False
    most, before = settings.max_btc_sales_per_quarter, closing.get(quarter - 1, decimal(settings.btc_held))
    return most is None or before - held < decimal(most) - A_FEW_DIGITS


def _btc_policies(books: Books) -> Iterator[Check]:
    """What the treasury allows itself with the BTC that it holds."""
    least = Tally("rules", "minimum_btc", "BTC held at a quarter's end are at least those to be kept.", "BTC", WATT)
    most = Tally(
        "rules",
        "btc_sales_per_quarter",
        "The treasury sells no more BTC in a quarter than its policy allows; what is mined goes first.",
        "BTC",
        WATT,
    )
    planned = Tally(
        "rules", "btc_schedule", "BTC held are sold by the schedule, no more and no fewer.", "BTC", A_FEW_DIGITS
    )
    settings = books.case.settings
    due = {row.quarter: decimal(row.btc) for row in books.case.rows("btc_schedule")}
    held = decimal(settings.btc_held)
    for quarter, closing in btc_closing(books).items():
        if settings.minimum_btc is not None:
            least.at_least("BTC held", closing, decimal(settings.minimum_btc), quarter)
        if settings.max_btc_sales_per_quarter is not None:
            most.at_most("BTC sold", held - closing, decimal(settings.max_btc_sales_per_quarter), quarter)
        if settings.btc_rule == "schedule":
            planned.equal(f"{quarter}", held - closing, due.get(quarter, ZERO))
        held = closing
    yield from (tally.check() for tally in (least, most, planned))


def _btc(books: Books) -> Iterator[Check]:
    """The table of BTC, column by column."""
    tally = Tally(
        "roll-forward",
        "btc_roll_forward",
        "BTC held before plus BTC mined less BTC sold are those held after; only what may be kept is kept.",
        "BTC",
        A_FEW_DIGITS,
    )
    value = Tally("cash", "btc_market_value", "BTC held stand in the plan at the quarter's price.", "$M", TEN_CENTS)
    rows, settings = books.table("btc"), books.case.settings
    wanted = books.case.horizon if holds_btc(books) else ()
    tally.holds("one row for each quarter", tuple(row["quarter"] for row in rows) == wanted)
    mined, held = summed(books, fleet(books)) if rows else {}, decimal(settings.btc_held)
    for row in rows:
        quarter = row["quarter"]
        tally.holds(f"scenario in {quarter}", row["scenario"] == books.scenario)
        tally.equal(f"opening of {quarter}", row["opening_btc"], held)
        tally.equal(f"mined in {quarter}", row["mined_btc"], mined[quarter].btc, mined[quarter].btc_rounding)
        closing = row["opening_btc"] + row["mined_btc"] - row["sold_btc"]
        tally.equal(f"closing of {quarter}", row["closing_btc"], closing)
        kept = row["mined_btc"] if settings.btc_rule == "free" else ZERO
        tally.at_most(f"kept in {quarter}", row["closing_btc"], row["opening_btc"] + kept)
        tally.at_least(f"held in {quarter}", row["closing_btc"], ZERO)
        held = row["closing_btc"]
        worth = row["closing_btc"] * btc_usd(books.inputs, quarter) / MILLION
        value.equal(f"{quarter}", row["market_value_musd"], worth)
    yield tally.check()
    yield value.check()


def _sources_and_uses(books: Books) -> Iterator[Check]:
    tally = Tally(
        "cash",
        "sources_and_uses",
        "Each line's net of a quarter is a source or a use, debt drawn and repaid apart; cash takes up the rest.",
        "$M",
        TEN_CENTS,
    )
    wanted = _items(books)
    seen: set[tuple[Quarter, str]] = set()
    for row in books.table("sources_and_uses"):
        quarter, item = row["quarter"], row["item"]
        signed = row["musd"] if row["side"] == "source" else -row["musd"]
        where = f"{item} in {quarter}"
        told = row["side"] in ("source", "use") and row["musd"] >= 0 and row["scenario"] == books.scenario
        tally.holds(f"{where}, once", told and (quarter, item) not in seen)
        tally.equal(where, signed, wanted.get((quarter, item), ZERO))
        seen.add((quarter, item))
    for (quarter, item), musd in wanted.items():
        if (quarter, item) not in seen:
            tally.equal(f"{item} in {quarter}, no row", ZERO, musd)
    yield tally.check()
    yield _sides_balance(books)


def _items(books: Books) -> dict[tuple[Quarter, str], Decimal]:
    """Signed $M by quarter and item: a source is positive. The principal of facilities is told by draw and payment."""
    items: dict[tuple[Quarter, str], Decimal] = {}

    def add(quarter: Quarter, item: str, musd: Decimal) -> None:
        items[quarter, item] = items.get((quarter, item), ZERO) + musd

    for flow in books.flows:
        if flow.quarter <= books.case.last and flow.line not in VALUE_ONLY:
            add(flow.quarter, "cash", -flow.musd)
            add(flow.quarter, flow.line, flow.musd)
    for row in books.table("debt"):
        add(row["quarter"], "debt_drawn", row["draws_musd"])
        add(row["quarter"], "debt_repaid", -row["repayments_musd"])
        add(row["quarter"], PRINCIPAL, row["repayments_musd"] - row["draws_musd"])
    return items


def _sides_balance(books: Books) -> Check:
    tally = Tally("roll-forward", "sources_are_uses", "The sources of a quarter are its uses.", "$M", TEN_CENTS)
    sums = dict.fromkeys(books.case.horizon, ZERO)
    for row in books.table("sources_and_uses"):
        if row["quarter"] in sums:
            sums[row["quarter"]] += row["musd"] if row["side"] == "source" else -row["musd"]
    for quarter, musd in sums.items():
        tally.equal(f"{quarter}", musd, ZERO)
    return tally.check()
