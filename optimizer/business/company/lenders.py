"""Lenders: what they ask for as long as they are owed something. A company that decides nothing is asked for nothing.

A facility is secured by halls, each a site and a product; one without halls is the company's, and all halls count for
it. Facilities with a hall in common share what it cost and what it earns: what each of them may owe alone, they may not
owe together.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations

from pyomo.core import Binary, Block, Var

from optimizer.business.company.debt import drawable, drawn_in_all, room
from optimizer.business.lines import AI_CAPEX_LINES, AI_MARGIN_LINES, LINES, cost_of_debt
from optimizer.business.ports import Decision, Hall, Linear
from optimizer.business.rows import SKIP, at_most, hold, member
from optimizer.business.uses.contracts import signings
from optimizer.case.case import Case
from optimizer.case.schema import Facility
from optimizer.ground.quarters import Quarter

Shares = Mapping[str, Mapping[Hall, float]]
"""By facility, the share of each hall's cost that it may reach."""

ROUNDING = 1e-9
"""Shares that differ by less are the same."""


def add_lenders(b: Block) -> None:
    """Every clause of loans that can be drawn or are owed, but for cash, which the treasury knows."""
    capex, margin = b.ports.flow_by_hall(AI_CAPEX_LINES), b.ports.flow_by_hall(AI_MARGIN_LINES)
    b.hall_margin, b.hall_capex = margin, {g: _turned(paid) for g, paid in capex.items()}
    b.hall_cost = {g: _to_date(spent) for g, spent in b.hall_capex.items()}
    _lend_only_where_spent(b)
    hold(b, lent_against_an_offer, dict.fromkeys(f for f, _, _ in b.draw))
    hold(b, drawn_to_refinance, list(b.draw))
    _test_cover(b)


def _turned(paid: Mapping[Quarter, Linear]) -> dict[Quarter, Linear]:
    return {t: Linear().extend(musd, -1) for t, musd in paid.items()}


def _to_date(spent: Mapping[Quarter, Linear]) -> dict[Quarter, Linear]:
    """Sums of all quarters so far."""
    sofar, to_date = Linear(), {}
    for t, musd in spent.items():
        sofar = Linear().extend(sofar).extend(musd)
        to_date[t] = sofar
    return to_date


def secured_by(case: Case, f: str, halls: Sequence[Hall]) -> list[Hall]:
    """Of some halls those that secure a facility; all of them where the company borrows."""
    held = case.halls_of_facility[f]
    return [g for g in halls if not held or g in held]


# ---- what is lent against -----------------------------------------------------------------------------------------


def _lend_only_where_spent(b: Block) -> None:
    """`lends[f,t,w]`, `pays[f,t,w]`: where tenants' money may come before the capex it pays for, whether f owes, draws.

    Without them a lender would ask something of a company that owes it nothing. No binary where no tenant pays.
    """
    case, w, halls = b.case, b.ports.scenario, list(b.hall_capex)
    early = bool(case.rows("tenant_funding"))
    drawn = dict.fromkeys(f for f, _, _ in b.draw)
    lent = {f: case.facility[f].loan_to_cost for f in drawn}
    b.cost_shares = {
        f: dict.fromkeys(secured_by(case, f, halls), share) for f, share in lent.items() if share is not None
    }
    b.project_shares = {f: dict.fromkeys(secured_by(case, f, halls), 1.0) for f in drawn if case.halls_of_facility[f]}
    balances = [(f, t, w) for f in b.cost_shares for t in case.horizon if b.accounts[f].closing[t].terms]
    projects = [key for key in b.draw if key[0] in b.project_shares]
    b.lends = Var(balances if early else [], domain=Binary)
    b.pays = Var(projects if early else [], domain=Binary)
    hold(b, owed_only_if_lent, list(b.lends))
    hold(b, drawn_only_if_spent, list(b.pays))
    hold(b, loan_to_cost, balances)
    hold(b, project_loan_pays_its_project, projects)
    hold(b, loans_share_their_cost, _together(b, b.cost_shares, balances, early))
    hold(b, project_loans_share_their_capex, _together(b, b.project_shares, projects, early))


def _together(
    b: Block, shares: Shares, index: list[tuple[str, Quarter, str]], early: bool
) -> list[tuple[str, Quarter, str]]:
    """For each quarter the sets of facilities that need a row of their own, by their names."""
    rows = []
    by_quarter: dict[Quarter, list[str]] = {}
    for f, t, _ in index:
        by_quarter.setdefault(t, []).append(f)
    sets = cache(lambda names: needed_sets({f: shares[f] for f in names}, supersets_count=not early))
    for t, names in by_quarter.items():
        for together in sets(tuple(names)):
            rows.append((repr(together), t, b.ports.scenario))
    return rows


def named_together(index: str) -> tuple[str, ...]:
    """The facilities that a row of a clause is about, by what stands first in its index: one name, or several."""
    try:
        named: tuple[str, ...] = literal_eval(index)
    except (ValueError, SyntaxError):
        return (index,)
    return named if isinstance(named, tuple) else (index,)


def needed_sets(shares: Shares, *, supersets_count: bool) -> list[tuple[str, ...]]:
    """Sets of two or more facilities whose joint limit says more than those of their parts.

    Nor, where `supersets_count`, does a set say anything that has the limit of a larger one: no balance is negative.
    """
    names, found = list(shares), []
    for size in range(2, len(names) + 1):
        for together in combinations(names, size):
            joint = shared(shares, together)
            split = any(_adds_up(shares, joint, part, together) for part in _parts(together))
            larger = (shared(shares, (*together, f)) for f in names if f not in together)
            if not split and not (supersets_count and any(_same(joint, other) for other in larger)):
                found.append(together)
    return found


def shared(shares: Shares, together: Sequence[str]) -> dict[Hall, float]:
    """How much of each hall's cost some facilities may reach together: their shares' sum, never more than all."""
    total: dict[Hall, float] = {}
    for f in together:
        for g, share in shares[f].items():
            total[g] = total.get(g, 0.0) + share
    return {g: min(1.0, share) for g, share in total.items() if share > 0}


def _parts(together: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Halves that hold the first of them, all but the whole."""
    for size in range(len(together) - 1):
        for others in combinations(together[1:], size):
            yield together[0], *others


def _adds_up(shares: Shares, joint: Mapping[Hall, float], part: tuple[str, ...], together: tuple[str, ...]) -> bool:
    """Whether the limits of a part and of the rest come to the limit of all."""
    halves = [shared(shares, part), shared(shares, [f for f in together if f not in part])]
    return all(abs(sum(half.get(g, 0.0) for half in halves) - share) < ROUNDING for g, share in joint.items())


def _same(one: Mapping[Hall, float], other: Mapping[Hall, float]) -> bool:
    return all(abs(one.get(g, 0.0) - other.get(g, 0.0)) < ROUNDING for g in one.keys() | other.keys())


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
    r"""A loan that is secured by halls is drawn only in quarters in which they spend.

    Math: \mathrm{draw}_{f,t,w} \le K_f \, W_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    return at_most(Linear().add(1, b.draw[f, t, w]).add(-room(b.case.facility[f]), b.pays[f, t, w]), 0)


def loan_to_cost(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A facility's balance never exceeds its share of what its halls have cost so far, tenants' money taken off.

    Math: D_{f,t,w} \le \ell_f \sum_{g \in H_f} c_{g,t} - \underline{c}_{f,t} (1 - V_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    limit = dict.fromkeys(secured_by(b.case, f, list(b.hall_cost)), b.case.facility[f].loan_to_cost or 0.0)
    return _within(Linear().extend(b.accounts[f].closing[t]), limit, b.hall_cost, t, [member(b.lends, (f, t, w), 1)])


def loans_share_their_cost(b: Block, together: str, t: Quarter, w: str) -> object:
    r"""No dollar of a hall's cost secures two loans: what some owe together is at most what they reach together.

    Math: \sum_{f \in S} D_{f,t,w} \le \sum_g \min(1, \sum_{f \in S : g \in H_f} \ell_f) \, c_{g,t}
    Unit: $M
    Source: the loan agreements
    Kind: negotiable
    """
    owed, facilities = Linear(), named_together(together)
    for f in facilities:
        owed.extend(b.accounts[f].closing[t])
    limits = {f: b.case.facility[f].loan_to_cost or 0.0 for f in facilities}
    shares = {f: dict.fromkeys(secured_by(b.case, f, list(b.hall_cost)), limit) for f, limit in limits.items()}
    return _within(
        owed, shared(shares, facilities), b.hall_cost, t, [member(b.lends, (f, t, w), 1) for f in facilities]
    )


def project_loan_pays_its_project(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""What is drawn of a loan that halls secure is spent in that quarter on the capex of those halls.

    Math: \mathrm{draw}_{f,t,w} \le \sum_{g \in H_f} \mathrm{capex}_{g,t} - \underline{c}_{f,t} (1 - W_{f,t,w})
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    spent = Linear().add(1, b.draw[f, t, w])
    return _within(spent, b.project_shares[f], b.hall_capex, t, [member(b.pays, (f, t, w), 1)])


def project_loans_share_their_capex(b: Block, together: str, t: Quarter, w: str) -> object:
    r"""What is drawn of several such loans in a quarter is spent in it on the capex of all their halls, once.

    Math: \sum_{f \in S} \mathrm{draw}_{f,t,w} \le \sum_{g \in \cup_{f \in S} H_f} \mathrm{capex}_{g,t}
    Unit: $M
    Source: the loan agreements
    Kind: physical
    """
    spent, facilities = Linear(), named_together(together)
    for f in facilities:
        spent.add(1, b.draw[f, t, w])
    switches = [member(b.pays, (f, t, w), 1) for f in facilities]
    return _within(spent, shared(b.project_shares, facilities), b.hall_capex, t, switches)


def _within(
    owed: Linear, shares: Mapping[Hall, float], spent: Mapping[Hall, Mapping[Quarter, Linear]], t: Quarter,
    switches: Sequence[Decision],
) -> object:  # fmt: skip
    """What is owed stays within shares of what halls spent, if all switches are on.

    Each that is off gives as much room as tenants' money can be ahead of capex.
    """
    balance, least = Linear().extend(owed), 0.0
    for g, share in shares.items():
        balance.extend(spent[g][t], -share)
        least += share * min(0.0, spent[g][t].range()[0])
    for switch in switches:
        balance.add(-least, switch).add(least, 1)
    return at_most(balance, 0)


def lent_against_an_offer(b: Block, f: str) -> object:
    r"""A loan against a customer's contract is drawn only if that contract is signed, in its halls if it has any.

    Math: \sum_t \mathrm{draw}_{f,t,w} \le K_f \sum_{k,s,t} y_{c(f),k,s,t}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    facility, needed = b.case.facility[f], b.case.facility[f].requires_offer
    if needed is None:
        return SKIP
    product = b.case.offer[needed].product
    halls = secured_by(b.case, f, [(site, product) for site in b.case.sites_of_offer[needed]])
    if any(row.offer == needed and (row.site, product) in halls for row in b.case.committed_contracts):
        return SKIP
    drawn = drawn_in_all(b, f)
    for site, _ in halls:
        drawn.extend(signings(b.model(), {needed}, site), -room(facility))
    return at_most(drawn, 0)


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


# ---- what pays for it ---------------------------------------------------------------------------------------------


def served_before(case: Case, f: str) -> list[str]:
    """Whose debt service a facility's cover counts: that of all that rank equal or before it and share a hall with it.

    A company's loan shares all halls, and none that is secured counts it.
    """
    mine, held = case.facility[f], case.halls_of_facility
    return [
        row.facility
        for row in case.facilities
        if (row.rank or 1) <= (mine.rank or 1)
        and (not held[f] or bool(held[f] & held[row.facility]))
    ]  # fmt: skip


def is_tested(facility: Facility, t: Quarter) -> bool:
    """Whether a facility's cover is tested in a quarter in which it is owed."""
    since = facility.dscr_from
    return facility.dscr is not None and since is not None and since <= t < facility.maturity


def _test_cover(b: Block) -> None:
    """`tested[f,t,w]`: whether a facility is owed in a quarter of its test, where more than its own service is asked.

    One that is not repaid early is owed from its last draw on, or never.
    """
    case, w = b.case, b.ports.scenario
    tests = [
        (f.facility, t, w)
        for f in case.facilities
        for t in case.horizon
        if b.ports.shared.decide and is_tested(f, t) and (f.drawn_musd > 0 or drawable(b.ports, f))
    ]
    free = [key for key in tests if not _always_owed(case.facility[key[0]]) and _asked_of_the_others(b, *key[:2]) > 0]
    b.tested = Var(dict.fromkeys(_told_by(b, *key) for key in free), domain=Binary)
    hold(b, tested_while_owed, list(b.tested))
    hold(b, debt_service_cover, tests)


def _always_owed(facility: Facility) -> bool:
    return facility.drawn_musd > 0 and not facility.prepayable


def _told_by(b: Block, f: str, t: Quarter, w: str) -> tuple[str, Quarter, str]:
    """The quarter whose `tested` says whether a facility is owed in a quarter of its test."""
    facility = b.case.facility[f]
    last, since = facility.available_last, facility.dscr_from
    if facility.prepayable or last is None or since is None:
        return f, t, w
    return f, min(t, max(last, since, b.case.first)), w


def tested_while_owed(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""A facility's cover is tested in a quarter in which anything of it is owed.

    Math: D_{f,t-1,w} + \mathrm{draw}_{f,t,w} \le K_f \, A_{f,t,w}
    Unit: $M
    Source: the loan agreement
    Kind: physical
    """
    owed = Linear().extend(b.accounts[f].closing[t]).extend(b.accounts[f].repaid[t])
    return at_most(owed.add(-b.case.facility[f].commitment_musd, b.tested[f, t, w]), 0)


def debt_service_cover(b: Block, f: str, t: Quarter, w: str) -> object:
    r"""While a facility is owed, its halls' AI margin covers its service and that of all that rank equal or before it.

    Math: \sum_{g \in H_f} \mathrm{margin}_{g,t} \ge d_f \sum_{f' \preceq f} s_{f',t,w} - \overline{m}_{f,t} (1 - A)
    Unit: $M
    Source: the loan agreement
    Kind: negotiable
    """
    short, told = _short_of_cover(b, f, t, served_before(b.case, f)), _told_by(b, f, t, w)
    if told in b.tested:
        most = _asked_of_the_others(b, f, t)
        short.add(most, b.tested[told]).add(-most, 1)
    return at_most(short, 0)


def _asked_of_the_others(b: Block, f: str, t: Quarter) -> float:
    """The most that a facility's cover could be short of in a quarter in which it owes nothing, $M.

    Its own service is nothing then, but for interest that has accrued.
    """
    every = b.case.facility[f].interest_every_quarters
    others = [other for other in served_before(b.case, f) if other != f or every > 1]
    return max(0.0, _short_of_cover(b, f, t, others).range()[1])


def _short_of_cover(b: Block, f: str, t: Quarter, served: Sequence[str]) -> Linear:
    """What the margin of a facility's halls lacks to cover the service of some facilities, $M."""
    short = Linear()
    for other in served:
        for service in _service(b, b.case.facility[other], t):
            short.extend(service, b.case.facility[f].dscr or 0.0)
    for g in secured_by(b.case, f, list(b.hall_margin)):
        short.extend(b.hall_margin[g][t], -1)
    return short


def _service(b: Block, facility: Facility, t: Quarter) -> list[Linear]:
    """Interest paid in a quarter and scheduled repayments, but for the balloon at maturity, $M."""
    account = b.accounts[facility.facility]
    return [account.interest[t]] if t == facility.maturity else [account.interest[t], account.scheduled[t]]


# ---- what is left owed ----------------------------------------------------------------------------------------------


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


def add_end(b: Block) -> None:
    """`borrows[w]`: whether anything is drawn, and then what lenders ask of the company's last quarter."""
    w = b.ports.scenario
    b.borrows = Var([w] if len(b.draw) else [], domain=Binary)
    hold(b, borrows_where_drawn, list(b.borrows))
    hold(b, owed_at_the_end, [(b.case.last, w) for w in b.borrows])


def borrows_where_drawn(b: Block, w: str) -> object:
    r"""A company borrows that draws anything.

    Math: \sum_{f,t} \mathrm{draw}_{f,t,w} \le B_w \sum_f K_f
    Unit: $M
    Source: the loan agreements
    Kind: physical
    """
    drawn, most = Linear(), 0.0
    for f in dict.fromkeys(f for f, _, _ in b.draw):
        drawn.extend(drawn_in_all(b, f))
        most += room(b.case.facility[f])
    return at_most(drawn.add(-most, b.borrows[w]), 0)


_REPAY = ("AI margin", "customers' money", "capex", "residual")
REPAYING_LINES = (*(name for name, line in LINES.items() if line.group in _REPAY), "gpu_sales", "tax")
"""What still comes in after the horizon, and what it costs, to repay what is owed then."""


def owed_at_the_end(b: Block, t: Quarter, w: str) -> object:
    r"""Who borrows owes no more at the end, less cash above the minimum, than halls and contracts still bring then.

    It counts at the normal cost of debt as on the day after the horizon, tax taken off: every stream must be known.

    Math: \sum_f D_{f,T,w} - (C_{T,w} - C^{\min}) \le \kappa \sum_{t > T} \delta_{t-T} \mathrm{cash}_{t,w} + M (1 - B_w)
    Unit: $M
    Source: nobody lends what nothing is left to repay
    Kind: negotiable
    """
    case = b.case
    cover = 1.0 if case.settings.end_coverage is None else case.settings.end_coverage
    short = Linear(case.settings.minimum_cash_musd).extend(b.closing_cash[t], -1)
    for account in b.accounts.values():
        short.extend(account.closing[t])
    short.extend(b.ports.worth_at_the_end(REPAYING_LINES, cost_of_debt(case)), -cover)
    most = max(0.0, short.range()[1])
    return at_most(short.add(most, b.borrows[w]).add(-most, 1), 0)
