"""Debt: facilities that are drawn, repaid, refinanced, and what their lenders ask for meanwhile.

A loan is made of streams. A dollar drawn pays its interest and its scheduled repayments; a dollar prepaid takes the
later ones back. Draws are made at the start of a quarter, repayments at its end: what is drawn bears that quarter's
interest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from pyomo.core import Binary, ConcreteModel, NonNegativeReals, Var

from optimizer.lines import AI_MARGIN_LINES, CAPEX_LINES, CORPORATE
from optimizer.ports import Decision, Linear, Ports
from optimizer.quarters import Quarter
from optimizer.rows import SKIP, at_most, hold, member
from optimizer.schema import ANY, Facility
from optimizer.uses.contracts import signings

AI_CAPEX_LINES = tuple(line for line in CAPEX_LINES if line != "machine_purchases")
"""The capex that lenders lend against."""


@dataclass
class Account:
    """A facility's balance, repayments and interest in each quarter, as sums of decisions, $M."""

    closing: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    repaid: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    scheduled: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    interest: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))


def add_debt(m: ConcreteModel, ports: Ports) -> None:
    """`draw[f,t,w]` and `prepay[f,t,w]` in $M, recourse; `used[f]`, here and now, where fees or tests hang on it."""
    case, w = ports.case, ports.scenario
    draws = [(f.facility, t, w) for f in case.facilities for t in _drawable(ports, f)]
    prepays = [(f.facility, t, w) for f in case.facilities for t in _prepayable(ports, f)]
    m.draw = Var(draws, domain=NonNegativeReals, bounds=lambda m, f, t, w: (0, _room(case.facility[f])))
    m.prepay = Var(prepays, domain=NonNegativeReals, bounds=lambda m, f, t, w: (0, case.facility[f].commitment_musd))
    drawable = dict.fromkeys(f for f, _, _ in draws)
    m.used = Var([f for f in drawable if _asks_for_use(case.facility[f])], domain=Binary)
    m.accounts = {f.facility: Account() for f in case.facilities}
    for facility in case.facilities:
        _carry(ports, facility, m.accounts[facility.facility], case.first, facility.drawn_musd, 1)
        _charge_fees(m, ports, facility)
    for f, t, _ in draws:
        _draw(ports, case.facility[f], m.accounts[f], t, m.draw[f, t, w])
    for f, t, _ in prepays:
        _prepay(ports, case.facility[f], m.accounts[f], t, m.prepay[f, t, w])
    m.ai_capex = {f.facility: ports.flow(AI_CAPEX_LINES, _project(f)) for f in case.facilities}
    m.ai_margin = {f.facility: ports.flow(AI_MARGIN_LINES, _project(f)) for f in case.facilities}
    hold(m, commitment, drawable)
    hold(m, nothing_repaid_twice, prepays)
    _lend_only_where_spent(m, draws)
    hold(m, lent_against_an_offer, drawable)
    hold(m, drawn_to_refinance, draws)
    hold(m, debt_service_cover, ((f.facility, t, w) for f in case.facilities for t in _tested(ports, f)))


def _drawable(ports: Ports, facility: Facility) -> list[Quarter]:
    first, last = facility.available_first, facility.available_last
    if first is None or last is None or not ports.decide or _room(facility) <= 0:
        return []
    return [t for t in ports.case.horizon if first <= t <= last]


def _prepayable(ports: Ports, facility: Facility) -> list[Quarter]:
    if not (facility.prepayable and ports.decide):
        return []
    begins = ports.case.first if facility.drawn_musd > 0 else facility.available_first or facility.maturity
    return [t for t in ports.case.horizon if begins <= t < facility.maturity]


def _room(facility: Facility) -> float:
    return facility.commitment_musd - facility.drawn_musd


def _asks_for_use(facility: Facility) -> bool:
    """Whether something hangs on a facility's being used at all; one with a balance is."""
    return facility.drawn_musd == 0 and bool(facility.upfront_fee or facility.undrawn_fee or facility.dscr)


def _tested(ports: Ports, facility: Facility) -> list[Quarter]:
    if facility.dscr is None or facility.dscr_from is None or not ports.decide:
        return []
    return [t for t in ports.case.horizon if facility.dscr_from <= t < facility.maturity]


# ---- streams ------------------------------------------------------------------------------------------------------


def schedule(ports: Ports, facility: Facility, after: Quarter) -> dict[Quarter, float]:
    """Shares of a balance repaid at the end of each quarter past `after`: the rest of the schedule, made whole."""
    rows = {row.quarter: row.share for row in ports.case.amortisation if row.facility == facility.facility}
    left = {t: share for t, share in (rows or {facility.maturity: 1.0}).items() if t > after and share > 0}
    total = sum(left.values())
    return {t: left[t] / total for t in sorted(left)}


def rate(ports: Ports, facility: Facility, t: Quarter) -> float:
    """Yearly rate of a quarter: fixed, or the base rate's path (its last quarter after the horizon) plus the margin."""
    if facility.base_rate is None:
        return facility.margin
    return ports.case.base_rate[ports.scenario, facility.base_rate, min(t, ports.case.last)] + facility.margin


def _paid(ports: Ports, facility: Facility, t: Quarter) -> Quarter:
    """The quarter in which the interest of quarter `t` is paid."""
    drawn = facility.drawn_musd > 0 or facility.available_first is None
    anchor = ports.case.first if drawn else facility.available_first
    assert anchor is not None
    every = facility.interest_every_quarters
    return min(facility.maturity, t + (every - 1 - (t - anchor) % every))


def _carry(
    ports: Ports, facility: Facility, account: Account, first: Quarter, coefficient: float, decision: Decision
) -> None:
    """`coefficient x decision` of balance from quarter `first` on: its interest and its scheduled repayments."""
    if coefficient == 0:
        return
    repayments = schedule(ports, facility, first - 1)
    interest: dict[Quarter, float] = defaultdict(float)
    balance = coefficient
    for t in (first + i for i in range(facility.maturity - first + 1)):
        interest[_paid(ports, facility, t)] += balance * rate(ports, facility, t) / 4
        repaid = coefficient * repayments.get(t, 0.0)
        balance -= repaid
        account.closing[t].add(balance, decision)
        account.scheduled[t].add(repaid, decision)
        account.repaid[t].add(repaid, decision)
        _pay(ports, facility, "principal", decision, t, -repaid)
    for t, musd in interest.items():
        account.interest[t].add(musd, decision)
        _pay(ports, facility, "interest", decision, t, -musd)


def _draw(ports: Ports, facility: Facility, account: Account, t: Quarter, decision: Decision) -> None:
    _pay(ports, facility, "principal", decision, t, 1.0)
    _carry(ports, facility, account, t, 1.0, decision)
    saved = facility.undrawn_fee / 4
    for q in ports.case.horizon:
        if saved and t <= q <= (facility.available_last or t):
            _pay(ports, facility, "fee", decision, q, saved)


def _prepay(ports: Ports, facility: Facility, account: Account, t: Quarter, decision: Decision) -> None:
    """Repaid at the end of `t`; the balance, its interest and its later repayments are gone from `t + 1` on."""
    _pay(ports, facility, "principal", decision, t, -1.0)
    account.repaid[t].add(1.0, decision)
    account.closing[t].add(-1.0, decision)
    _carry(ports, facility, account, t + 1, -1.0, decision)


def _charge_fees(m: ConcreteModel, ports: Ports, facility: Facility) -> None:
    """Upfront on the commitment; on what is not drawn, while it can be. Only for a facility that is used."""
    first, last = facility.available_first, facility.available_last
    used: Decision = 1 if facility.drawn_musd > 0 else member(m.used, facility.facility, None)
    if first is None or last is None or used is None:
        return
    if facility.drawn_musd == 0:
        upfront = facility.upfront_fee * facility.commitment_musd
        _pay(ports, facility, "fee", used, max(first, ports.case.first), -upfront)
    for t in ports.case.horizon:
        if first <= t <= last:
            _pay(ports, facility, "fee", used, t, -facility.undrawn_fee / 4 * _room(facility))


def _pay(ports: Ports, facility: Facility, line: str, decision: Decision, t: Quarter, musd: float) -> None:
    after = line == "principal" and t > ports.case.last
    if musd and not after:
        site = "" if facility.site == ANY else facility.site
        ports.pay(line, CORPORATE, site, facility.facility, decision, t, [musd])


# ---- rows ---------------------------------------------------------------------------------------------------------


def _drawn(m: ConcreteModel, f: str) -> Linear:
    """What has been drawn by new decisions, $M."""
    drawn = Linear()
    for (name, *_), musd in m.draw.items():
        if name == f:
            drawn.add(1, musd)
    return drawn


def _project(facility: Facility) -> str | None:
    return None if facility.site == ANY else facility.site


def commitment(m: ConcreteModel, f: str) -> object:
    r"""No more is drawn than the lender has committed, and nothing from a facility that is not used.

    Math: D_{f,0} + \sum_t \mathrm{draw}_{f,t,w} \le K_f \, U_f
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    room = _room(m.case.facility[f])
    return at_most(_drawn(m, f).add(-room, m.used[f]), 0) if f in m.used else at_most(_drawn(m, f), room)


def nothing_repaid_twice(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""No more is repaid than is owed.

    Math: D_{f,t,w} = D_{f,t-1,w} + \mathrm{draw}_{f,t,w} - \mathrm{repaid}_{f,t,w} \ge 0
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().extend(m.accounts[f].closing[t], -1), 0)


def _spent(m: ConcreteModel, f: str, first: Quarter, last: Quarter) -> Linear:
    """AI capex that a lender counts, net of what tenants pay, from one quarter to another, $M."""
    spent = Linear()
    for t in m.case.horizon:
        if first <= t <= last:
            spent.extend(m.ai_capex[f][t], -1)
    return spent


def _lend_only_where_spent(m: ConcreteModel, draws: list[tuple[str, Quarter, str]]) -> None:
    """`lends[f,t,w]`: where tenants' money may come before the capex it pays for, whether a facility is owed at all.

    Without it a lender would ask something of a company that owes it nothing. No binary where no tenant pays.
    """
    case, w = m.case, m.ports.scenario
    early = bool(case.rows("tenant_funding"))
    lenders = [f for f in dict.fromkeys(f for f, _, _ in draws) if case.facility[f].loan_to_cost is not None]
    balances = [(f, t, w) for f in lenders for t in case.horizon if m.accounts[f].closing[t].terms]
    projects = [key for key in draws if case.facility[key[0]].site != ANY]
    m.lends = Var(balances if early else [], domain=Binary)
    m.pays = Var(projects if early else [], domain=Binary)
    hold(m, owed_only_if_lent, list(m.lends))
    hold(m, drawn_only_if_spent, list(m.pays))
    hold(m, loan_to_cost, balances)
    hold(m, project_loan_pays_its_project, projects)


def owed_only_if_lent(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""A facility with a loan-to-cost limit owes something only in quarters in which that limit is kept.

    Math: D_{f,t,w} \le K_f \, V_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    owed = Linear().extend(m.accounts[f].closing[t])
    return at_most(owed.add(-m.case.facility[f].commitment_musd, m.lends[f, t, w]), 0)


def drawn_only_if_spent(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""A ring-fenced project draws only in quarters in which it spends.

    Math: \mathrm{draw}_{f,t,w} \le K_f \, W_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().add(1, m.draw[f, t, w]).add(-_room(m.case.facility[f]), m.pays[f, t, w]), 0)


def loan_to_cost(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""A facility's balance never exceeds its share of the AI capex spent so far, at its site or everywhere.

    Math: D_{f,t,w} \le \ell_f \sum_{k \le t} \mathrm{capex}_{f,k} - \underline{c}_{f,t} (1 - V_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    covered = Linear().extend(_spent(m, f, m.case.first, t), m.case.facility[f].loan_to_cost or 0.0)
    return _within(Linear().extend(m.accounts[f].closing[t]), covered, member(m.lends, (f, t, w), None))


def project_loan_pays_its_project(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""What a ring-fenced project draws in a quarter, it spends on its own capex in that quarter.

    Math: \mathrm{draw}_{f,t,w} \le \mathrm{capex}_{s(f),t} - \underline{c}_{f,t} (1 - W_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return _within(Linear().add(1, m.draw[f, t, w]), _spent(m, f, t, t), member(m.pays, (f, t, w), None))


def _within(owed: Linear, covered: Linear, switch: Decision | None) -> object:
    """`owed <= covered`, where a switch is given only if it is on."""
    least = min(0.0, covered.range()[0])
    balance = owed.extend(covered, -1)
    if switch is not None:
        balance.add(-least, switch).add(least, 1)
    return at_most(balance, 0)


def lent_against_an_offer(m: ConcreteModel, f: str) -> object:
    r"""A loan against a customer's contract is drawn only if that contract is signed.

    Math: \sum_t \mathrm{draw}_{f,t,w} \le K_f \sum_{k,s,t} y_{c(f),k,s,t}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    facility = m.case.facility[f]
    if facility.requires_offer is None:
        return SKIP
    project = _project(facility)
    committed = [row for row in m.case.committed_contracts if row.offer == facility.requires_offer]
    if any(project in (None, row.site) for row in committed):
        return SKIP
    return at_most(_drawn(m, f).extend(signings(m, {facility.requires_offer}, project), -_room(facility)), 0)


def drawn_to_refinance(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""What is drawn to refinance another facility repays that facility in the same quarter.

    Math: \mathrm{draw}_{f,t,w} \le \mathrm{repaid}_{f',t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    other = m.case.facility[f].refinances
    if other is None:
        return SKIP
    return at_most(Linear().add(1, m.draw[f, t, w]).extend(m.accounts[other].repaid[t], -1), 0)


def debt_service_cover(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""Once a facility is used, the AI margin, of its site or of all, covers its interest and scheduled repayments.

    Math: \mathrm{margin}_{f,t} \ge d_f ( i_{f,t} + \mathrm{scheduled}_{f,t} ) + \underline{m}_{f,t} (1 - U_f)
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    facility, account = m.case.facility[f], m.accounts[f]
    margin = m.ai_margin[f][t]
    short = Linear().extend(margin, -1)
    for service in (account.interest[t], account.scheduled[t]):
        short.extend(service, facility.dscr or 0.0)
    if facility.drawn_musd > 0:
        return at_most(short, 0)
    if f not in m.used:
        return SKIP
    least = min(0.0, margin.range()[0])
    return at_most(short.add(-least, m.used[f]).add(least, 1), 0)


def outstanding(m: ConcreteModel) -> Mapping[tuple[str, Quarter, str], Decision | float]:
    """Whether a facility with a minimum of cash is owed at the end of a quarter: known, or a binary `owed[f,t,w]`."""
    case, w = m.case, m.ports.scenario
    asks = [f for f in case.facilities if f.minimum_cash_musd]
    balances = {
        (f.facility, t, w): m.accounts[f.facility].closing[t] for f in asks for t in case.horizon if t < f.maturity
    }
    m.owed = Var([key for key, balance in balances.items() if not balance.is_constant], domain=Binary)
    hold(m, owed_while_drawn, list(m.owed))
    return {key: member(m.owed, key, float(balance.constant > 1e-9)) for key, balance in balances.items()}


def owed_while_drawn(m: ConcreteModel, f: str, t: Quarter, w: str) -> object:
    r"""A facility counts as outstanding while anything of it is owed.

    Math: D_{f,t,w} \le K_f \, O_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(
        Linear().extend(m.accounts[f].closing[t]).add(-m.case.facility[f].commitment_musd, m.owed[f, t, w]), 0
    )
