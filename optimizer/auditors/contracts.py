"""Signed offers: what they bill, draw, hold and pay, whether they could be signed so, and whether capacity is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, pairwise
from typing import Any

from optimizer.auditors.books import ONE, ZERO, Books, Flow, Inputs, Row, decimal
from optimizer.auditors.halls import batches, product_mw
from optimizer.auditors.lines import RESIDUAL
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.terms import Bill, bill_of, favoured_sites, late_delivery, size_tiers, tranches
from optimizer.auditors.terms.bill import Missing
from optimizer.auditors.tolerances import A_FEW_DIGITS, DOLLAR, WATT
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Contract:
    """A bill, and what the audit asks of it by quarter."""

    bill: Bill

    @property
    def name(self) -> str:
        return str(self.bill.offer.offer)

    def missing_it_mw(self, quarter: Quarter) -> Decimal:
        """What is missing of it in a quarter, all tranches together."""
        return sum((by_quarter.get(quarter, ZERO) for by_quarter in self.bill.missing.values()), ZERO)

    def drawn_it_mw(self, quarter: Quarter) -> Decimal:
        """IT MW that draw power in a quarter; what is missing draws none."""
        return self.bill.drawn_mw(quarter)


def contracts(books: Books) -> list[Contract]:
    missing: dict[str, dict[int, dict[Quarter, Decimal]]] = {}
    for row in books.table("late"):
        missing.setdefault(row["offer"], {}).setdefault(int(row["tranche"]), {})[row["quarter"]] = row["missing_it_mw"]
    return [_contract(books, row, missing.get(row["offer"], {})) for row in books.table("contracts")]


def _contract(books: Books, row: Row, missing: Missing) -> Contract:
    signed = row["decided"] == "committed"
    where = row["offer"], row["site"], row["delivery_quarter"], row["it_mw"]
    return Contract(bill_of(books.inputs, *where, committed=signed, missing=missing))


# ---- money -------------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    for contract in contracts(books):
        books.flows.extend(_flows(books, contract))


def _flows(books: Books, contract: Contract) -> Iterator[Flow]:
    """All that the contract moves from the first quarter on, and the residual of what it keeps from standing free."""
    bill, inputs = contract.bill, books.inputs
    product = bill.offer.product
    for quarter, line, musd in chain(_margins(contract), bill.items):
        if quarter >= books.case.first:
            factor = inputs.factor(inputs.rate_of(line, product), quarter)
            yield Flow(quarter, line, product, bill.site, contract.name, musd, factor)
    for quarter, musd in _residuals(bill, books.case.last + 1):
        factor = inputs.factor(inputs.rate(product), quarter, at_start=True)
        yield Flow(quarter, RESIDUAL, product, bill.site, contract.name, musd, factor)


def _residuals(bill: Bill, end: Quarter) -> Iterator[tuple[Quarter, Decimal]]:
    """What is held does not stand free after the horizon: not before its contract ends, less from each tranche on."""
    held = ZERO
    for t in range(end, max(end, bill.end + 1) + 1):
        quarter = Quarter(t)
        taken = bill.held_mw(quarter) - held
        held += taken
        if taken:
            yield quarter, -taken * bill.inputs.residual_musd_per_it_mw(bill.offer.product, quarter)


def _margins(contract: Contract) -> Iterator[tuple[Quarter, str, Decimal]]:
    for j in range(contract.bill.quarters):
        quarter = contract.bill.delivery + j
        for line, musd in _margin(contract, j, quarter):
            yield quarter, line, musd


def _margin(contract: Contract, j: int, quarter: Quarter) -> Iterator[tuple[str, Decimal]]:
    """Rent, its operating cost and power of a quarter."""
    bill = contract.bill
    rent = bill.rent(j) * bill.it_mw
    yield "rent", rent
    yield "ai_operating_cost", -decimal(bill.offer.operating_cost_share) * rent
    if not bill.offer.power_passed_through:
        offer = bill.offer
        power = bill.inputs.ai_power_musd(bill.site, offer.product, offer.load_factor, quarter)
        yield "ai_power", -power * bill.drawn[j] * bill.it_mw


# ---- rules -------------------------------------------------------------------------------------------------------


def checks(books: Books) -> Iterator[Check]:
    signed = contracts(books)
    yield from _signing(books, signed)
    yield _committed(books)
    yield _contracts_table(books, signed)
    yield from _missing(books, signed)
    yield _prerequisites(books, signed)
    yield from _capacity(books, signed)
    yield _capacity_after(books, signed)
    yield _value(books, signed)


def _signing(books: Books, signed: list[Contract]) -> Iterator[Check]:
    once = Tally(
        "rules", "signed_once", "An offer is signed at most once, and delivered at one site.", "contracts", ZERO
    )
    for offer in books.case.rows("offers"):
        count = sum(1 for contract in signed if contract.name == offer.offer)
        once.at_most(offer.offer, Decimal(count), ONE)
    yield once.check()
    window = Tally(
        "rules", "windows", "New contracts begin within the offer's window and the horizon.", "so or not", ZERO
    )  # fmt: skip
    sites = Tally(
        "rules", "offer_sites", "Contracts are delivered at sites that their customers accept.", "so or not", ZERO
    )
    sizes = Tally(
        "rules", "offer_sizes", "A contract is no smaller and no larger than its offer allows.", "IT MW", WATT
    )  # fmt: skip
    in_time = Tally(
        "rules", "signed_in_time",
        "An offer is signed while it can be accepted: the last quarter for that does not lie before the first.",
        "quarters", ZERO,
    )  # fmt: skip
    for contract in signed:
        bill, where = contract.bill, f"{contract.name} at {contract.bill.site} from {contract.bill.delivery}"
        if bill.committed:
            continue
        in_time.at_least(where, Decimal(sign_by(books.inputs, bill.offer)), Decimal(books.case.first))
        offer = bill.offer
        first, last = max(offer.window_first, books.case.first), min(offer.window_last, books.case.last)
        window.holds(where, books.builds and first <= bill.delivery <= last)
        sites.holds(where, books.inputs.row("offer_sites", contract.name, bill.site) is not None)
        sizes.at_least(where, bill.it_mw, decimal(offer.min_it_mw))
        sizes.at_most(where, bill.it_mw, decimal(offer.max_it_mw))
    for tally in (window, sites, sizes, in_time):
        yield tally.check()


def sign_by(inputs: Inputs, offer: Any) -> Quarter:
    """The last quarter in which an offer can be accepted: its own, or the shortest lead time before its window ends."""
    if offer.sign_by is not None:
        told: Quarter = offer.sign_by
        return told
    sites = {row.site for row in inputs.rows_of("offer_sites", "offer", offer.offer)}
    halls = [row for row in inputs.rows_of("options", "product", offer.product) if row.site in sites]
    before: Quarter = offer.window_last - min((row.lead_quarters for row in halls), default=0)
    return max(inputs.case.first, before)


def _committed(books: Books) -> Check:
    tally = Tally(
        "rules", "committed_contracts",
        "Contracts already signed are there as they were signed, and no others.", "IT MW", A_FEW_DIGITS,
    )  # fmt: skip
    stated = {
        (row["offer"], row["site"], row["delivery_quarter"]): row["it_mw"]
        for row in books.table("contracts")
        if row["decided"] == "committed"
    }
    rows = books.case.rows("committed_contracts")
    given = {(row.offer, row.site, row.quarter): decimal(row.it_mw) for row in rows}
    for key in {**given, **stated}:
        where = f"{key[0]} at {key[1]} from {key[2]}"
        tally.equal(where, stated.get(key, ZERO), given.get(key, ZERO))
    return tally.check()


def _contracts_table(books: Books, signed: list[Contract]) -> Check:
    """Customer, product, end and price as the offer has them; the price is that of the site and the size."""
    tally = Tally("rules", "contracts_table", "A contract says what its offer says.", "price or so", A_FEW_DIGITS)
    for row, contract in zip(books.table("contracts"), signed, strict=True):
        bill = contract.bill
        offered = books.inputs.row("offer_prices", books.scenario, contract.name)
        tally.same(f"{contract.name}: customer", row["customer"], bill.offer.customer)
        tally.same(f"{contract.name}: product", row["product"], bill.offer.product)
        tally.same(f"{contract.name}: end", row["end_quarter"], bill.end)
        tally.same(f"{contract.name}: sign by", row["sign_by_quarter"], sign_by(books.inputs, bill.offer))
        tally.same(f"{contract.name}: basis of the price", row["price_basis"], offered.price_basis)
        price = decimal(offered.price) * favoured_sites.share(bill) * size_tiers.share(bill)
        tally.equal(f"{contract.name}: price", row["price"], price)
    return tally.check()


def _missing(books: Books, signed: list[Contract]) -> Iterator[Check]:
    tally = Tally(
        "rules", "missing_capacity",
        "Capacity is missing only from tranches due at the deadline or later, from their own quarter to the tenant's "
        "walking away, never more than is due.", "IT MW", WATT,
    )  # fmt: skip
    table = Tally("rules", "late_table", "What is late belongs to a signed contract at its site.", "so or not", ZERO)
    by_name = {contract.name: contract for contract in signed}
    for row in books.table("late"):
        where, tranche = f"tranche {row['tranche']} of {row['offer']}", row["tranche"]
        contract = by_name.get(row["offer"])
        table.holds(f"{where} in {row['quarter']}", contract is not None and contract.bill.site == row["site"])
        tally.at_least(where, row["missing_it_mw"], ZERO, row["quarter"])
        if contract is not None:
            within = tranche == int(tranche) and tranche < len(tranches.parts(books.inputs, contract.bill.offer))
            table.holds(f"{where}: there is one", within)
            most = late_delivery.most_missing(contract.bill, int(tranche), row["quarter"])
            tally.at_most(where, row["missing_it_mw"], most, row["quarter"])
    yield table.check()
    yield tally.check()
    yield _never_more(books, signed)
    yield _on_time(books, signed)


def _never_more(books: Books, signed: list[Contract]) -> Check:
    tally = Tally(
        "rules", "missing_falls", "What is delivered stays: of no tranche more is missing than a quarter ago.",
        "IT MW", WATT,
    )  # fmt: skip
    for contract in signed:
        bill = contract.bill
        for tranche, (after, _) in enumerate(tranches.parts(books.inputs, bill.offer)):
            missing = bill.missing.get(tranche, {})
            quarters = late_delivery.may_be_missing(books.inputs, contract.name, bill.delivery + after)
            for before, quarter in pairwise(quarters if missing else ()):
                where = f"tranche {tranche} of {contract.name}"
                tally.at_most(where, missing.get(quarter, ZERO), missing.get(before, ZERO), quarter)
    return tally.check()


def _on_time(books: Books, signed: list[Contract]) -> Check:
    tally = Tally(
        "rules", "planned_lateness",
        "Nobody plans to be late: new contracts are first delivered by their deadline, with nothing missing, unless "
        "the case allows it.", "so or not", ZERO,
    )  # fmt: skip
    for contract in signed if not books.case.settings.allow_planned_lateness else ():
        row = books.inputs.row("late_delivery", contract.name)
        if row is None or contract.bill.committed:
            continue
        tally.holds(f"{contract.name} from {contract.bill.delivery}", contract.bill.delivery <= row.deadline)
        missing = [musd for by_quarter in contract.bill.missing.values() for musd in by_quarter.values()]
        tally.holds(f"{contract.name}: nothing missing", all(it_mw <= WATT for it_mw in missing))
    return tally.check()


def _prerequisites(books: Books, signed: list[Contract]) -> Check:
    tally = Tally(
        "rules", "prerequisites", "An offer is delivered no sooner than the offer that it requires.", "quarters", ZERO
    )  # fmt: skip
    delivered = {contract.name: contract.bill.delivery for contract in signed}
    for row in books.case.rows("prerequisites"):
        if row.offer in delivered:
            where = f"{row.offer} requires {row.requires}"
            tally.holds(where, row.requires in delivered)
            first = max(delivered.get(row.requires, delivered[row.offer]), books.case.first)
            tally.at_least(where, Decimal(max(delivered[row.offer], books.case.first)), Decimal(first))
    return tally.check()


def _capacity(books: Books, signed: list[Contract]) -> Iterator[Check]:
    """Capacity sold against usable in each quarter of the horizon, and the table that shows it."""
    sold = Tally("rules", "capacity", "Signed and market megawatts never exceed what is usable.", "IT MW", WATT)
    table = Tally(
        "rules", "capacity_table", "Capacity in service, usable, contracted and vacant add up.", "IT MW", A_FEW_DIGITS
    )
    found = batches(books)
    stated = {(row["site"], row["product"], row["quarter"]): row for row in books.table("capacity")}
    for (site, product), here in _places(books, signed):
        for quarter in books.case.horizon:
            where = f"{product} at {site} in {quarter}"
            service, usable = product_mw(found, site, product, quarter)
            held = sum((c.bill.held_mw(quarter) - c.missing_it_mw(quarter) for c in here), ZERO)
            row = stated.pop((site, product, quarter), None)
            table.holds(f"{where}: told where something is in service", (row is not None) == bool(service))
            market = ZERO if row is None else row["market_it_mw"]
            if row is not None or held:
                sold.at_most(f"{product} at {site}", held + market, usable, quarter)
            if row is not None:
                table.equal(f"{where}: in service", row["in_service_it_mw"], service)
                table.equal(f"{where}: usable", row["usable_it_mw"], usable)
                table.equal(f"{where}: contracted", row["contracted_it_mw"], held)
                table.equal(f"{where}: vacant", row["vacant_it_mw"], usable - held - market)
    for site, product, quarter in stated:
        table.holds(f"{product} at {site} in {quarter}: nothing is there", False)
    yield sold.check()
    yield table.check()


def _capacity_after(books: Books, signed: list[Contract]) -> Check:
    tally = Tally(
        "rules", "capacity_after_horizon",
        "Contracts find their whole capacity usable after the horizon too, to their end.", "IT MW", WATT,
    )  # fmt: skip
    found = batches(books)
    for (site, product), here in _places(books, signed):
        end = max((contract.bill.end for contract in here), default=books.case.last)
        for n in range(1, end - books.case.last + 1):
            quarter = books.case.last + n
            held = sum((contract.bill.held_mw(quarter) for contract in here), ZERO)
            usable = product_mw(found, site, product, quarter)[1]
            tally.at_most(f"{product} at {site}", held, usable, quarter)
    return tally.check()


def _places(books: Books, signed: list[Contract]) -> Iterator[tuple[tuple[str, str], list[Contract]]]:
    """Every site and product, and the contracts that are delivered there."""
    for site in books.case.rows("sites"):
        for product in books.case.rows("products"):
            place = site.site, product.product
            yield place, [c for c in signed if (c.bill.site, c.bill.offer.product) == place]


def _value(books: Books, signed: list[Contract]) -> Check:
    tally = Tally(
        "cash", "contract_values", "A contract is worth its discounted flows, less the residual of what it keeps.",
        "$M", DOLLAR,
    )  # fmt: skip
    for row, contract in zip(books.table("contracts"), signed, strict=True):
        worth = sum((flow.worth_musd for flow in _flows(books, contract)), ZERO)
        tally.equal(contract.name, row["value_musd"], worth)
    return tally.check()
