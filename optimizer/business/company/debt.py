"""Debt: facilities that are drawn, repaid, refinanced, and what their lenders ask for meanwhile.

A loan is made of streams. A dollar drawn pays its interest and its scheduled repayments; a dollar prepaid takes the
later ones back. Draws are made at the start of a quarter, repayments at its end: what is drawn bears that quarter's
interest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pyomo.core import Binary, Block, NonNegativeReals, Var

from optimizer.business.lines import AI_MARGIN_LINES, CAPEX_LINES, CORPORATE
from optimizer.business.ports import Decision, Linear, OutcomePorts, Price
from optimizer.business.readout import DECIMALS, NOISE, Reading, Tables, frame
from optimizer.business.rows import SKIP, at_most, hold, member
from optimizer.business.uses.contracts import signings
from optimizer.case.case import Case
from optimizer.case.schema import Facility
from optimizer.ground.quarters import Quarter

AI_CAPEX_LINES = tuple(line for line in CAPEX_LINES if line != "machine_purchases")
"""The capex that lenders lend against."""


@dataclass
class Account:
    """A facility's balance, repayments and interest in each quarter, as sums of decisions, $M."""

    closing: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    repaid: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    scheduled: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))
    interest: dict[Quarter, Linear] = field(default_factory=lambda: defaultdict(Linear))


def add_debt(b: Block) -> None:
    """`draw[f,t,w]` and `prepay[f,t,w]` in $M, recourse; `used[f]` where fees or tests hang on it."""
    ports = b.ports
    case, w = ports.case, ports.scenario
    draws = [(f.facility, t, w) for f in case.facilities for t in _drawable(ports, f)]
    prepays = [(f.facility, t, w) for f in case.facilities for t in _prepayable(ports, f)]
    b.draw = Var(draws, domain=NonNegativeReals, bounds=lambda b, f, t, w: (0, _room(case.facility[f])))
    b.prepay = Var(prepays, domain=NonNegativeReals, bounds=lambda b, f, t, w: (0, case.facility[f].commitment_musd))
    drawable = dict.fromkeys(f for f, _, _ in draws)
    b.used = Var([f for f in drawable if _asks_for_use(case.facility[f])], domain=Binary)
    b.accounts = {f.facility: Account() for f in case.facilities}
    for facility in case.facilities:
        _carry(ports, facility, b.accounts[facility.facility], case.first, facility.drawn_musd, 1)
        _charge_fees(b, ports, facility)
    for f, t, _ in draws:
        _draw(ports, case.facility[f], b.accounts[f], t, b.draw[f, t, w])
    for f, t, _ in prepays:
        _prepay(ports, case.facility[f], b.accounts[f], t, b.prepay[f, t, w])
    b.ai_capex = {f.facility: ports.flow(AI_CAPEX_LINES, _project(case, f)) for f in case.facilities}
    b.ai_margin = {f.facility: ports.flow(AI_MARGIN_LINES, _project(case, f)) for f in case.facilities}
    hold(b, commitment, drawable)
    hold(b, nothing_repaid_twice, prepays)
    _lend_only_where_spent(b, draws)
    hold(b, lent_against_an_offer, drawable)
    hold(b, drawn_to_refinance, draws)
    hold(b, debt_service_cover, ((f.facility, t, w) for f in case.facilities for t in _tested(ports, f)))


def _drawable(ports: OutcomePorts, facility: Facility) -> list[Quarter]:
    first, last = facility.available_first, facility.available_last
    if first is None or last is None or not ports.shared.decide or _room(facility) <= 0:
        return []
    return [t for t in ports.case.horizon if first <= t <= last]


def _prepayable(ports: OutcomePorts, facility: Facility) -> list[Quarter]:
    if not (facility.prepayable and ports.shared.decide):
        return []
    begins = ports.case.first if facility.drawn_musd > 0 else facility.available_first or facility.maturity
    return [t for t in ports.case.horizon if begins <= t < facility.maturity]


def _room(facility: Facility) -> float:
    return facility.commitment_musd - facility.drawn_musd


def _asks_for_use(facility: Facility) -> bool:
    """Whether something hangs on a facility's being used at all; one with a balance is."""
    return facility.drawn_musd == 0 and bool(facility.upfront_fee or facility.undrawn_fee or facility.dscr)


def _tested(ports: OutcomePorts, facility: Facility) -> list[Quarter]:
    if facility.dscr is None or facility.dscr_from is None or not ports.shared.decide:
        return []
    return [t for t in ports.case.horizon if facility.dscr_from <= t < facility.maturity]


# ---- streams ------------------------------------------------------------------------------------------------------


def schedule(ports: OutcomePorts, facility: Facility, after: Quarter) -> dict[Quarter, float]:
    """Shares of a balance repaid at the end of each quarter past `after`: the rest of the schedule, made whole."""
    rows = {row.quarter: row.share for row in ports.case.amortisation if row.facility == facility.facility}
    left = {t: share for t, share in (rows or {facility.maturity: 1.0}).items() if t > after and share > 0}
    total = sum(left.values())
    return {t: left[t] / total for t in sorted(left)}


def base_rate(ports: OutcomePorts, facility: Facility, t: Quarter) -> float:
    """The floating part of a quarter's yearly rate: the base rate's path, its last quarter after the horizon."""
    if facility.base_rate is None:
        return 0.0
    return ports.case.base_rate[ports.scenario, facility.base_rate, min(t, ports.case.last)]


def _paid(ports: OutcomePorts, facility: Facility, t: Quarter) -> Quarter:
    """The quarter in which the interest of quarter `t` is paid."""
    drawn = facility.drawn_musd > 0 or facility.available_first is None
    anchor = ports.case.first if drawn else facility.available_first
    assert anchor is not None
    every = facility.interest_every_quarters
    return min(facility.maturity, t + (every - 1 - (t - anchor) % every))


def _carry(
    ports: OutcomePorts, facility: Facility, account: Account, first: Quarter, coefficient: float, decision: Decision
) -> None:
    """`coefficient x decision` of balance from quarter `first` on: its interest and its scheduled repayments."""
    if coefficient == 0:
        return
    repayments = schedule(ports, facility, first - 1)
    floating: dict[Quarter, float] = defaultdict(float)
    fixed: dict[Quarter, float] = defaultdict(float)
    balance = coefficient
    for t in (first + i for i in range(facility.maturity - first + 1)):
        floating[_paid(ports, facility, t)] += balance * base_rate(ports, facility, t) / 4
        fixed[_paid(ports, facility, t)] += balance * facility.margin / 4
        repaid = coefficient * repayments.get(t, 0.0)
        balance -= repaid
        account.closing[t].add(balance, decision)
        account.scheduled[t].add(repaid, decision)
        account.repaid[t].add(repaid, decision)
        _pay(ports, facility, "principal", decision, t, -repaid)
    for interest, follows in ((floating, ("base_rate", str(facility.base_rate))), (fixed, None)):
        for t, musd in interest.items():
            account.interest[t].add(musd, decision)
            _pay(ports, facility, "interest", decision, t, -musd, follows)


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
            _pay(ports, facility, "fee", used, t, -facility.undrawn_fee / 4 * _room(facility))


def _pay(
    ports: OutcomePorts, facility: Facility, line: str, decision: Decision, t: Quarter, musd: float,
    follows: Price | None = None,
) -> None:  # fmt: skip
    after = line == "principal" and t > ports.case.last
    if musd and not after:
        ports.pay(
            line,
            CORPORATE,
            _project(ports.case, facility) or "",
            facility.facility,
            decision,
            t,
            [musd],
            follows=follows,
        )


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
            site = _project(r.case, facility) or ""
            yield r.scenario, t, "principal", CORPORATE, site, facility.facility, drawn - repaid


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


def _drawn(b: Block, f: str) -> Linear:
    """What has been drawn by new decisions, $M."""
    drawn = Linear()
    for (name, *_), musd in b.draw.items():
        if name == f:
            drawn.add(1, musd)
    return drawn


def _project(case: Case, facility: Facility) -> str | None:
    """The site whose halls secure it, if one does."""
    sites = {site for site, _ in case.halls_of_facility[facility.facility]}
    return sites.pop() if len(sites) == 1 else None


def commitment(b: Block, f: str) -> object:
    r"""No more is drawn than the lender has committed, and nothing from a facility that is not used.

    Math: D_{f,0} + \sum_t \mathrm{draw}_{f,t,w} \le K_f \, U_f
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    room = _room(b.case.facility[f])
    return at_most(_drawn(b, f).add(-room, b.used[f]), 0) if f in b.used else at_most(_drawn(b, f), room)


def nothing_repaid_twice(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""No more is repaid than is owed.

    Math: D_{f,t,w} = D_{f,t-1,w} + \mathrm{draw}_{f,t,w} - \mathrm{repaid}_{f,t,w} \ge 0
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().extend(b.accounts[f].closing[t], -1), 0)


def _spent(b: Block, f: str, first: Quarter, last: Quarter) -> Linear:
    """AI capex that a lender counts, net of what tenants pay, from one quarter to another, $M."""
    spent = Linear()
    for t in b.case.horizon:
        if first <= t <= last:
            spent.extend(b.ai_capex[f][t], -1)
    return spent


def _lend_only_where_spent(b: Block, draws: list[tuple[str, Quarter, str]]) -> None:
    """`lends[f,t,w]`: where tenants' money may come before the capex it pays for, whether a facility is owed at all.

    Without it a lender would ask something of a company that owes it nothing. No binary where no tenant pays.
    """
    case, w = b.case, b.ports.scenario
    early = bool(case.rows("tenant_funding"))
    lenders = [f for f in dict.fromkeys(f for f, _, _ in draws) if case.facility[f].loan_to_cost is not None]
    balances = [(f, t, w) for f in lenders for t in case.horizon if b.accounts[f].closing[t].terms]
    projects = [key for key in draws if case.halls_of_facility[key[0]]]
    b.lends = Var(balances if early else [], domain=Binary)
    b.pays = Var(projects if early else [], domain=Binary)
    hold(b, owed_only_if_lent, list(b.lends))
    hold(b, drawn_only_if_spent, list(b.pays))
    hold(b, loan_to_cost, balances)
    hold(b, project_loan_pays_its_project, projects)


def owed_only_if_lent(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A facility with a loan-to-cost limit owes something only in quarters in which that limit is kept.

    Math: D_{f,t,w} \le K_f \, V_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    owed = Linear().extend(b.accounts[f].closing[t])
    return at_most(owed.add(-b.case.facility[f].commitment_musd, b.lends[f, t, w]), 0)


def drawn_only_if_spent(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A ring-fenced project draws only in quarters in which it spends.

    Math: \mathrm{draw}_{f,t,w} \le K_f \, W_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().add(1, b.draw[f, t, w]).add(-_room(b.case.facility[f]), b.pays[f, t, w]), 0)


def loan_to_cost(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A facility's balance never exceeds its share of the AI capex spent so far, at its site or everywhere.

    Math: D_{f,t,w} \le \ell_f \sum_{k \le t} \mathrm{capex}_{f,k} - \underline{c}_{f,t} (1 - V_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    covered = Linear().extend(_spent(b, f, b.case.first, t), b.case.facility[f].loan_to_cost or 0.0)
    return _within(Linear().extend(b.accounts[f].closing[t]), covered, member(b.lends, (f, t, w), None))


def project_loan_pays_its_project(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""What a ring-fenced project draws in a quarter, it spends on its own capex in that quarter.

    Math: \mathrm{draw}_{f,t,w} \le \mathrm{capex}_{s(f),t} - \underline{c}_{f,t} (1 - W_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return _within(Linear().add(1, b.draw[f, t, w]), _spent(b, f, t, t), member(b.pays, (f, t, w), None))


def _within(owed: Linear, covered: Linear, switch: Decision | None) -> object:
    """`owed <= covered`, where a switch is given only if it is on."""
    least = min(0.0, covered.range()[0])
    balance = owed.extend(covered, -1)
    if switch is not None:
        balance.add(-least, switch).add(least, 1)
    return at_most(balance, 0)


def lent_against_an_offer(b: Block, f: str) -> object:
    r"""A loan against a customer's contract is drawn only if that contract is signed.

    Math: \sum_t \mathrm{draw}_{f,t,w} \le K_f \sum_{k,s,t} y_{c(f),k,s,t}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    facility = b.case.facility[f]
    if facility.requires_offer is None:
        return SKIP
    project = _project(b.case, facility)
    committed = [row for row in b.case.committed_contracts if row.offer == facility.requires_offer]
    if any(project in (None, row.site) for row in committed):
        return SKIP
    return at_most(_drawn(b, f).extend(signings(b.model(), {facility.requires_offer}, project), -_room(facility)), 0)


def drawn_to_refinance(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""What is drawn to refinance another facility repays that facility in the same quarter.

    Math: \mathrm{draw}_{f,t,w} \le \mathrm{repaid}_{f',t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    other = b.case.facility[f].refinances
    if other is None:
        return SKIP
    return at_most(Linear().add(1, b.draw[f, t, w]).extend(b.accounts[other].repaid[t], -1), 0)


def debt_service_cover(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""Once a facility is used, the AI margin, of its site or of all, covers its interest and scheduled repayments.

    Math: \mathrm{margin}_{f,t} \ge d_f ( i_{f,t} + \mathrm{scheduled}_{f,t} ) + \underline{m}_{f,t} (1 - U_f)
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    facility, account = b.case.facility[f], b.accounts[f]
    margin = b.ai_margin[f][t]
    short = Linear().extend(margin, -1)
    for service in (account.interest[t], account.scheduled[t]):
        short.extend(service, facility.dscr or 0.0)
    if facility.drawn_musd > 0:
        return at_most(short, 0)
    if f not in b.used:
        return SKIP
    least = min(0.0, margin.range()[0])
    return at_most(short.add(-least, b.used[f]).add(least, 1), 0)


def outstanding(b: Block) -> Mapping[tuple[str, Quarter, str], Decision | float]:
    """Whether a facility with a minimum of cash is owed at the end of a quarter: known, or a binary `owed[f,t,w]`."""
    case, w = b.case, b.ports.scenario
    asks = [f for f in case.facilities if f.minimum_cash_musd and b.ports.shared.decide]
    balances = {
        (f.facility, t, w): b.accounts[f.facility].closing[t] for f in asks for t in case.horizon if t < f.maturity
    }
    b.owed = Var([key for key, balance in balances.items() if not balance.is_constant], domain=Binary)
    hold(b, owed_while_drawn, list(b.owed))
    return {key: member(b.owed, key, float(balance.constant > 1e-9)) for key, balance in balances.items()}


def owed_while_drawn(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A facility counts as outstanding while anything of it is owed.

    Math: D_{f,t,w} \le K_f \, O_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(
        Linear().extend(b.accounts[f].closing[t]).add(-b.case.facility[f].commitment_musd, b.owed[f, t, w]), 0
    )
