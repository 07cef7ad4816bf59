"""The best value of a small case, found by trying every start and every signing.

An independent reading of the semantics page: it takes the tables of a case and nothing else from the
optimiser, and does its own arithmetic. Each combination of construction starts and signed offers that the
integer-only rules allow is tried in turn; what is left (contract sizes, market sales, machines, loans, cash)
is a linear program, with a handful of whole numbers where a loan is used or GPUs are refreshed, solved by scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import product as all_choices

from oracle_contracts import Contract, Contracts, Deal, contracts_of_sizes
from oracle_future import Future, days_of, first_day
from oracle_halls import (
    Halls,
    Start,
    Starts,
    capex,
    deposit_quarters,
    handed_over_gross_mw,
    most_usable_it_mw,
    site_limit,
    under_construction,
)
from oracle_mining import Fleet, add_mining, add_ratchets
from oracle_program import FIXED, SLACK, Program, Solution, total
from oracle_treasury import Treasury

from optimizer.case.case import Case
from optimizer.case.schema import Option
from optimizer.ground.quarters import Quarter, span

__all__ = [
    "Best",
    "best_plan",
    "best_value",
    "combinations",
    "days_of",
    "do_nothing_lowest_cash",
    "do_nothing_value",
    "starts_of_option",
]

USUAL_LIFE = 120
"""Quarters over which a residual falls to nothing where a product does not say."""


@dataclass(frozen=True)
class Best:
    """The best combination found, the features it makes use of, and how many combinations were tried."""

    value_musd: float
    starts: Starts
    contracts: Contracts
    active: frozenset[str]
    tried: int


def best_value(case: Case, scenario: str) -> float | None:
    """The highest value in $M over all combinations; None when none is feasible."""
    best = best_plan(case, scenario)
    return None if best is None else best.value_musd


def best_plan(case: Case, scenario: str) -> Best | None:
    common = Common(case, scenario, decide=True)
    best, of, tried = None, None, 0
    for starts, contracts in combinations(case):
        tried += 1
        found = common.program(starts, contracts).best(-math.inf if best is None else best.value_musd)
        if found is not None:
            best, of = found, (starts, contracts)
    if best is None or of is None:
        return None
    active = best.active | common.terms_in_force(*of)
    return Best(best.value_musd, *of, active, tried)


def do_nothing_value(case: Case, scenario: str) -> float | None:
    """The value with commitments alone; what only a decision could keep is not enforced."""
    found = do_nothing(Common(case, scenario, decide=False))
    return None if found is None else found.value_musd


def do_nothing_lowest_cash(case: Case, scenario: str) -> float | None:
    """The least $M that doing nothing has at a quarter's end."""
    common = Common(case, scenario, decide=False)
    found = do_nothing(common)
    return None if found is None else float(min(found.decisions[column] for column in common.treasury.cash.values()))


def do_nothing(common: Common) -> Solution | None:
    case = common.case
    starts = tuple(Start(row.option, row.quarter, row.blocks) for row in case.committed_starts)
    committed = (committed_contract(case, offer.offer) for offer in case.offers)
    return common.program(starts, tuple(contract for contract in committed if contract is not None)).best()


# ---- every combination that the integer-only rules allow -----------------------------------------


def combinations(case: Case) -> Iterator[tuple[Starts, Contracts]]:
    for starts in all_starts(case):
        for contracts in all_contracts(case, starts):
            yield starts, contracts


def all_starts(case: Case) -> Iterator[Starts]:
    for choice in all_choices(*(starts_of_option(case, option) for option in case.options)):
        starts = tuple(start for of_option in choice for start in of_option)
        if starts_allowed(case, starts):
            yield starts


def starts_of_option(case: Case, option: Option) -> list[Starts]:
    """Every way to start blocks of one option: the committed ones, and new ones where it allows them."""
    committed = {row.quarter: row.blocks for row in case.committed_starts if row.option == option.option}
    room = option.max_blocks - sum(committed.values())
    open_to = [t for t in case.horizon if start_allowed(case, option, t)]
    patterns = []
    for new in all_choices(range(room + 1), repeat=len(open_to)):
        if sum(new) <= room:
            blocks = dict(committed)
            for t, count in zip(open_to, new, strict=True):
                blocks[t] = blocks.get(t, 0) + count
            patterns.append(tuple(Start(option.option, t, count) for t, count in blocks.items() if count))
    return patterns


def halls_of(case: Case) -> set[tuple[str, str]]:
    """Sites and products that a hall can be let as: its own, and another once its GPUs are gone."""
    own = {(option.site, option.product) for option in case.options}
    return own | {(case.option[r.option].site, r.relet_product) for r in case.rows("gpu_lives") if r.relet_product}


def start_allowed(case: Case, option: Option, t: Quarter) -> bool:
    site = case.site[option.site]
    fits_site = site.firm_power and site.fibre and option.rack_kw <= site.max_rack_kw
    time_to_pay = t - deposit_quarters(case, option.option) >= case.first
    return fits_site and time_to_pay and t >= option.earliest and t + option.lead_quarters <= case.last


def starts_allowed(case: Case, starts: Starts) -> bool:
    """The rules on starts alone: power, construction caps, budgets."""
    return (
        all(
            handed_over_gross_mw(case, starts, site.site, t) <= site_limit(case, site.site, t) + SLACK
            for site in case.sites
            for t in case.horizon
        )
        and all(
            sum(handed_over_gross_mw(case, starts, site, t) for site in sites) <= limit + SLACK
            for sites, t, limit in shared_limits(case)
        )
        and construction_allowed(case, starts)
        and budget_kept(case, starts)
    )


def shared_limits(case: Case) -> Iterator[tuple[list[str], Quarter, float]]:
    """Sites that share a limit, the quarter, and the gross MW."""
    for group in dict.fromkeys(row.group for row in case.rows("grid_groups")):
        sites = [row.site for row in case.rows("grid_groups") if row.group == group]
        for t in case.horizon:
            steps = [r for r in case.rows("grid_group_limits") if r.group == group and r.from_quarter <= t]
            yield sites, t, max(steps, key=lambda row: row.from_quarter).limit_gross_mw


def construction_allowed(case: Case, starts: Starts) -> bool:
    most_blocks = case.settings.max_blocks_under_construction
    most_it_mw = case.settings.max_it_mw_under_construction
    for t in case.horizon:
        blocks, it_mw = under_construction(case, starts, t)
        if most_blocks is not None and blocks > most_blocks:
            return False
        if most_it_mw is not None and it_mw > most_it_mw + SLACK:
            return False
    return True


def budgets(case: Case) -> Iterator[tuple[float, list[Quarter]]]:
    """Most that may be spent, and the quarters in which."""
    yield case.settings.capex_budget_musd, list(case.horizon)
    for row in case.budget_years:
        yield row.capex_budget_musd, [t for t in case.horizon if first_day(t).year == row.year]


def budget_kept(case: Case, starts: Starts) -> bool:
    spent = capex(case, starts)
    return all(sum(spent.get(t, 0.0) for t in quarters) <= most + SLACK for most, quarters in budgets(case))


def keep_use_limits(program: Program, halls: Halls) -> None:
    """Floors and ceilings on what is in service as a product."""
    for limit in halls.case.use_limits:
        for t in halls.case.horizon if limit.use != "mining" else ():
            if limit.first <= t <= limit.last:
                low = -math.inf if limit.min_mw is None else limit.min_mw - SLACK
                high = math.inf if limit.max_mw is None else limit.max_mw + SLACK
                program.row(halls.in_service(limit, t), low, high)


def all_contracts(case: Case, starts: Starts, decided: Contracts = (), seen: int = 0) -> Iterator[Contracts]:
    """Every way to sign or refuse the offers, one after the other; the first `seen` ones are decided."""
    if seen == len(case.offers):
        if prerequisites_met(case, decided):
            yield decided
        return
    for choice in choices_of_offer(case, case.offers[seen].offer):
        contracts = decided if choice is None else (*decided, choice)
        if choice is None or (fits(case, starts, contracts, choice) and exclusive(case, contracts)):
            yield from all_contracts(case, starts, contracts, seen + 1)


def choices_of_offer(case: Case, name: str) -> list[Contract | None]:
    """Refuse, or sign for a site, a quarter and a price tier; a committed offer leaves no choice."""
    committed = committed_contract(case, name)
    if committed is not None:
        return [committed]
    offer = case.offer[name]
    if offer.sign_by is not None and offer.sign_by < case.first:
        return [None]
    convertible = {site for site, product in halls_of(case) if product == offer.product}
    sites = [row.site for row in case.offer_sites if row.offer == name and row.site in convertible]
    window = [t for t in case.horizon if offer.window_first <= t <= latest_delivery(case, name)]
    signed = (contracts_of_sizes(case, name, s, t, offer.min_it_mw, offer.max_it_mw) for s in sites for t in window)
    return [None, *(contract for contracts in signed for contract in contracts)]


def latest_delivery(case: Case, name: str) -> Quarter:
    """Of a new contract: within its window, and by its deadline unless lateness may be planned."""
    late = [row.deadline for row in case.rows("late_delivery") if row.offer == name]
    allowed = case.settings.allow_planned_lateness
    return min([case.offer[name].window_last, *([] if allowed else late)])


def committed_contract(case: Case, name: str) -> Contract | None:
    for row in case.committed_contracts:
        if row.offer == name:
            return contracts_of_sizes(case, name, row.site, row.quarter, row.it_mw, row.it_mw)[0]
    return None


def surely_held(case: Case, contract: Contract, t: Quarter) -> float:
    """IT MW that a contract holds in a quarter of its firm term whatever its size; none where it may be short."""
    if not contract.quarter <= t < contract.quarter + case.offer[contract.offer].term_quarters:
        return 0.0
    late = [row for row in case.rows("late_delivery") if row.offer == contract.offer]
    if late and late[0].deadline <= t < late[0].deadline + late[0].walk_away_quarters:
        return 0.0
    tranches = [row for row in case.rows("tranches") if row.offer == contract.offer]
    share = sum(row.share for row in tranches if contract.quarter + row.quarters_after <= t) if tranches else 1.0
    return contract.min_it_mw * share


def fits(case: Case, starts: Starts, contracts: Contracts, newest: Contract) -> bool:
    """Whether the contracts' smallest sizes fit the usable capacity where the newest one is delivered."""
    product = case.offer[newest.offer].product
    same_halls = [c for c in contracts if c.site == newest.site and case.offer[c.offer].product == product]
    return all(
        sum(surely_held(case, c, t) for c in same_halls)
        <= most_usable_it_mw(case, starts, newest.site, product, t) + SLACK
        for t in case.horizon
        if surely_held(case, newest, t) > 0
    )


def exclusive(case: Case, contracts: Contracts) -> bool:
    groups = [case.offer[c.offer].exclusive_group for c in contracts]
    named = [group for group in groups if group is not None]
    return len(named) == len(set(named))


def prerequisites_met(case: Case, contracts: Contracts) -> bool:
    """In each quarter of the horizon an offer is delivered only where what it requires is delivered too."""
    begun = {c.offer: max(c.quarter, case.first) for c in contracts}
    never = case.last + 1
    return all(begun.get(row.requires, never) <= begun.get(row.offer, never) for row in case.rows("prerequisites"))


# ---- what is left once starts and contracts are chosen -------------------------------------------


class Common:
    """What all combinations of a case share: machines and money that no start and no signing changes."""

    def __init__(self, case: Case, scenario: str, *, decide: bool):
        self.case = case
        self.future = Future(case, scenario)
        self.decide = decide
        self.deals: dict[Contract, Deal] = {}
        self.base = Program(case)
        self.fleet: Fleet = add_mining(self.base, self.future, decide=decide)
        add_fixed_money(self.base, self.future)
        self.sales: Sales = {
            (site, name, t): sell(self.base, self.future, site, name, t)
            for site, name in self.future.halls
            for t in case.horizon
        }
        self.treasury = Treasury(self.base, self.future, self.fleet.mined, decide=decide)

    def deal(self, contract: Contract) -> Deal:
        if contract not in self.deals:
            self.deals[contract] = Deal(self.future, contract)
        return self.deals[contract]

    def program(self, starts: Starts, contracts: Contracts) -> Program:
        """What is left to decide with exactly these starts and contracts."""
        program, case = self.base.copy(), self.case
        for t in case.horizon:
            for site in case.sites:
                blocks = handed_over_gross_mw(case, starts, site.site, t)
                program.at_most(self.fleet.at(site.site, t), site_limit(case, site.site, t) - blocks)
        for sites, t, limit in shared_limits(case):
            machines = total(self.fleet.at(site, t) for site in sites)
            blocks = sum(handed_over_gross_mw(case, starts, site, t) for site in sites)
            program.at_most(machines, limit - blocks, "shared limit tight")
        halls = Halls(program, self.future, starts, decide=self.decide)
        signed = [sign(program, self.deal(contract)) for contract in contracts]
        add_capacity(program, halls, signed, self.sales)
        add_ratchets(program, self.future, self.fleet, partial(drawn_gross_mw, self.future, signed, self.sales))
        if self.decide:
            keep_use_limits(program, halls)
            for most, quarters in budgets(case):
                program.at_most(program.summed("outlay", quarters), most, "budget tight")
            add_customer_share(program, self.future, signed, self.sales)
        self.treasury.close(program, contracts)
        return program

    def terms_in_force(self, starts: Starts, contracts: Contracts) -> frozenset[str]:
        """Features without a line of their own, where a start or a signed offer has them and they change something."""
        words = {"deposit" for start in starts if deposit_quarters(self.case, start.option)}
        for contract in contracts:
            deal, name = self.deal(contract), contract.offer
            seen = [t for t in case_quarters(deal) if t >= self.case.first]
            if self.future.term("index_escalators", name) and any(deal.escalation(t) != 1 for t in seen):
                words.add("index escalator")
            if any(row.site == contract.site for row in self.future.terms("site_prices", name)):
                words.add("site price")
            present = {"price tier": contract.price_share != 1, "tranches": len(deal.tranches) > 1}
            present |= {"extension taken": bool(deal.taken_steps), "usage": deal.taken_share != 1}
            present |= {"take or pay": deal.billed_share > deal.taken_share}
            present |= {"rent free": self.future.term("rent_free", name) is not None}
            words |= {word for word, holds in present.items() if holds}
            words |= {"prerequisite" for row in self.case.rows("prerequisites") if row.offer == name}
        return frozenset(words)


def case_quarters(deal: Deal) -> list[Quarter]:
    return [deal.begins + j for j in deal.quarters]


def add_fixed_money(program: Program, future: Future) -> None:
    """Overheads and dated obligations."""
    case = future.case
    for row in case.overheads:
        if row.quarter in case.horizon:
            program.book("g_and_a", row.quarter, {FIXED: -row.g_and_a_musd}, "corporate")
    for owed in case.obligations:
        if owed.quarter in case.horizon:
            line = {"interest": "owed interest", "fee": "owed fee"}.get(owed.kind, owed.kind)
            sign = 1 if owed.kind == "asset_sale" else -1
            program.book(line, owed.quarter, {FIXED: sign * owed.musd}, "corporate")


# ---- AI ------------------------------------------------------------------------------------------


Sales = dict[tuple[str, str, Quarter], int]


Missing = tuple[int, Quarter]
"""A tranche and a quarter in which some of it is not delivered."""


@dataclass
class Signed:
    """A contract in the program: columns of its size and of what is not delivered of its tranches."""

    deal: Deal
    size: int
    missing: dict[Missing, int] = field(default_factory=dict)

    def held(self, t: Quarter) -> dict[int, float]:
        held = self.deal.held(t)
        return {self.size: held} if held else {}

    def occupied(self, t: Quarter) -> dict[int, float]:
        """Capacity that it takes from the halls: what it holds, less what is not delivered."""
        return self.held(t) | {column: -1.0 for (_, q), column in self.missing.items() if q == t}

    def rent(self, t: Quarter) -> dict[int, float]:
        rent = {self.size: self.deal.rent_in(t)}
        for (tranche, q), column in self.missing.items():
            flows = self.deal.waiting(tranche, q)
            rent[column] = sum(musd for line, paid, musd in flows if (line, paid) == ("rent", t))
        return rent

    def drawn(self, t: Quarter) -> dict[int, float]:
        """IT MW in use, before its load factor."""
        drawn = {self.size: self.deal.drawn_in(t)}
        for (tranche, q), column in self.missing.items():
            due = self.deal.begins + self.deal.tranches[tranche][0]
            now = due if q == self.deal.late_quarters(tranche)[0] else q
            drawn[column] = self.deal.draws_after(tranche, q + 1, t) - self.deal.draws_after(tranche, now, t)
        return drawn


def drawn_gross_mw(future: Future, signed: list[Signed], sales: Sales, site: str, t: Quarter) -> dict[int, float]:
    """What AI load adds to a site's demand, whoever pays for it."""
    contracts = [s for s in signed if s.deal.contract.site == site]
    drawn = [total([s.drawn(t)], future.pue(site, s.deal.offer.product)) for s in contracts]
    sold = {column: future.pue(site, p) for (s, p, q), column in sales.items() if (s, q) == (site, t)}
    return total([*drawn, sold])


def add_capacity(program: Program, halls: Halls, signed: list[Signed], sales: Sales) -> None:
    """What is let is usable, to the end of the last contract, and the market takes what is sold to it."""
    case, future = halls.case, halls.future
    for site, name in future.halls:
        here = [s for s in signed if s.deal.contract.site == site and s.deal.offer.product == name]
        ends = max([case.last + 1, *(s.deal.ends for s in here)])
        for t in span(case.first, ends - case.first):
            let = total(s.occupied(t) for s in here)
            sold = {sales[site, name, t]: 1.0} if t <= case.last else {}
            program.at_most(total([let, sold, total([halls.usable(site, name, t)], -1.0)]), 0.0)
        leave_capacity(program, halls, here, site, name)
    for product in case.products:
        for t in case.horizon:
            sold_anywhere = {c: 1.0 for (_, p, q), c in sales.items() if (p, q) == (product.product, t)}
            program.at_most(sold_anywhere, future.markets[product.product, t].depth_it_mw)


def sign(program: Program, deal: Deal) -> Signed:
    """A column for the size of a contract, and one for each quarter in which some of a tranche may be missing.

    What is missing never rises again: it is delivered for good.
    """
    size = program.column(deal.contract.min_it_mw, deal.contract.max_it_mw)
    program.now.append(size)
    program.book_again(deal.bookings, size)
    signed = Signed(deal, size)
    for tranche, (_, share) in enumerate(deal.tranches):
        before = {size: share}
        for t in deal.late_quarters(tranche):
            word = "delivered short" if deal.committed else "delivered short|late by plan"
            column = signed.missing[tranche, t] = program.column(word=word)
            program.at_most(total([{column: 1.0}, total([before], -1.0)]), 0.0)
            before = {column: 1.0}
            for line, quarter, musd in deal.waiting(tranche, t):
                program.book(line, quarter, {column: musd}, deal.offer.product, deal.contract.site)
    return signed


def sell(program: Program, future: Future, site: str, name: str, t: Quarter) -> int:
    """A column for IT MW sold uncontracted in a quarter."""
    terms, rent = future.case.product[name], future.market_rent(name, t)
    column = program.column()
    program.book("market_sales", t, {column: rent}, name, site)
    program.book("ai_operating_cost", t, {column: -terms.operating_cost_share * rent}, name, site)
    if not terms.power_passed_through:
        program.book("ai_power", t, {column: -future.ai_power(site, name, terms.load_factor, t)}, name, site)
    return column


def leave_capacity(program: Program, halls: Halls, here: list[Signed], site: str, name: str) -> None:
    """Usable capacity that no contract holds is worth something when it comes free, less the later that is."""
    case = halls.case
    end = case.last + 1
    settled = max([halls.settled_from(), *(s.deal.ends for s in here)])
    before: dict[int, float] = {}
    for q in span(end, settled - end + 1):
        free = total([halls.usable(site, name, q), total((s.held(q) for s in here), -1.0)])
        worth = residual_musd_per_it_mw(case, name, q)
        program.leave(q, total([free, total([before], -1.0)], worth), name)
        before = free


def residual_musd_per_it_mw(case: Case, name: str, q: Quarter) -> float:
    """What an IT MW that comes free at the start of a quarter is worth then: less each quarter, in the end nothing."""
    product = case.product[name]
    return product.residual_musd_per_it_mw * max(
        0.0, 1 - (q - case.first) / (product.residual_life_quarters or USUAL_LIFE)
    )


def add_customer_share(program: Program, future: Future, signed: list[Signed], sales: Sales) -> None:
    case = future.case
    share, since = case.settings.max_customer_share, case.settings.max_customer_share_from
    if share is None or since is None:
        return
    for t in case.horizon:
        if t < since:
            continue
        market = {column: future.market_rent(p, t) for (_, p, q), column in sales.items() if q == t}
        everybody = total([market, *(s.rent(t) for s in signed)])
        for customer in {s.deal.offer.customer for s in signed}:
            own = total(s.rent(t) for s in signed if s.deal.offer.customer == customer)
            program.at_most(total([own, total([everybody], -share)]), 0.0)
