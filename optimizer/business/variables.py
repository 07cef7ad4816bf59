"""The decisions of the model: one record for each kind of variable, and no variable without one.

Who holds decisions, reads them back from a plan, follows them in time or explains a row asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

Stage = Literal["now", "recourse"]
"""Decided before it is known which future comes, or in answer to it."""
Shape = Literal["state", "level", "step"]
"""What has been decided by the end of a quarter (one without a column changes nothing), what is there in a quarter, or
what happens in it."""

Name = tuple[str, tuple[Any, ...]]
"""A variable or a row of the model: the component's name, and its index."""


@dataclass(frozen=True)
class Variable:
    """One kind of decision.

    `tables` says where a plan keeps it, as `table.column`; nothing where it follows from the others. `due` is the
    quarter in which a decision of stage `now` is taken at the latest: before it, it may still wait for news. `sum_of`
    names the rule that makes the variable a sum of others.
    """

    name: str
    words: str
    stage: Stage
    shape: Shape
    tables: tuple[str, ...] = ()
    due: Callable[[Case, tuple[Any, ...]], Quarter] | None = None
    sum_of: str = ""


def _in_its_quarter(case: Case, index: tuple[Any, ...]) -> Quarter:
    quarter: Quarter = index[-1]
    return quarter


def _by_when_it_can_be_accepted(case: Case, index: tuple[Any, ...]) -> Quarter:
    """An offer is signed while it stands, and before what it asks for is delivered."""
    offer: str = index[0]
    delivery: Quarter = index[-1]
    return max(case.first, min(case.sign_by(case.offer[offer]), delivery))


def _at_the_end_of_a_life(case: Case, index: tuple[str, Quarter, int]) -> Quarter:
    """GPUs are renewed in the quarter after those before died."""
    option, start, i = index
    return start + case.option[option].lead_quarters + i * case.gpu_life[option].life_quarters


def _the_quarter_before(case: Case, index: tuple[Any, ...]) -> Quarter:
    """Machines that arrive left another site the quarter before."""
    quarter: Quarter = index[-1]
    return quarter - 1


_ALL = (
    Variable("N", "blocks of an option started by a quarter", "now", "state", ("starts.blocks",), _in_its_quarter),
    Variable("F", "whether an option's mobilisation is paid", "now", "state", ("starts.blocks",), _in_its_quarter),
    Variable("r", "blocks whose GPUs are renewed", "now", "step", ("refreshes.blocks",), _at_the_end_of_a_life),
    Variable("Y", "whether an offer is delivered", "now", "state", ("contracts.offer",), _by_when_it_can_be_accepted),
    Variable("Q", "its size, where open", "now", "state", ("contracts.it_mw",), _by_when_it_can_be_accepted),
    Variable("g", "machines installed", "now", "level", ("allocation.gross_mw",), _in_its_quarter),
    Variable("going", "machines that go away", "now", "step", ("machines.moved_away_gross_mw",), _in_its_quarter),
    Variable("coming", "machines that arrive", "now", "step", ("machines.arrived_gross_mw",), _the_quarter_before),
    Variable("buying", "machines bought", "now", "step", ("machines.bought_gross_mw",), _in_its_quarter),
    Variable("x", "machines that run, where it is a decision", "recourse", "level", ("allocation.gross_mw",)),
    Variable("in_step", "machines that run in a price step, where prices may be swapped", "recourse", "level"),
    Variable("scrapped", "machines that find no buyer", "recourse", "step", ("machines.retired_gross_mw",)),
    Variable("above", "demand billed that is not drawn", "recourse", "level"),
    Variable("b", "machines on a site's own plant", "recourse", "level", ("own_plants.on_own_plant_gross_mw",)),
    Variable("h", "capacity sold at market", "recourse", "level", ("capacity.market_it_mw",)),
    Variable("u", "megawatts of a contract delivered late", "recourse", "level", ("late.missing_it_mw",)),
    Variable("draw", "debt drawn", "recourse", "step", ("debt.draws_musd",)),
    Variable("prepay", "debt repaid early", "recourse", "step", ("debt.repayments_musd",)),
    Variable("used", "whether a facility is used", "recourse", "state"),
    Variable("lends", "whether a facility is owed while tenants' money is ahead of capex", "recourse", "level"),
    Variable("pays", "whether a loan secured by halls is drawn in a quarter", "recourse", "level"),
    Variable("tested", "whether a facility's cover is tested", "recourse", "level"),
    Variable("borrows", "whether anything is drawn", "recourse", "level"),
    Variable("owed", "whether a facility with a minimum of cash is owed", "recourse", "level"),
    Variable("H", "BTC held", "recourse", "level", ("btc.closing_btc",)),
    Variable("keeps", "whether doing nothing keeps BTC", "recourse", "level"),
    Variable("sells", "whether doing nothing sells BTC", "recourse", "level"),
    Variable("sells_most", "whether doing nothing sells all BTC that a quarter may", "recourse", "level"),
    Variable("profit", "a quarter's taxable profit", "recourse", "level"),
    Variable("loss", "a quarter's taxable loss", "recourse", "level"),
    Variable("offset", "losses used up", "recourse", "level"),
    Variable("X", "net cash of a quarter", "recourse", "level", ("cash.net_musd",), sum_of="net_cash"),
    Variable("R", "a customer's rent in a quarter", "recourse", "level", sum_of="rent_of_a_customer"),
)
VARIABLES: Mapping[str, Variable] = {one.name: one for one in _ALL}

NOW = tuple(name for name, one in VARIABLES.items() if one.stage == "now")
STATES = tuple(name for name, one in VARIABLES.items() if one.shape == "state")
SUMS = {name: one.sum_of for name, one in VARIABLES.items() if one.sum_of}

OF_CONFLICTS = ("released", "money")
"""Variables that are no decisions of the company: by how much a conflict's rules give way."""
