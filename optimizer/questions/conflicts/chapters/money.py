"""Money: the bank account, the minimum of cash, and what lenders ask for."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.business.company.lenders import named_together
from optimizer.case.case import Case
from optimizer.case.schema import Facility
from optimizer.ground.quarters import Quarter
from optimizer.questions.conflicts import levers
from optimizer.questions.conflicts.levers import COVER, FURTHEST, MUSD, SHARE, Lever, musd, number
from optimizer.questions.conflicts.rule import Rule, kind_of


def liquidity(case: Case) -> Iterator[Rule]:
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


def bitcoin(case: Case) -> Iterator[Rule]:
    most = case.settings.max_btc_sales_per_quarter
    if most is not None:
        held = case.settings.btc_held or 0.0
        lever = levers.setting(
            "max_btc_sales_per_quarter", 1, "BTC", held, 1, "rows",
            lambda a: f"let {number(most + a)} BTC be sold in a quarter instead of {number(most)}",
        )  # fmt: skip
        said = f"no more than {number(most)} BTC are sold from the treasury in a quarter"
        yield Rule(
            "btc_sold_at_most", "", said, kind_of("btc_sold_at_most"), ("btc_sold_at_most",),
            loosen=lambda other: other.replace(max_btc_sales_per_quarter=None), levers=(lever,),
        )  # fmt: skip


def the_end(case: Case) -> Iterator[Rule]:
    """What is owed at the horizon's end by a company that draws anything."""
    if not any(facility.can_be_drawn for facility in case.facilities):
        return
    asked = 1.0 if case.settings.end_coverage is None else case.settings.end_coverage

    def lend_more(other: Case, amount: float) -> Case:
        return other.replace(end_coverage=asked + amount)

    lever = Lever(
        "end_coverage", "times", "factor", COVER, LARGEST_COVER, lend_more,
        lambda a: f"let {number(asked + a)} times what is still to come be owed at the end instead of {number(asked)}",
    )  # fmt: skip
    said = (
        f"who draws anything owes at the end of {case.last}, less cash above the minimum, at most {number(asked)} "
        "times what contracts and residuals still bring"
    )
    yield Rule(
        "owed_at_the_end", "", said, kind_of("owed_at_the_end"), ("owed_at_the_end",),
        levers=(lever, levers.new_money(case)),
    )  # fmt: skip


LARGEST_COVER = 9.0
"""By how much lenders may be asked to trust in what comes after the horizon more than once over."""


def loans(case: Case) -> Iterator[Rule]:
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
    said = (
        f"from {since} on, while {name!r} is owed, AI margin is at least {number(asked)} times its debt service and "
        "that of all that rank equal or before it"
    )
    return _clause(facility, "debt_service_cover", said, lower, later)


def _loan_to_cost(facility: Facility, asked: float) -> Rule:
    name = facility.facility
    lever = levers.column(
        "facilities", facility, "loan_to_cost", 1, "share", 1 - asked, SHARE, "factor",
        lambda a: f"have the lender of {name!r} lend {asked + a:.1%} of cost instead of {asked:.1%}",
    )  # fmt: skip
    said = f"{name!r} is owed at most {asked:.1%} of what its halls cost so far, none of it lent on twice"
    return Rule(
        "loan_to_cost", name, said, kind_of("loan_to_cost"), ("loan_to_cost", "loans_share_their_cost"),
        lambda index: name in named_together(index[0]), levers=(lever,),
    )  # fmt: skip
