"""A plan moved in time: its case from a later quarter on, with everything standing as the plan says it will."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, prod
from typing import TYPE_CHECKING, Any

from optimizer.business.company.debt import base_rate, next_coupon
from optimizer.case.schema import (
    Amortisation,
    BtcSale,
    BudgetYear,
    CommittedContract,
    CommittedStart,
    Facility,
    Fleet,
    Obligation,
)
from optimizer.ground.quarters import Quarter
from optimizer.questions.compare.drafts import PATHS, Draft, draft_of
from optimizer.questions.sweeps.holding import Taken, taken_by

if TYPE_CHECKING:
    from optimizer.plan.plan import Plan

SMALL = 1e-6
"""Machines and balances below a watt or a dollar are none."""


class CannotMove(Exception):
    """Something that the plan has decided by then cannot be told as the state of a case; the message says what."""


def moved_to(plan: Plan, date: Quarter) -> Draft:
    """The plan's case as it stands at the start of `date`: halls, contracts, machines, cash, BTC, debt and budgets.

    What the plan decides from then on is open. Raises CannotMove.
    """
    draft = draft_of(plan.case, plan.scenario)
    if date == plan.case.first:
        return draft
    done = taken_by(plan)
    _refuse(plan, done, date)
    draft = draft.with_rows(
        committed_starts=_starts(plan, done, date),
        committed_contracts=_contracts(plan, done, date),
        fleet=_fleet(draft, done, date),
        machine_markets=[_aged(row, date - plan.case.first) for row in draft.tables["machine_markets"]],
        budget_years=list(_budget_years(plan, date)),
        btc_schedule=_schedule_of_btc(plan, date),
        obligations=[
            *(row for row in draft.tables["obligations"] if row.quarter >= date),  # type: ignore[attr-defined]
            *_accrued(plan, date),
        ],
    )
    draft = _requoted(_debt(plan, draft, date), date)
    for table in PATHS:
        if table != "indices":  # whose past still escalates contracts that run
            draft = draft.only(table, lambda row: row.quarter >= date)
    draft = draft.only("use_limits", lambda row: row.last >= date)
    return draft.with_settings(**_settings(plan, date))


def _refuse(plan: Plan, done: Taken, date: Quarter) -> None:
    if date > plan.case.last:
        raise CannotMove(f"its horizon ends before {date}")
    if plan.case.settings.tax_rate is not None:
        raise CannotMove("losses and depreciation carried forward are not in a plan's tables")
    lags = {row.asic: row.delivery_quarters for row in plan.case.machine_markets}
    if any(t < date < t + lags[a] for a, _, t in done.buying):
        raise CannotMove(f"machines are bought before {date} and arrive after it")
    lives = {row.option: row.life_quarters for row in plan.case.gpu_lives}
    for o, t in done.starts:
        if o in lives and t + plan.case.option[o].lead_quarters + lives[o] < date:
            raise CannotMove(f"GPUs reach the end of their life before {date}")

    for loan in plan.case.facilities:
        open_still = loan.available_last is not None and loan.available_last >= date
        used = loan.drawn_musd + _drawn(plan, loan.facility, date) > SMALL
        if open_still and used and _balance(plan, loan.facility, date) <= SMALL and _costs_once_used(loan):
            raise CannotMove(f"{loan.facility} is repaid before {date}, and goes on charging fees")


def _costs_once_used(loan: Facility) -> bool:
    return bool(loan.upfront_fee or loan.undrawn_fee)


def _before(plan: Plan, table: str, column: str, date: Quarter) -> float:
    """A figure of the quarter before `date`."""
    rows = plan.tables[table]
    return float(rows[rows["quarter"] == str(date - 1)][column].sum())


OF_BTC = ("btc_liquidity_share", "minimum_btc", "max_btc_sales_per_quarter")
"""Settings that mean nothing without BTC."""


def _schedule_of_btc(plan: Plan, date: Quarter) -> list[BtcSale]:
    """BTC that are still to be sold by the schedule."""
    return [row for row in plan.case.btc_schedule if row.quarter >= date]


def _settings(plan: Plan, date: Quarter) -> dict[str, Any]:
    settings = plan.case.settings
    gone = [day for day in settings.halvings if day <= date.start]
    btc = _before(plan, "btc", "closing_btc", date)
    holds = btc > 0 or bool(settings.btc_rule == "free")
    return {
        "first_quarter": date,
        "quarters": plan.case.last - date + 1,
        "opening_cash_musd": _before(plan, "cash", "closing_musd", date),
        "capex_budget_musd": max(
            0.0, settings.capex_budget_musd - _before(plan, "capex_to_date", "to_date_musd", date)
        ),
        "btc_held": btc if holds else None,
        **({} if holds else dict.fromkeys(OF_BTC)),
        "btc_rule": "sell_mined"
        if settings.btc_rule == "schedule" and not _schedule_of_btc(plan, date)
        else settings.btc_rule,
        "subsidy_btc": settings.subsidy_btc * 0.5 ** len(gone),
        "halvings": tuple(day for day in settings.halvings if day not in gone),
    }


# ---- halls, contracts, machines -----------------------------------------------------------------------------------


def _starts(plan: Plan, done: Taken, date: Quarter) -> list[CommittedStart]:
    """Blocks begun by then, or whose deposits are paid; and those committed for later."""
    ahead = {
        o: max((row.quarters_before for row in plan.case.deposits if row.option == o), default=0)
        for o in plan.case.option
    }
    begun = {(o, t): blocks for (o, t), blocks in done.starts.items() if t - ahead[o] < date}
    later = {(row.option, row.quarter): row.blocks for row in plan.case.committed_starts}
    return [CommittedStart(option=o, quarter=t, blocks=n) for (o, t), n in sorted((later | begun).items())]


def _contracts(plan: Plan, done: Taken, date: Quarter) -> list[CommittedContract]:
    """Contracts delivered by then, or for which money is received already; and those committed for later."""
    ahead: dict[str, int] = {}
    for row in (*plan.case.rows("prepayments"), *plan.case.rows("tenant_funding")):
        ahead[row.offer] = max(row.paid_quarters_before, ahead.get(row.offer, 0))
    committed = {row.offer for row in plan.case.committed_contracts}
    begun = [
        _contract(plan, c, s, t, it_mw)
        for (c, s, t), it_mw in done.signed.items()
        if c not in committed and t - ahead.get(c, 0) < date
    ]
    return [*plan.case.committed_contracts, *begun]


def _contract(plan: Plan, c: str, s: str, t: Quarter, it_mw: float) -> CommittedContract:
    offer = plan.case.offer[c]
    return CommittedContract(offer=c, site=s, quarter=t, it_mw=min(max(it_mw, offer.min_it_mw), offer.max_it_mw))


def _fleet(draft: Draft, done: Taken, date: Quarter) -> list[Fleet]:
    """Machines installed the quarter before, and those on their way that arrive now."""
    lags = {row.asic: row.delivery_quarters for row in draft.tables["machine_markets"]}  # type: ignore[attr-defined]
    there: dict[tuple[str, str], float] = {}
    parts = (
        ((key[:2], mw) for key, mw in done.installed.items() if key[2] == date - 1),
        ((key[:2], mw) for key, mw in done.coming.items() if key[2] == date),
        ((key[:2], mw) for key, mw in done.buying.items() if key[2] < date == key[2] + lags[key[0]]),
    )
    for part in parts:
        for place, mw in part:
            there[place] = there.get(place, 0.0) + mw
    return [Fleet(site=s, asic=a, gross_mw=mw) for (a, s), mw in there.items() if mw > SMALL]


def _aged(row: Any, quarters: int) -> Any:
    aged = row.resale_usd_per_th * (1 - row.yearly_decline) ** (quarters / 4)
    return row.model_copy(update={"resale_usd_per_th": aged})


def _budget_years(plan: Plan, date: Quarter) -> Iterator[BudgetYear]:
    """What is left of each year's budget."""
    capex = plan.capex_to_date
    for row in plan.case.budget_years:
        gone = [str(Quarter(q)) for q in range(plan.case.first, date) if Quarter(q).year == row.year]
        spent = fsum(capex[capex["quarter"].isin(gone)]["capex_musd"])
        if row.year >= date.year:
            yield BudgetYear(year=row.year, capex_budget_musd=max(0.0, row.capex_budget_musd - spent))


def _requoted(draft: Draft, date: Quarter) -> Draft:
    """Prices that follow an index, quoted for the first of their yearly rises that is not past."""
    rises = {(row.index, row.quarter): row.yearly_rise for row in draft.tables["indices"]}  # type: ignore[attr-defined]
    offers: dict[str, Any] = {row.offer: row for row in draft.tables["offers"]}  # type: ignore[attr-defined]
    factors: dict[str, float] = {}
    last = max((t for _, t in rises), default=date)
    for row in draft.tables["index_escalators"]:
        offer, index, (floor, cap) = offers[row.offer], row.index, (row.floor, row.cap)  # type: ignore[attr-defined]
        base = offer.price_base_quarter
        if base is not None and base < date:
            years = -(-(date - base) // 4)
            factors[offer.offer] = prod(
                1 + min(max(rises[index, min(base + 4 * year, last)], floor), cap) for year in range(1, years + 1)
            )
            offers[offer.offer] = offer.model_copy(update={"price_base_quarter": base + 4 * years})
    prices = [
        row.model_copy(update={"price": row.price * factors.get(row.offer, 1.0)})  # type: ignore[attr-defined]
        for row in draft.tables["offer_prices"]
    ]
    return draft.with_rows(offers=offers.values(), offer_prices=prices)


# ---- debt ---------------------------------------------------------------------------------------------------------


def _balance(plan: Plan, facility: str, date: Quarter) -> float:
    debt = plan.debt[plan.debt["facility"] == facility]
    return float(debt[debt["quarter"] == str(date - 1)]["closing_musd"].sum())


def _drawn(plan: Plan, facility: str, date: Quarter) -> float:
    """What is drawn before `date`, $M, whether it is repaid by then or not."""
    past = {str(Quarter(t)) for t in range(plan.case.first, date)}
    return float(plan.debt[(plan.debt["facility"] == facility) & plan.debt["quarter"].isin(past)]["draws_musd"].sum())


def _debt(plan: Plan, draft: Draft, date: Quarter) -> Draft:
    """Balances as they stand; loans that are repaid by then, and what could only refinance them, are gone."""
    rows = [_carried(plan, row, date) for row in plan.case.facilities]
    alive = {row.facility for row in rows if row.maturity >= date}
    rows = [row for row in rows if row.facility in alive and (row.refinances in {None, *alive} or row.drawn_musd > 0)]
    rows = [row if row.refinances in {None, *alive} else row.model_copy(update={"refinances": None}) for row in rows]
    names = {row.facility for row in rows}
    return draft.with_rows(
        facilities=rows,
        amortisation=list(_schedule(plan, names, date)),
        collateral=[row for row in plan.case.collateral if row.facility in names],
    )


def _carried(plan: Plan, row: Facility, date: Quarter) -> Facility:
    """A loan with its balance; what is repaid cannot be drawn again, so that the room that is left stays."""
    balance = _balance(plan, row.facility, date)
    room = max(0.0, row.commitment_musd - row.drawn_musd - _drawn(plan, row.facility, date))
    changes: dict[str, Any] = {"drawn_musd": balance if balance > SMALL else 0.0}
    changes["commitment_musd"] = changes["drawn_musd"] + room
    if row.available_last is not None and row.available_last < date:
        changes |= {"available_first": None, "available_last": None}
    if balance > SMALL:
        changes["loan_to_cost"] = None  # its capex lies before the horizon
    return row.model_copy(update=changes)


def _schedule(plan: Plan, facilities: set[str], date: Quarter) -> Iterator[Amortisation]:
    """What is left of each repayment schedule, as shares of what is left to repay."""
    for name in sorted(facilities):
        rows = [row for row in plan.case.amortisation if row.facility == name and row.quarter >= date and row.share > 0]
        total = fsum(row.share for row in rows)
        for row in rows:
            yield row.model_copy(update={"share": row.share / total})


def _accrued(plan: Plan, date: Quarter) -> Iterator[Obligation]:
    """Interest that has accrued by then beyond what a balance that stands there is taken to owe, with its next coupon.

    A balance pays its first coupon as if it had stood, at the rate of that quarter, since the one before.
    """
    for row in plan.case.facilities:
        coupon = next_coupon(row, date)
        since = row.interest_every_quarters - 1 - (coupon - date)
        owed = fsum(_interest(plan, row, date - i) for i in range(1, since + 1))
        balance = _balance(plan, row.facility, date)
        if balance > SMALL and row.maturity >= date:
            owed -= since * balance * (base_rate(plan.case, plan.scenario, row, date) + row.margin) / 4
        if owed > SMALL and date <= row.maturity:
            name = f"accrued interest, {row.facility}"
            yield Obligation(quarter=min(row.maturity, coupon), name=name, kind="interest", musd=owed)


def _interest(plan: Plan, row: Facility, t: Quarter) -> float:
    """Interest that accrues in a quarter: draws are made at its start, repayments at its end."""
    debt = plan.debt[(plan.debt["facility"] == row.facility) & (plan.debt["quarter"] == str(t))]
    balance = float((debt["opening_musd"] + debt["draws_musd"]).sum())
    if balance <= SMALL:
        return 0.0
    return balance * (base_rate(plan.case, plan.scenario, row, t) + row.margin) / 4
