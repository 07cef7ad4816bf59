"""The rulebook: the rules of one case that can conflict, in its own names, megawatts, dollars and quarters.

A rule is here what somebody could point at: a budget, a policy, a clause, a commitment, a site's grid limit. Most are
rows of the model; commitments and the end of mining are data. What equipment and arithmetic make so (machines at hand,
blocks that fit, lead times) stands behind all of them and is never dropped.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pyomo.environ import ConcreteModel

from optimizer import debt, rules, treasury
from optimizer.case import Case
from optimizer.conflicts import levers
from optimizer.conflicts.levers import COVER, FURTHEST, MUSD, MW, SHARE, Lever, musd, number, replaced, same
from optimizer.quarters import Quarter
from optimizer.schema import ANY, MINING, CommittedContract, CommittedStart, Facility, Site, UseLimit
from optimizer.uses import contracts

Kind = Literal["physical", "negotiable"]
Ticket = tuple[str, Any]
"""One row of the model: its component and its index."""
Which = Callable[[tuple[Any, ...]], bool]

ROOMS = (rules, contracts, debt, treasury)
NO_LIMIT_MUSD, NO_LIMIT_MW = 1e6, 5000.0


def _as_it_is(case: Case) -> Case:
    return case


def _all(index: tuple[Any, ...]) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Rule:
    """One rule of a case: what it says, who could change it, its rows, and what dropping it means.

    `loosen` makes the case without it, as far as its rows are not simply left out.
    """

    name: str
    of: str
    words: str
    kind: Kind
    components: tuple[str, ...] = ()
    which: Which = _all
    loosen: Callable[[Case], Case] = _as_it_is
    levers: tuple[Lever, ...] = ()
    released: str = ""
    shares_rows: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.of

    def rows(self, m: ConcreteModel) -> list[Ticket]:
        """Every row that the rule could have, whether or not it was left out as a matter of course."""
        found = []
        for name in self.components:
            component = m.component(name)
            if component is not None:
                found += [(name, index) for index in component.index_set() if self.which(_tuple(index))]
        return found

    def relation(self, m: ConcreteModel, ticket: Ticket) -> Any:
        """The row as the rule's own function writes it for the model's present case."""
        return _function(ticket[0])(m, *_tuple(ticket[1]))


def _tuple(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _function(component: str) -> Callable[..., Any]:
    found: Callable[..., Any] = next(getattr(room, component) for room in ROOMS if hasattr(room, component))
    return found


def kind_of(component: str) -> Kind:
    """Who could change a rule, as the rule's docstring says it."""
    found = re.search(r"^Kind: (physical|negotiable)$", inspect.getdoc(_function(component)) or "", re.MULTILINE)
    assert found is not None
    return "physical" if found[1] == "physical" else "negotiable"


def quarter_of(ticket: Ticket) -> Quarter | None:
    """The quarter that a row speaks of."""
    return next((part for part in _tuple(ticket[1]) if isinstance(part, Quarter)), None)


def rulebook(case: Case) -> tuple[Rule, ...]:
    """Every rule of the case that can conflict: what is policy first, then clauses, commitments, and the ground."""
    chapters = (
        _budgets, _policies, _customers, _use_limits, _wind_down, _liquidity, _loans, _offers,
        _commitments, _starts, _ground,
    )  # fmt: skip
    return tuple(rule for chapter in chapters for rule in chapter(case))


# ---- the board's ------------------------------------------------------------------------------------------------


def _budgets(case: Case) -> Iterator[Rule]:
    budget = case.settings.capex_budget_musd
    yield Rule(
        "capex_budget", "", f"capex within the horizon is at most {musd(budget)}", kind_of("capex_budget"),
        ("capex_budget",), loosen=lambda other: other.replace(capex_budget_musd=NO_LIMIT_MUSD),
        levers=(
            levers.setting(
                "capex_budget_musd", 1, "$M", NO_LIMIT_MUSD, MUSD, "rows",
                lambda a: f"raise the capex budget by {musd(a)}, to {musd(budget + a)}",
            ),
        ),
    )  # fmt: skip
    for row in case.budget_years:
        if row.year in {t.year for t in case.horizon}:
            yield _budget_of_a_year(row.year, row.capex_budget_musd, row)


def _budget_of_a_year(year: int, budget: float, row: Any) -> Rule:
    return Rule(
        "capex_budget_of_a_year", str(year), f"capex in {year} is at most {musd(budget)}",
        kind_of("capex_budget_of_a_year"), ("capex_budget_of_a_year",), lambda index: index[0] == year,
        levers=(
            levers.column(
                "budget_years", row, "capex_budget_musd", 1, "$M", NO_LIMIT_MUSD, MUSD, "rows",
                lambda a: f"raise the capex budget of {year} by {musd(a)}, to {musd(budget + a)}",
            ),
        ),
    )  # fmt: skip


def _policies(case: Case) -> Iterator[Rule]:
    for name, component, unit, step in (
        ("max_blocks_under_construction", "blocks_under_construction", "blocks", 1.0),
        ("max_it_mw_under_construction", "it_mw_under_construction", "IT MW", MW),
    ):
        most = getattr(case.settings, name)
        if most is not None:
            yield _construction(name, component, unit, step, most)


def _construction(name: str, component: str, unit: str, step: float, most: float) -> Rule:
    def words(amount: float) -> str:
        return f"let {number(amount)} {unit} more be under construction at once, {number(most + amount)} in all"

    lever = levers.setting(name, 1, unit, NO_LIMIT_MW, step, "rows", words)
    said = f"at most {number(most)} {unit} are under construction at once"
    return Rule(component, "", said, kind_of(component), (component,), levers=(lever,))


def _customers(case: Case) -> Iterator[Rule]:
    share, since = case.settings.max_customer_share, case.settings.max_customer_share_from
    if share is None or since is None or share >= 1:
        return

    def start_later(other: Case, amount: float) -> Case:
        assert since is not None
        return other.replace(max_customer_share_from=since + int(amount))

    yield Rule(
        "customer_share", "", f"from {since} on no customer pays more than {share:.1%} of all rent",
        kind_of("customer_share"), ("customer_share",),
        levers=(
            levers.setting(
                "max_customer_share", 1, "share", 1 - share, SHARE, "factor",
                lambda a: f"let one customer pay {share + a:.1%} of all rent instead of {share:.1%}",
            ),
            Lever(
                "max_customer_share_from", "quarters", "steps", 1, FURTHEST, start_later,
                lambda a: f"let the largest customer's share hold from {since + int(a)} on, {levers.quarters(a)} later",
            ),
        ),
    )  # fmt: skip


def _use_limits(case: Case) -> Iterator[Rule]:
    for row in case.use_limits:
        if row.min_mw:
            yield _floor(case, row, row.min_mw)
        if row.max_mw is not None:
            yield _ceiling(case, row, row.max_mw)


def _floor(case: Case, row: UseLimit, least: float) -> Rule:
    basis = "IT MW" if row.basis == "it_mw" else "gross MW"

    def words(amount: float) -> str:
        verb = f"release {number(amount)} MW of miners{_where(row.site, ' at ')}" if row.use == MINING else (
            f"ask for {number(amount)} {basis} less of {row.use}{_where(row.site, ' at ')}"
        )  # fmt: skip
        return f"{verb} ({row.policy!r}: {number(least - amount)} instead of {number(least)})"

    lever = levers.column("use_limits", row, "min_mw", -1, basis, least, MW, "rows", words)
    return Rule(
        "use_floor", row.policy, f"{row.policy!r}: at least {number(least)} {basis} of {_of_use(row)}",
        kind_of("use_floor"), ("use_floor",), lambda index: index[0] == row.policy,
        levers=(lever, *_later(case, row)),
    )  # fmt: skip


def _ceiling(case: Case, row: UseLimit, most: float) -> Rule:
    basis = "IT MW" if row.basis == "it_mw" else "gross MW"

    def words(amount: float) -> str:
        what = f"allow {number(amount)} {basis} more of {row.use}{_where(row.site, ' at ')}"
        return f"{what} ({row.policy!r}: {number(most + amount)} instead of {number(most)})"

    lever = levers.column("use_limits", row, "max_mw", 1, basis, NO_LIMIT_MW, MW, "rows", words)
    return Rule(
        "use_ceiling", row.policy, f"{row.policy!r}: at most {number(most)} {basis} of {_of_use(row)}",
        kind_of("use_ceiling"), ("use_ceiling",), lambda index: index[0] == row.policy,
        levers=(lever, *_later(case, row)),
    )  # fmt: skip


def _later(case: Case, row: UseLimit) -> Iterator[Lever]:
    """A limit that begins later, as long as it begins at all."""
    begins = max(row.first, case.first)
    most = min(FURTHEST, row.last - begins, case.last - begins)

    def begin_later(other: Case, amount: float) -> Case:
        return replaced(other, "use_limits", same(other, "use_limits", row), {"first": begins + int(amount)})

    if most >= 1:
        yield Lever(
            "use_limits.first", "quarters", "steps", 1, most, begin_later,
            lambda a: f"let {row.policy!r} begin in {begins + int(a)}, {levers.quarters(a)} later",
        )  # fmt: skip


def _where(site: str, before: str) -> str:
    return "" if site == ANY else f"{before}{site}"


def _of_use(row: UseLimit) -> str:
    return f"{row.use}{_where(row.site, ' at ')}, {row.first} to {row.last}"


def _wind_down(case: Case) -> Iterator[Rule]:
    """The end of mining is no row: machines run or stand still, and only cash can feel it."""
    ends = case.settings.mining_ends
    if ends is not None and ends < case.last:
        yield Rule(
            "wind_down", "", f"no machine runs after {ends}", "negotiable",
            loosen=lambda other: other.replace(mining_ends=None),
            levers=(_run_on("", ends, case, lambda other, t: other.replace(mining_ends=t)),),
        )  # fmt: skip
    for site in case.sites:
        if site.mining_ends is not None and site.mining_ends < case.last:
            yield _wind_down_of(case, site, site.mining_ends)


def _wind_down_of(case: Case, site: Site, ends: Quarter) -> Rule:
    def end(other: Case, t: Quarter | None) -> Case:
        return replaced(other, "sites", same(other, "sites", site), {"mining_ends": t})

    return Rule(
        "wind_down", site.site, f"no machine runs at {site.site} after {ends}", "negotiable",
        loosen=lambda other: end(other, None), levers=(_run_on(f" at {site.site}", ends, case, end),),
    )  # fmt: skip


def _run_on(where: str, ends: Quarter, case: Case, end: Callable[[Case, Quarter], Case]) -> Lever:
    return Lever(
        "mining_ends", "quarters", "steps", 1, min(FURTHEST, case.last - ends),
        lambda other, a: end(other, ends + int(a)),
        lambda a: f"let machines run{where} until {ends + int(a)}, {levers.quarters(a)} longer",
    )  # fmt: skip


# ---- money ------------------------------------------------------------------------------------------------------


def _liquidity(case: Case) -> Iterator[Rule]:
    """The bank's rule before the board's, so that the board's is blamed only where it is needed for the clash."""
    yield Rule(
        "cash_never_negative", "", "the bank account is never overdrawn", kind_of("cash_never_negative"),
        ("minimum_liquidity", "cash_never_negative"), levers=(levers.new_money(case),), shares_rows=True,
    )  # fmt: skip
    least = case.settings.minimum_cash_musd
    if least > 0:
        lever = levers.setting(
            "minimum_cash_musd", -1, "$M", least, MUSD, "rows",
            lambda a: f"lower the minimum of cash by {musd(a)}, to {musd(least - a)}",
        )  # fmt: skip
        said = f"cash at the end of a quarter{_and_btc(case)} is at least {musd(least)}"
        yield Rule(
            "minimum_liquidity", "", said, kind_of("minimum_liquidity"), ("minimum_liquidity",),
            loosen=lambda other: other.replace(minimum_cash_musd=0.0),
            levers=(lever, levers.new_money(case)), shares_rows=True,
        )  # fmt: skip


def _and_btc(case: Case) -> str:
    share = case.settings.btc_liquidity_share
    return f" with {share:.0%} of the BTC held" if share else ""


def _loans(case: Case) -> Iterator[Rule]:
    for facility in case.facilities:
        if facility.minimum_cash_musd:
            yield _lenders_cash(case, facility, facility.minimum_cash_musd)
        if facility.dscr and facility.dscr_from is not None:
            yield _cover(facility, facility.dscr, facility.dscr_from)
        if facility.loan_to_cost is not None:
            yield _loan_to_cost(facility, facility.loan_to_cost)


def _clause(facility: Facility, name: str, words: str, *ways: Lever) -> Rule:
    return Rule(
        name, facility.facility, words, kind_of(name), (name,), lambda index: index[0] == facility.facility, levers=ways
    )


def _lenders_cash(case: Case, facility: Facility, asked: float) -> Rule:
    name = facility.facility
    lever = levers.column(
        "facilities", facility, "minimum_cash_musd", -1, "$M", asked, MUSD, "factor",
        lambda a: f"have the lender of {name!r} ask for {musd(asked - a)} of cash instead of {musd(asked)}",
    )  # fmt: skip
    said = f"while {name!r} is owed, cash is at least {musd(asked)}"
    return _clause(facility, "minimum_cash_of_a_facility", said, lever, levers.new_money(case))


def _cover(facility: Facility, asked: float, since: Quarter) -> Rule:
    name = facility.facility
    lower = levers.column(
        "facilities", facility, "dscr", -1, "times", asked, COVER, "factor",
        lambda a: f"have the lender of {name!r} accept a cover of {number(asked - a)} instead of {number(asked)}",
    )  # fmt: skip
    later = levers.column(
        "facilities", facility, "dscr_from", 1, "quarters", FURTHEST, 1, "steps",
        lambda a: f"have the lender of {name!r} test its cover from {since + int(a)} on, {levers.quarters(a)} later",
    )  # fmt: skip
    said = f"from {since} on AI margin is at least {number(asked)} times the debt service of {name!r}"
    return _clause(facility, "debt_service_cover", said, lower, later)


def _loan_to_cost(facility: Facility, asked: float) -> Rule:
    name = facility.facility
    lever = levers.column(
        "facilities", facility, "loan_to_cost", 1, "share", 1 - asked, SHARE, "factor",
        lambda a: f"have the lender of {name!r} lend {asked + a:.1%} of cost instead of {asked:.1%}",
    )  # fmt: skip
    return _clause(facility, "loan_to_cost", f"{name!r} is owed at most {asked:.1%} of the AI capex so far", lever)


# ---- offers and commitments ---------------------------------------------------------------------------------------


def _offers(case: Case) -> Iterator[Rule]:
    for group in dict.fromkeys(o.exclusive_group for o in case.offers if o.exclusive_group):
        yield _exclusive(group)
    for row in case.rows("prerequisites"):
        yield _prerequisite(row)


def _exclusive(group: str) -> Rule:
    def waive(other: Case) -> Case:
        rows = [
            o.model_copy(update={"exclusive_group": None}) if o.exclusive_group == group else o for o in other.offers
        ]
        return other.replace(offers=rows)

    return Rule(
        "exclusive_group", group, f"of the offers of {group!r} at most one is signed", kind_of("exclusive_group"),
        ("exclusive_group",), lambda index: index[0] == group,
        levers=(levers.waiver(f"let more than one offer of {group!r} be signed", waive),),
    )  # fmt: skip


def _prerequisite(row: Any) -> Rule:
    words = f"{row.offer!r} is delivered no sooner than {row.requires!r}"
    waive = levers.waiver(
        f"let {row.offer!r} be delivered without {row.requires!r}",
        lambda other: replaced(other, "prerequisites", same(other, "prerequisites", row), None),
    )
    return Rule(
        "prerequisite", f"{row.offer} needs {row.requires}", words, kind_of("prerequisite"), ("prerequisite",),
        lambda index: index[:2] == (row.offer, row.requires), levers=(waive,),
    )  # fmt: skip


def _commitments(case: Case) -> Iterator[Rule]:
    for row in case.committed_contracts:
        ways = [
            Lever(
                "committed_contracts.it_mw", "IT MW", "release", MW, row.it_mw, _release(row),
                _words_of_release(row),
            )
        ]  # fmt: skip
        if row.quarter >= case.first:
            ways.append(
                Lever(
                    "committed_contracts.quarter", "quarters", "steps", 1, min(FURTHEST, case.last - row.quarter),
                    _deliver_later(row), _words_of_delay(row),
                )
            )  # fmt: skip
        said = f"{row.offer!r} is signed: {number(row.it_mw)} IT MW at {row.site} from {row.quarter} on"
        yield Rule("committed_contract", row.offer, said, "negotiable", levers=tuple(ways), released=row.offer)


def _release(row: CommittedContract) -> Callable[[Case, float], Case]:
    def release(case: Case, amount: float) -> Case:
        left = row.it_mw - amount
        there = same(case, "committed_contracts", row)
        if left <= 1e-9:
            return replaced(case, "committed_contracts", there, None)
        offer = case.offer[row.offer]
        smaller = offer.model_copy(update={"min_it_mw": min(offer.min_it_mw, left)})
        contracts = [c.model_copy(update={"it_mw": left}) if c == there else c for c in case.committed_contracts]
        return case.replace(committed_contracts=contracts, offers=[smaller if o == offer else o for o in case.offers])

    return release


def _words_of_release(row: CommittedContract) -> Callable[[float], str]:
    def words(amount: float) -> str:
        left = number(row.it_mw - amount)
        return f"release {number(amount)} IT MW of {row.offer!r} at {row.site}, {left} instead of {number(row.it_mw)}"

    return words


def _deliver_later(row: CommittedContract) -> Callable[[Case, float], Case]:
    def deliver(case: Case, amount: float) -> Case:
        there, begins = same(case, "committed_contracts", row), row.quarter + int(amount)
        offer = case.offer[row.offer]
        longer = offer.model_copy(update={"window_last": max(offer.window_last, begins)})
        contracts = [c.model_copy(update={"quarter": begins}) if c == there else c for c in case.committed_contracts]
        return case.replace(committed_contracts=contracts, offers=[longer if o == offer else o for o in case.offers])

    return deliver


def _words_of_delay(row: CommittedContract) -> Callable[[float], str]:
    return lambda a: f"deliver {row.offer!r} from {row.quarter + int(a)} on, {levers.quarters(a)} later"


def _starts(case: Case) -> Iterator[Rule]:
    """Starts that are decided and still ahead; what has begun is no rule any more."""
    for row in case.committed_starts:
        if row.quarter >= case.first:
            yield _start(case, row)


def _start(case: Case, row: CommittedStart) -> Rule:
    def leave_out(other: Case) -> Case:
        option = other.option[row.option]
        sooner = option.model_copy(update={"earliest": min(option.earliest, row.quarter)})
        freed = other.replace(options=[sooner if o == option else o for o in other.options])
        return replaced(freed, "committed_starts", same(freed, "committed_starts", row), None)

    def build_less(other: Case, amount: float) -> Case:
        left = row.blocks - int(amount)
        there = same(other, "committed_starts", row)
        return replaced(other, "committed_starts", there, {"blocks": left} if left else None)

    def begin_later(other: Case, amount: float) -> Case:
        there = same(other, "committed_starts", row)
        return replaced(other, "committed_starts", there, {"quarter": row.quarter + int(amount)})

    latest = case.last - case.option[row.option].lead_quarters
    plural = "block" if row.blocks == 1 else "blocks"
    return Rule(
        "committed_start", f"{row.option} in {row.quarter}",
        f"{row.blocks} {plural} of {row.option!r} start in {row.quarter}, as decided", "negotiable", loosen=leave_out,
        levers=(
            Lever(
                "committed_starts.blocks", "blocks", "steps", 1, row.blocks, build_less,
                lambda a: f"start {a:g} fewer of the {row.blocks} {plural} of {row.option!r} in {row.quarter}",
            ),
            Lever(
                "committed_starts.quarter", "quarters", "steps", 1, min(FURTHEST, latest - row.quarter), begin_later,
                lambda a: f"start {row.option!r} in {row.quarter + int(a)}, {levers.quarters(a)} later",
            ),
        ),
    )  # fmt: skip


# ---- the ground -----------------------------------------------------------------------------------------------------


def _ground(case: Case) -> Iterator[Rule]:
    """Grid limits, and capacity where a contract is signed: they explain a conflict, and are on no menu."""
    for site in case.sites:
        yield _grid(site.site, [case.limit_gross_mw[site.site, t] for t in case.horizon])
    for s, p in dict.fromkeys((c.site, case.offer[c.offer].product) for c in case.committed_contracts):
        yield _capacity(s, p)


def _grid(site: str, limits: list[float]) -> Rule:
    low, high = min(limits), max(limits)
    span = number(low) if low == high else f"{number(low)} to {number(high)}"

    def loosen(other: Case) -> Case:
        rows = [
            r.model_copy(update={"limit_gross_mw": NO_LIMIT_MW}) if r.site == site else r for r in other.site_limits
        ]
        return other.replace(site_limits=rows)

    return Rule(
        "site_power", site, f"{site} draws no more than its grid limit of {span} gross MW", kind_of("site_power"),
        ("site_power",), lambda index: index[0] == site, loosen,
    )  # fmt: skip


def _capacity(s: str, p: str) -> Rule:
    said = f"at {s} no more {p} is delivered than halls in service can serve"
    return Rule("it_capacity", f"{p} at {s}", said, kind_of("it_capacity"), ("it_capacity",),
                lambda index: index[:2] == (s, p))  # fmt: skip
