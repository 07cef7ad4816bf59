"""Why megawatts stand unused: at each site and quarter, why no further hall takes them and why no further machines do.

Each reason is a rule that asks the case and the plan for facts, never for guesses. Of the rules in `HALL_RULES`, and of
those in `MACHINE_RULES`, the first that holds is told; the last of each holds always. What lies above a quarter's grid
limit is not energised and therefore not unused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from optimizer.case.market import mining_economics, mining_has_ended, own_plant_economics
from optimizer.case.schema import ANY, MINING, Asic, Offer, Option, UseLimit
from optimizer.case.terms.late_delivery import last_delivery
from optimizer.ground.quarters import Quarter
from optimizer.plan.power_uses import IDLE, NOISE_MW, UNUSED

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

NOISE_MUSD = 1e-6
"""$M within which two amounts are the same."""


@dataclass(frozen=True)
class Reason:
    """Why a site's power stands unused from one quarter to another: `hall` and `machines` complete `no hall: ...`."""

    site: str
    first: Quarter
    last: Quarter
    hall: str
    machines: str

    @property
    def words(self) -> str:
        return f"no hall: {self.hall}; no machines: {self.machines}"


def reasons_of(plan: Plan) -> tuple[Reason, ...]:
    """The reasons at every site, one after the other as they change over the quarters; none where nothing is unused."""
    facts = Facts(plan)
    found: list[Reason] = []
    for site in plan.case.sites:
        for t in plan.case.horizon:
            if facts.unused_mw.get((site.site, str(t)), 0.0) > NOISE_MW:
                new = Reason(site.site, t, t, why_no_hall(facts, site.site, t), why_no_machines(facts, site.site, t))
                last = found[-1] if found else None
                if last and (last.site, last.words, last.last + 1) == (new.site, new.words, t):
                    found[-1] = Reason(last.site, last.first, t, last.hall, last.machines)
                else:
                    found.append(new)
    return tuple(found)


@dataclass(frozen=True)
class Standing:
    """Sites whose power stands unused in the same last quarter and for the same reason."""

    sites: tuple[str, ...]
    quarter: Quarter
    gross_mw: float
    reason: Reason


def standings(plan: Plan) -> tuple[Standing, ...]:
    """What stands unused at each site in the last quarter in which any does, like sites together, the most first."""
    unused = Facts(plan).unused_mw
    groups: dict[tuple[Quarter, str], list[Reason]] = {}
    for reason in {reason.site: reason for reason in reasons_of(plan)}.values():
        groups.setdefault((reason.last, reason.words), []).append(reason)
    found = [
        Standing(tuple(one.site for one in group), t, sum(unused[one.site, str(t)] for one in group), group[0])
        for (t, _), group in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.quarter, -one.gross_mw)))


def why_no_hall(facts: Facts, site: str, t: Quarter) -> str:
    spot = Spot(facts, site, t)
    return next(words for rule in HALL_RULES if (words := rule(spot)))


def why_no_machines(facts: Facts, site: str, t: Quarter) -> str:
    spot = Spot(facts, site, t)
    return next(words for rule in MACHINE_RULES if (words := rule(spot)))


# ---- facts --------------------------------------------------------------------------------------------------------


class Facts:
    """What the rules ask of one plan, looked up once."""

    def __init__(self, plan: Plan):
        self.plan, self.case = plan, plan.case
        self.signed = frozenset(map(str, plan.contracts["offer"]))

    @cached_property
    def unused_mw(self) -> dict[tuple[str, str], float]:
        """Gross MW that no use takes, by site and quarter."""
        table = self.plan.allocation
        rows = table[table["use"] == UNUSED]
        return {(str(row.site), str(row.quarter)): float(row.gross_mw) for row in rows.itertuples()}

    @cached_property
    def blocks(self) -> dict[str, int]:
        """Blocks of each option that the plan starts, those committed among them."""
        return {str(name): round(float(n)) for name, n in self.plan.starts.groupby("option")["blocks"].sum().items()}

    @cached_property
    def budget_left_musd(self) -> float:
        return self.case.settings.capex_budget_musd - float(self.plan.capex["musd"].sum())

    @cached_property
    def installed_mw(self) -> dict[tuple[str, str], float]:
        """Gross MW of machines that run or stand idle, by site and quarter."""
        table = self.plan.allocation
        rows = table[table["use"].isin([MINING, IDLE])].groupby(["site", "quarter"])["gross_mw"].sum()
        return {(str(site), str(quarter)): float(mw) for (site, quarter), mw in rows.items()}

    @cached_property
    def handovers(self) -> list[tuple[str, str, float]]:
        """Site, quarter and gross MW of each hand-over from mining to construction."""
        return [
            (str(row.site), str(row.handover_quarter), float(row.gross_mw)) for row in self.plan.starts.itertuples()
        ]

    def later_mw(self, site: str, t: Quarter) -> float:
        """Gross MW that halls of this plan take at a site after a quarter."""
        return sum(mw for where, when, mw in self.handovers if where == site and when > str(t))

    def groups_of(self, site: str) -> dict[str, list[str]]:
        """Groups in which a site shares a limit of the grid, with all their sites."""
        rows = self.case.grid_groups
        named = [row.group for row in rows if row.site == site]
        return {group: [row.site for row in rows if row.group == group] for group in named}

    def shared_left_mw(self, group: str, sites: Sequence[str], t: Quarter) -> float:
        """Gross MW that the sites of a group leave of the limit that they share."""
        drawn = sum(self.case.limit_gross_mw[site, t] - self.unused_mw.get((site, str(t)), 0.0) for site in sites)
        return self.case.grid_group_limit[group, t] - drawn

    @cached_property
    def vacant_it_mw(self) -> dict[tuple[str, str], float]:
        """The most IT MW in service that no contract takes in some quarter, by site and product."""
        most: dict[tuple[str, str], float] = {}
        for row in self.plan.capacity.itertuples():
            key = (str(row.site), str(row.product))
            most[key] = max(most.get(key, 0.0), float(row.in_service_it_mw - row.contracted_it_mw))
        return most

    @cached_property
    def machines_mw(self) -> dict[tuple[str, str], float]:
        """Gross MW of machines that run or stand idle anywhere, by class and quarter."""
        table = self.plan.allocation
        rows = table[table["use"].isin([MINING, IDLE])].groupby(["detail", "quarter"])["gross_mw"].sum()
        return {(str(asic), str(quarter)): float(mw) for (asic, quarter), mw in rows.items()}

    def in_service_mw(self, row: UseLimit, t: Quarter) -> float:
        """The most that a product has in service from a quarter on while a policy on it holds, in the policy's MW."""
        it = row.basis == "it_mw"
        table = self.plan.capacity if it else self.plan.allocation
        use, column = ("product", "in_service_it_mw") if it else ("use", "gross_mw")
        holds = table["quarter"].astype(str).between(str(max(t, row.first)), str(row.last))
        chosen = table[holds & (table[use] == row.use) & table["site"].isin(self.sites_of(row))]
        return float(chosen.groupby("quarter")[column].sum().max()) if len(chosen) else 0.0

    def sites_of(self, row: UseLimit) -> list[str]:
        return [site.site for site in self.case.sites] if row.site == ANY else [row.site]


@dataclass(frozen=True)
class Spot:
    """One site in one quarter, as the rules look at it."""

    facts: Facts
    site: str
    t: Quarter

    @cached_property
    def left_mw(self) -> float:
        """Gross MW that neither a use of this quarter nor a later hall takes, here and of limits that are shared."""
        facts, t = self.facts, self.t
        own = facts.unused_mw[self.site, str(t)] - facts.later_mw(self.site, t)
        shared = [
            facts.shared_left_mw(group, sites, t) - sum(facts.later_mw(site, t) for site in sites)
            for group, sites in facts.groups_of(self.site).items()
        ]
        return min(own, *shared) if shared else own

    @property
    def full_group(self) -> str:
        """A group whose shared limit is reached in this quarter; nothing where there is none."""
        groups = self.facts.groups_of(self.site).items()
        return next((g for g, sites in groups if self.facts.shared_left_mw(g, sites, self.t) <= NOISE_MW), "")

    @cached_property
    def options(self) -> list[Option]:
        return [option for option in self.facts.case.options if option.site == self.site]

    @cached_property
    def fit(self) -> list[Option]:
        return [option for option in self.options if self.facts.case.eligible(option)]

    @cached_property
    def in_time(self) -> list[Option]:
        """Options of which a block could be in service within the horizon."""
        case = self.facts.case
        return [option for option in self.fit if case.earliest_start(option) + option.lead_quarters <= case.last]

    @cached_property
    def open(self) -> list[Option]:
        """Options that could have taken power by this quarter and of which blocks are left."""
        case, blocks = self.facts.case, self.facts.blocks
        return [
            option for option in self.in_time
            if case.earliest_start(option) + option.mining_stops_quarters <= self.t
            and blocks.get(option.option, 0) < option.max_blocks
        ]  # fmt: skip

    @cached_property
    def fitting(self) -> list[Option]:
        """Open options whose block is no larger than what is left."""
        return [option for option in self.open if option.block_gross_mw <= self.left_mw + NOISE_MW]

    @cached_property
    def accepted(self) -> list[Offer]:
        """Offers for what these options sell that accept this site."""
        case, products = self.facts.case, {option.product for option in self.fitting}
        return [o for o in case.offers if o.product in products and self.site in case.sites_of_offer[o.offer]]

    @cached_property
    def unsigned(self) -> list[Offer]:
        return [offer for offer in self.accepted if offer.offer not in self.facts.signed]

    @cached_property
    def refused(self) -> list[Offer]:
        """Offers that could be signed beside those that are, for blocks that could still be built here."""
        return [offer for offer in self.unsigned if not self._ruled_out(offer) and self._holds(offer)]

    def _ruled_out(self, offer: Offer) -> bool:
        """Whether it can no longer be accepted, another of its exclusive group is signed, or one it requires is not."""
        case, signed = self.facts.case, self.facts.signed
        rival = offer.exclusive_group and any(
            o.exclusive_group == offer.exclusive_group and o.offer in signed for o in case.offers
        )
        needs = [row.requires for row in case.rows("prerequisites") if row.offer == offer.offer]
        return case.sign_by(offer) < case.first or bool(rival) or any(needed not in signed for needed in needs)

    def _holds(self, offer: Offer) -> bool:
        """Whether the smallest size fits into what is left here, and is asked for late enough to be built."""
        case = self.facts.case
        options = [option for option in self.fitting if option.product == offer.product]
        most = sum(self._most_it_mw(option) for option in options)
        soonest = min(case.earliest_start(option) + option.lead_quarters for option in options)
        vacant = self._vacant_it_mw(offer.product)
        return offer.min_it_mw <= most + vacant + NOISE_MW and soonest <= last_delivery(case, offer)

    def _most_it_mw(self, option: Option) -> float:
        left = option.max_blocks - self.facts.blocks.get(option.option, 0)
        return min(left, int(self.left_mw / option.block_gross_mw + 1e-9)) * self.facts.case.it_mw_of_block(option)

    def _vacant_it_mw(self, product: str) -> float:
        """The most of the site's halls for a product that is let to the market or to nobody in some quarter."""
        return self.facts.vacant_it_mw.get((self.site, product), 0.0)

    @property
    def market(self) -> bool:
        """Whether the market takes capacity of some product that could still be built here."""
        products = {option.product for option in self.fitting}
        return any(row.product in products and row.depth_it_mw > 0 and row.scenario == self.facts.plan.scenario
                   for row in self.facts.case.product_markets)  # fmt: skip

    @cached_property
    def classes(self) -> list[Asic]:
        """Classes of machines that are here at the first, or could be moved or bought to be here."""
        case = self.facts.case
        here = {row.asic for row in case.fleet if row.site == self.site}
        somewhere = {row.asic for row in case.fleet}
        for row in case.machine_markets:
            movable = row.moving_cost_musd_per_gross_mw is not None and row.asic in somewhere
            here |= {row.asic} if movable or row.purchase_usd_per_th is not None else set()
        return [asic for asic in case.asics if asic.asic in here]

    @property
    def arrival(self) -> Quarter | None:
        """The first quarter in which machines could have come here, moved or bought; None where none can."""
        case, names = self.facts.case, {asic.asic for asic in self.classes}
        elsewhere = {row.asic for row in case.fleet if row.site != self.site}
        soonest: list[Quarter] = []
        for row in case.machine_markets:
            if row.asic in names and row.purchase_usd_per_th is not None:
                soonest.append(case.first + row.delivery_quarters)
            if row.asic in elsewhere and row.moving_cost_musd_per_gross_mw is not None:
                soonest.append(case.first + 1)
        return min(soonest, default=None)

    @property
    def best(self) -> bool:
        """Whether the search found no better plan, so that what it leaves undone adds no value."""
        return self.facts.plan.status == "optimal"

    def earns(self, asic: Asic) -> bool:
        """Whether a machine of the class runs rather than stands idle here, on the grid or on the site's own plant."""
        where = (self.facts.case, self.facts.plan.scenario, self.site, asic, self.t)
        own = own_plant_economics(*where)
        grid = mining_economics(*where)
        may_run = grid.margin_beside_demand > 0 and not mining_has_ended(self.facts.case, self.site, self.t)
        on_grid = may_run if self.site in self.facts.case.ratchet else grid.runs
        return on_grid or (own is not None and own.margin > 0)


Rule = Callable[[Spot], str]
"""A sentence where the rule holds; nothing where it does not."""


# ---- halls --------------------------------------------------------------------------------------------------------


def shared_limit(spot: Spot) -> str:
    """The limit that the site shares with others is reached."""
    group = spot.full_group
    return f"the limit that it shares with other sites is reached ({group})" if group else ""


def waits_for_halls(spot: Spot) -> str:
    """Halls that this plan starts take all of it in a later quarter."""
    return "it waits for halls that this plan builds" if spot.left_mw <= NOISE_MW else ""


def no_option(spot: Spot) -> str:
    """The case has no option to convert the site."""
    return "" if spot.options else "no option converts this site"


def not_eligible(spot: Spot) -> str:
    """No option is eligible: the power is not firm, there is no fibre, or the racks are too dense for the cooling."""
    if spot.fit:
        return ""
    site = spot.facts.case.site[spot.site]
    lacks = [words for has, words in ((site.firm_power, "firm power"), (site.fibre, "fibre")) if not has]
    if all(option.rack_kw > site.max_rack_kw for option in spot.options):
        lacks.append("cooling for such dense racks")
    return f"not eligible, without {' and '.join(lacks)}" if lacks else "not eligible for any of its options"


def after_the_horizon(spot: Spot) -> str:
    """No block could be in service before the horizon ends."""
    return "" if spot.in_time else "no hall could be in service within the horizon"


def too_early(spot: Spot) -> str:
    """No block could have taken power by this quarter."""
    case = spot.facts.case
    soonest = min(case.earliest_start(option) + option.mining_stops_quarters for option in spot.in_time)
    return f"none can take power before {soonest}" if spot.t < soonest else ""


def all_built(spot: Spot) -> str:
    """Every block of the options that could have taken power is built in this plan."""
    return "" if spot.open else "every block that its options allow is built"


def below_a_block(spot: Spot) -> str:
    """What is left, later halls aside, is less than any block."""
    return "" if spot.fitting else "less is left than one block"


def no_offer(spot: Spot) -> str:
    """No offer for what could be built accepts the site."""
    return "" if spot.accepted else _with_market(spot, "no offer accepts this site")


def all_signed(spot: Spot) -> str:
    """Every offer that accepts the site is signed, here or elsewhere."""
    return "" if spot.unsigned else _with_market(spot, "every offer that accepts this site is signed")


def none_fits(spot: Spot) -> str:
    """Offers left are ruled out by one that is signed or not, too large for what is left, or due too early."""
    if spot.refused:
        return ""
    return _with_market(spot, f"no offer is left that could be served ({_names(spot.unsigned)})")


def _with_market(spot: Spot, words: str) -> str:
    if not spot.market:
        return words
    return f"{words}, and for the market alone none {'adds value' if spot.best else 'is built'}"


def policy_ceiling(spot: Spot) -> str:
    """Policies allow no further block of any option that could be built for an offer."""
    stops = [_ceiling(spot, option) for option in _for_offers(spot)]
    return f"a policy allows no more ({', '.join(dict.fromkeys(stops))})" if all(stops) else ""


def _ceiling(spot: Spot, option: Option) -> str:
    """The name of a policy under which a block that takes power by now could not be in service; else nothing."""
    case = spot.facts.case
    it_mw = case.it_mw_of_block(option)
    serves = min(spot.t + option.lead_quarters - option.mining_stops_quarters, case.last)
    for row in case.use_limits:
        if row.use == option.product and row.max_mw is not None and row.site in (ANY, spot.site) and row.last >= serves:
            more = it_mw if row.basis == "it_mw" else option.block_gross_mw
            if spot.facts.in_service_mw(row, serves) + more > row.max_mw + NOISE_MW:
                return row.policy
    blocks, most = case.settings.max_blocks_under_construction, case.settings.max_it_mw_under_construction
    if blocks == 0 or (most is not None and it_mw > most + NOISE_MW):
        return "what may be under construction at once"
    return ""


def no_budget(spot: Spot) -> str:
    """What is left of the capex budget pays for no block of these options, and no tenant pays for any."""
    case = spot.facts.case
    costs = [
        case.it_mw_of_block(option) * (case.facility_musd_per_it_mw(option) + option.gpu_musd_per_it_mw)
        for option in _for_offers(spot)
    ]
    paid = case.rows("tenant_funding") or min(costs) <= spot.facts.budget_left_musd + NOISE_MUSD
    return "" if paid else "no budget, what is left of it pays for no further block"


def _for_offers(spot: Spot) -> list[Option]:
    products = {offer.product for offer in spot.refused}
    return [option for option in spot.fitting if option.product in products]


def refused(spot: Spot) -> str:
    """Offers are left that could be served, and this plan refuses them."""
    why = ", no gain within money and policies" if spot.best else ""
    return f"offers refused{why} ({_names(spot.refused)})"


def _names(offers: Sequence[Offer]) -> str:
    names = [offer.offer for offer in offers]
    return ", ".join(names[:3]) + (" and others" if len(names) > 3 else "")


HALL_RULES: tuple[Rule, ...] = (
    shared_limit, waits_for_halls, no_option, not_eligible, after_the_horizon, too_early, all_built, below_a_block,
    no_offer, all_signed, none_fits, policy_ceiling, no_budget, refused,
)  # fmt: skip
"""Why no further hall takes the power; the first that holds is told."""


# ---- machines -----------------------------------------------------------------------------------------------------


def mining_ended(spot: Spot) -> str:
    """A policy of the company or the site has ended mining."""
    if not mining_has_ended(spot.facts.case, spot.site, spot.t):
        return ""
    return f"mining has ended by policy, after {spot.facts.case.mining_ends(spot.site)}"


def no_machines(spot: Spot) -> str:
    """The site had none at first, and none can be moved or bought."""
    return "" if spot.classes else "none are here, and none can be moved or bought"


def worn_out(spot: Spot) -> str:
    """No class that could stand here is fit to run any more."""
    fit = any(asic.fit_until is None or spot.t <= asic.fit_until for asic in spot.classes)
    return "" if fit else "none is fit to run any more"


def not_worth_running(spot: Spot) -> str:
    """No class that could stand here earns its power in this quarter."""
    return "" if any(spot.earns(asic) for asic in spot.classes) else "none earns its power"


def mining_ceiling(spot: Spot) -> str:
    """A policy allows no more machines in this quarter."""
    facts, t = spot.facts, str(spot.t)
    for row in facts.case.use_limits:
        sites = facts.sites_of(row)
        holds = row.use == MINING and spot.site in sites and row.first <= spot.t <= row.last
        installed = sum(facts.installed_mw.get((site, t), 0.0) for site in sites)
        if holds and row.max_mw is not None and installed >= row.max_mw - NOISE_MW:
            return f"a policy allows no more ({row.policy})"
    return ""


def none_arrived(spot: Spot) -> str:
    """Every machine that was here at first is installed here, and it is too early for others to arrive."""
    facts = spot.facts
    here = sum(facts.case.fleet_gross_mw(row) for row in facts.case.fleet if row.site == spot.site)
    if facts.installed_mw.get((spot.site, str(spot.t)), 0.0) < here - NOISE_MW:
        return ""
    return f"none can arrive before {spot.arrival}" if spot.arrival and spot.t < spot.arrival else ""


def all_installed(spot: Spot) -> str:
    """Every machine of the classes that could stand here is installed somewhere, and none can be bought."""
    facts = spot.facts
    names = {asic.asic for asic in spot.classes}
    bought = any(row.asic in names and row.purchase_usd_per_th is not None for row in facts.case.machine_markets)
    owned = sum(facts.case.fleet_gross_mw(row) for row in facts.case.fleet if row.asic in names)
    whole = sum(facts.machines_mw.get((name, str(spot.t)), 0.0) for name in names) >= owned - NOISE_MW
    return "all that are owned are installed, and none can be bought" if whole and not bought else ""


def adds_no_value(spot: Spot) -> str:
    """Machines could be bought, moved or kept here, and this plan does not."""
    return f"to buy, move or keep more here {'adds no value' if spot.best else 'is not planned'}"


MACHINE_RULES: tuple[Rule, ...] = (
    shared_limit, mining_ended, no_machines, worn_out, not_worth_running, mining_ceiling, none_arrived, all_installed,
    adds_no_value,
)  # fmt: skip
"""Why no further machines take the power; the first that holds is told."""
