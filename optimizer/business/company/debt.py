"""Debt: facilities that are drawn, repaid and refinanced, as streams of dollars.

A dollar drawn pays its interest and its scheduled repayments; a dollar prepaid takes the later ones back. Draws are
made at the start of a quarter, repayments at its end: what is drawn bears that quarter's interest. Money lent is no
value, what it costs above the company's normal cost of debt is. What lenders ask for stands in `lenders`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pyomo.core import Binary, Block, NonNegativeReals, Var

from optimizer.business.lines import CORPORATE, DEBT
from optimizer.business.ports import Decision, Linear, OutcomePorts, Price
from optimizer.business.readout import DECIMALS, NOISE, Reading, Tables, frame
from optimizer.business.rows import at_most, hold, member
from optimizer.case.case import Case
from optimizer.case.schema import Facility
from optimizer.ground.quarters import Quarter


@dataclass
class Account:
    """A facility's balance, repayments and interest in each quarter, as sums of decisions, $M."""

    closing: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    repaid: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    scheduled: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    interest: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))


def add_debt(b: Block) -> None:
    """`draw[f,t,w]` and `prepay[f,t,w]` in $M, recourse; `used[f]` where fees hang on it."""
    ports = b.ports
    case, w = ports.case, ports.scenario
    draws = [(f.facility, t, w) for f in case.facilities for t in drawable(ports, f)]
    prepays = [(f.facility, t, w) for f in case.facilities for t in _prepayable(ports, f)]
    b.draw = Var(draws, domain=NonNegativeReals, bounds=lambda b, f, t, w: (0, room(case.facility[f])))
    b.prepay = Var(prepays, domain=NonNegativeReals, bounds=lambda b, f, t, w: (0, case.facility[f].commitment_musd))
    to_draw = dict.fromkeys(f for f, _, _ in draws)
    b.used = Var([f for f in to_draw if _asks_for_use(case.facility[f])], domain=Binary)
    b.accounts = {f.facility: Account() for f in case.facilities}
    for facility in case.facilities:
        _carry(
            ports, facility, b.accounts[facility.facility], case.first, facility.drawn_musd, 1, _accrued(case, facility)
        )
        _charge_fees(b, ports, facility)
    for f, t, _ in draws:
        _draw(ports, case.facility[f], b.accounts[f], t, b.draw[f, t, w])
    for f, t, _ in prepays:
        _prepay(ports, case.facility[f], b.accounts[f], t, b.prepay[f, t, w])
    hold(b, commitment, to_draw)
    hold(b, nothing_repaid_twice, prepays)


def drawable(ports: OutcomePorts, facility: Facility) -> list[Quarter]:
    """The quarters in which a facility can be drawn by new decisions."""
    first, last = facility.available_first, facility.available_last
    if first is None or last is None or not ports.shared.decide or room(facility) <= 0:
        return []
    return [t for t in ports.case.horizon if first <= t <= last]


def _prepayable(ports: OutcomePorts, facility: Facility) -> list[Quarter]:
    if not (facility.prepayable and ports.shared.decide):
        return []
    begins = ports.case.first if facility.drawn_musd > 0 else facility.available_first or facility.maturity
    return [t for t in ports.case.horizon if begins <= t < facility.maturity]


def room(facility: Facility) -> float:
    """What could still be drawn, $M."""
    return facility.commitment_musd - facility.drawn_musd


def _asks_for_use(facility: Facility) -> bool:
    """Whether fees hang on a facility's being used at all; one with a balance is."""
    return facility.drawn_musd == 0 and bool(facility.upfront_fee or facility.undrawn_fee)


# ---- streams ------------------------------------------------------------------------------------------------------


def schedule(ports: OutcomePorts, facility: Facility, after: Quarter) -> dict[Quarter, float]:
    """Shares of a balance repaid at the end of each quarter past `after`: the rest of the schedule, made whole."""
    rows = {row.quarter: row.share for row in ports.case.amortisation if row.facility == facility.facility}
    left = {t: share for t, share in (rows or {facility.maturity: 1.0}).items() if t > after and share > 0}
    total = sum(left.values())
    return {t: left[t] / total for t in sorted(left)}


def base_rate(case: Case, scenario: str, facility: Facility, t: Quarter) -> float:
    """The floating part of a quarter's yearly rate: its base rate's path, whose ends hold before and after it."""
    if facility.base_rate is None:
        return 0.0
    return case.base_rate[scenario, facility.base_rate, min(max(t, case.first), case.last)]


def next_coupon(facility: Facility, t: Quarter) -> Quarter:
    """The first of its coupons that does not lie before `t`; its calendar knows no maturity."""
    anchor = t if facility.first_coupon is None else facility.first_coupon
    return t + (anchor - t) % facility.interest_every_quarters


def _accrued(case: Case, facility: Facility) -> int:
    """Quarters before the horizon for which what stood then has paid no interest yet."""
    return facility.interest_every_quarters - 1 - (next_coupon(facility, case.first) - case.first)


def _carry(
    ports: OutcomePorts, facility: Facility, account: Account, first: Quarter, coefficient: float, decision: Decision,
    accrued: int = 0,
) -> None:  # fmt: skip
    """`coefficient x decision` of balance from quarter `first` on: its interest and its scheduled repayments.

    It stood `accrued` quarters before that too.
    """
    if coefficient == 0:
        return
    repayments, balance = schedule(ports, facility, first - 1), coefficient
    bearing = {first - 1 - i: balance for i in range(accrued)}
    for t in (first + i for i in range(facility.maturity - first + 1)):
        bearing[t] = balance
        repaid = coefficient * repayments.get(t, 0.0)
        balance -= repaid
        account.closing[t].add(balance, decision)
        account.scheduled[t].add(repaid, decision)
        account.repaid[t].add(repaid, decision)
        _pay(ports, facility, "principal", decision, t, -repaid)
    _bear_interest(ports, facility, account, bearing, decision)


def _bear_interest(
    ports: OutcomePorts, facility: Facility, account: Account, balances: Mapping[Quarter, float], decision: Decision
) -> None:
    """Interest of each quarter's balance, paid with its coupon; and what of it is above the normal cost of debt."""
    floating, fixed, excess = (defaultdict[Quarter, float](float) for _ in range(3))
    for t, balance in balances.items():
        paid, base = (
            min(facility.maturity, next_coupon(facility, t)),
            base_rate(ports.case, ports.scenario, facility, t),
        )
        floating[paid] += balance * base / 4
        fixed[paid] += balance * facility.margin / 4
        excess[paid] += balance * excess_rate(ports.case, facility, t, facility.margin + base) / 4
    for interest, follows in ((floating, ("base_rate", str(facility.base_rate))), (fixed, None)):
        for t, musd in interest.items():
            account.interest[t].add(musd, decision)
            _pay(ports, facility, "interest", decision, t, -musd, follows)
    for t, musd in excess.items():
        _pay(ports, facility, "excess_interest", decision, t, -musd)


def excess_rate(case: Case, facility: Facility, t: Quarter, rate: float) -> float:
    """How much of a quarter's yearly rate is above what borrowing normally costs, where the case says what that is.

    While more could be drawn a dollar drawn never costs less than one that is not: what it saves of the fee on undrawn
    money is no gain.
    """
    first, last = facility.available_first, facility.available_last
    is_open = first is not None and last is not None and first <= t <= last
    saved = facility.undrawn_fee if is_open else 0.0
    return max(rate - case.settings.discount_rates.get(DEBT, rate), saved, 0.0)


def _draw(ports: OutcomePorts, facility: Facility, account: Account, t: Quarter, decision: Decision) -> None:
    _pay(ports, facility, "principal", decision, t, 1.0)
    _carry(ports, facility, account, t, 1.0, decision)
    saved = facility.undrawn_fee / 4
    for q in ports.case.horizon:
        if saved and t <= q <= (facility.available_last or t):
            _pay(ports, facility, "fee", decision, q, saved)


def _prepay(ports: OutcomePorts, facility: Facility, account: Account, t: Quarter, decision: Decision) -> None:
    """Repaid at the end of `t`; the balance, its interest and its later repayments are gone from `t + 1` on."""
    _pay(ports, facility, "principal", decision, t, -1.0)
    account.repaid[t].add(1.0, decision)
    account.closing[t].add(-1.0, decision)
    _carry(ports, facility, account, t + 1, -1.0, decision)


def _charge_fees(b: Block, ports: OutcomePorts, facility: Facility) -> None:
    """Upfront on the commitment; on what is not drawn, while it can be. Only for a facility that is used."""
    first, last = facility.available_first, facility.available_last
    used: Decision = 1 if facility.drawn_musd > 0 else member(b.used, facility.facility, None)
    if first is None or last is None or used is None:
        return
    if facility.drawn_musd == 0:
        upfront = facility.upfront_fee * facility.commitment_musd
        _pay(ports, facility, "fee", used, max(first, ports.case.first), -upfront)
    for t in ports.case.horizon:
        if first <= t <= last:
            _pay(ports, facility, "fee", used, t, -facility.undrawn_fee / 4 * room(facility))


def _pay(
    ports: OutcomePorts, facility: Facility, line: str, decision: Decision, t: Quarter, musd: float,
    follows: Price | None = None,
) -> None:  # fmt: skip
    if musd:
        ports.pay(line, CORPORATE, "", facility.facility, decision, t, [musd], follows=follows)


# ---- read out -------------------------------------------------------------------------------------------------------


def balances(r: Reading) -> Iterator[tuple[Facility, Quarter, float, float, float, float]]:
    """Opening, drawn, repaid and closing balance of each facility and quarter, rounded so that they tie."""
    for facility in r.case.facilities:
        f, opening = facility.facility, facility.drawn_musd
        for t in r.case.horizon:
            closing = round(max(0.0, r.sum_of(r.b.accounts[f].closing[t])), DECIMALS)
            drawn = round(r.at(r.b.draw, f, t, r.scenario), DECIMALS)
            yield facility, t, opening, drawn, round(opening + drawn - closing, DECIMALS), closing
            opening = closing


def principal_flows(r: Reading) -> Iterator[tuple[str, Quarter, str, str, str, str, float]]:
    """What is drawn less what is repaid, by the rounded balances, as flows."""
    for facility, t, _, drawn, repaid, _ in balances(r):
        if drawn or repaid:
            yield r.scenario, t, "principal", CORPORATE, "", facility.facility, drawn - repaid


def read_out(r: Reading) -> Tables:
    """Roll-forward of each facility: opening + draws - repayments = closing."""
    paid = r.within.groupby(["source", "line", "quarter"])["musd"].sum()
    rows = []
    for facility, t, opening, drawn, repaid, closing in balances(r):
        f = facility.facility
        interest, fees = (-float(paid.get((f, line, int(t)), 0.0)) for line in ("interest", "fee"))
        if max(map(abs, (opening, drawn, repaid, interest, fees))) > NOISE:
            rows.append((r.scenario, f, t, opening, drawn, repaid, closing, interest, fees))
    columns = "opening_musd draws_musd repayments_musd closing_musd interest_musd fees_musd"
    return {"debt": frame(rows, f"scenario facility quarter {columns}")}


# ---- rows ---------------------------------------------------------------------------------------------------------


def drawn_in_all(b: Block, f: str) -> Linear:
    """What has been drawn by new decisions, $M."""
    drawn = Linear()
    for (name, *_), musd in b.draw.items():
        if name == f:
            drawn.add(1, musd)
    return drawn


def commitment(b: Block, f: str) -> object:
    r"""No more is drawn than the lender has committed, and nothing from a facility that is not used.

    Math: D_{f,0} + \sum_t \mathrm{draw}_{f,t,w} \le K_f \, U_f
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    most = room(b.case.facility[f])
    drawn = drawn_in_all(b, f)
    return at_most(drawn.add(-most, b.used[f]), 0) if f in b.used else at_most(drawn, most)


def nothing_repaid_twice(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""No more is repaid than is owed.

    Math: D_{f,t,w} = D_{f,t-1,w} + \mathrm{draw}_{f,t,w} - \mathrm{repaid}_{f,t,w} \ge 0
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().extend(b.accounts[f].closing[t], -1), 0)
