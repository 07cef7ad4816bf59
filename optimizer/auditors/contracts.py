"""Signed offers: what they bill, draw, hold and pay, whether they could be signed so, and whether capacity is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from optimizer.auditors.books import ONE, ZERO, Books, Flow, decimal
from optimizer.auditors.halls import batches, product_mw
from optimizer.auditors.lines import RESIDUAL
from optimizer.auditors.report import Check, Tally
from optimizer.auditors.terms import Bill, bill_of, favoured_sites, late_delivery, size_tiers
from optimizer.auditors.tolerances import A_FEW_DIGITS, DOLLAR, WATT
from optimizer.ground.quarters import Quarter


@dataclass(frozen=True)
class Contract:
    """A bill with what of it is missing, IT MW by quarter."""

    bill: Bill
    missing: dict[Quarter, Decimal]

    @property
    def name(self) -> str:
        return str(self.bill.offer.offer)

    def drawn_it_mw(self, quarter: Quarter) -> Decimal:
        """IT MW that draw power in a quarter; what is missing draws none."""
        j = self.bill.index(quarter)
        if not 0 <= j < self.bill.quarters:
            return ZERO
        missing, held = self.missing.get(quarter, ZERO), self.bill.held[j]
        there = self.bill.it_mw - (missing / held if missing and held else ZERO)
        return self.bill.drawn[j] * there


def contracts(books: Books) -> list[Contract]:
    missing: dict[str, dict[Quarter, Decimal]] = {}
    for row in books.table("late"):
        missing.setdefault(row["offer"], {})[row["quarter"]] = row["missing_it_mw"]
    return [
        Contract(
            bill_of(
                books.inputs, row["offer"], row["site"], row["delivery_quarter"], row["it_mw"],
                committed=row["decided"] == "committed",
            ),
            missing.get(row["offer"], {}),
        )
        for row in books.table("contracts")
    ]  # fmt: skip


# ---- money -------------------------------------------------------------------------------------------------------


def record(books: Books) -> None:
    for contract in contracts(books):
        books.flows.extend(_flows(books, contract))


def _flows(books: Books, contract: Contract) -> Iterator[Flow]:
    """All that the contract moves from the first quarter on, and the residual of what it holds at the horizon's end."""
    bill, inputs = contract.bill, books.inputs
    product = bill.offer.product
    for quarter, line, musd in chain(_margins(contract), bill.items):
        if quarter >= books.case.first:
            factor = inputs.factor(bill.rate, quarter)
            yield Flow(quarter, line, product, bill.site, contract.name, musd, factor)
    held = bill.held_mw(books.case.last)
    if held:
        musd = -held * decimal(inputs.row("products", product).residual_musd_per_it_mw)
        end = books.case.last + 1
        factor = inputs.factor(inputs.rate(product), end, at_start=True)
        yield Flow(end, RESIDUAL, product, bill.site, contract.name, musd, factor)


def _margins(contract: Contract) -> Iterator[tuple[Quarter, str, Decimal]]:
    for j in range(contract.bill.quarters):
        quarter = contract.bill.delivery + j
        for line, musd in _margin(contract, j, quarter):
            yield quarter, line, musd


def _margin(contract: Contract, j: int, quarter: Quarter) -> Iterator[tuple[str, Decimal]]:
    """Rent, its operating cost and power of a quarter, and the damages for what is missing."""
    bill, missing = contract.bill, contract.missing.get(quarter, ZERO)
    there = bill.it_mw - (missing / bill.held[j] if missing and bill.held[j] else ZERO)
    rent = bill.rent(j) * there
    yield "rent", rent
    yield "ai_operating_cost", -decimal(bill.offer.operating_cost_share) * rent
    if not bill.offer.power_passed_through:
        offer = bill.offer
        power = bill.inputs.ai_power_musd(bill.site, offer.product, offer.load_factor, quarter)
        yield "ai_power", -power * bill.drawn[j] * there
    if missing:
        yield "damages", late_delivery.damages_musd(bill, missing)


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
    for contract in signed:
        bill, where = contract.bill, f"{contract.name} at {contract.bill.site} from {contract.bill.delivery}"
        if bill.committed:
            continue
        offer = bill.offer
        first, last = max(offer.window_first, books.case.first), min(offer.window_last, books.case.last)
        window.holds(where, books.builds and first <= bill.delivery <= last)
        sites.holds(where, books.inputs.row("offer_sites", contract.name, bill.site) is not None)
        sizes.at_least(where, bill.it_mw, decimal(offer.min_it_mw))
        sizes.at_most(where, bill.it_mw, decimal(offer.max_it_mw))
    for tally in (window, sites, sizes):
        yield tally.check()


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
        tally.same(f"{contract.name}: basis of the price", row["price_basis"], offered.price_basis)
        price = decimal(offered.price) * favoured_sites.share(bill) * size_tiers.share(bill)
        tally.equal(f"{contract.name}: price", row["price"], price)
    return tally.check()


def _missing(books: Books, signed: list[Contract]) -> Iterator[Check]:
    tally = Tally(
        "rules", "missing_capacity",
        "Capacity is missing from a contract only between its deadline and the tenant's walking away, never more than "
        "is held.", "IT MW", WATT,
    )  # fmt: skip
    table = Tally("rules", "late_table", "What is late belongs to a signed contract at its site.", "so or not", ZERO)
    by_name = {contract.name: contract for contract in signed}
    for row in books.table("late"):
        where = f"{row['offer']} in {row['quarter']}"
        contract = by_name.get(row["offer"])
        table.holds(where, contract is not None and contract.bill.site == row["site"])
        table.holds(f"{where}: within the horizon", books.case.first <= row["quarter"] <= books.case.last)
        tally.at_least(where, row["missing_it_mw"], ZERO)
        if contract is not None:
            most = late_delivery.may_be_missing(contract.bill, row["quarter"])
            tally.at_most(contract.name, row["missing_it_mw"], most, row["quarter"])
    yield table.check()
    yield tally.check()


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
            held = sum((c.bill.held_mw(quarter) - c.missing.get(quarter, ZERO) for c in here), ZERO)
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
        "cash", "contract_values", "A contract is worth its discounted flows, less the residual of what it holds.",
        "$M", DOLLAR,
    )  # fmt: skip
    for row, contract in zip(books.table("contracts"), signed, strict=True):
        worth = sum((flow.musd * flow.factor for flow in _flows(books, contract)), ZERO)
        tally.equal(contract.name, row["value_musd"], worth)
    return tally.check()
