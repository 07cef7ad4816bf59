"""What the board has set: budgets, construction at once, customers' shares, floors and ceilings, the end of mining."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from optimizer.case.case import Case
from optimizer.case.schema import ANY, MINING, Site, UseLimit
from optimizer.ground.quarters import Quarter
from optimizer.questions.conflicts import levers
from optimizer.questions.conflicts.levers import FURTHEST, MUSD, MW, SHARE, Lever, musd, number, replaced, same
from optimizer.questions.conflicts.rule import NO_LIMIT_MUSD, NO_LIMIT_MW, Rule, kind_of


def budgets(case: Case) -> Iterator[Rule]:
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


def construction_at_once(case: Case) -> Iterator[Rule]:
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


def customers(case: Case) -> Iterator[Rule]:
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


def use_limits(case: Case) -> Iterator[Rule]:
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


def wind_down(case: Case) -> Iterator[Rule]:
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
