"""The slide on risks: sentences computed from the plan, its audit and its studies, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.board.deck.blocks import Box, Paragraph, Slide, Texts
from optimizer.board.deck.contract_slide import first_rent
from optimizer.board.deck.figures import Figure, Row
from optimizer.board.deck.ledger import listed
from optimizer.board.deck.money_slides import TIGHT_MUSD
from optimizer.board.deck.pack import Pack
from optimizer.board.deck.plan_slides import nothing_fails
from optimizer.board.deck.study_slides import drivers_in_order, quantity, turning_points

MOST = 6
GRAVE_SHARE = 0.5


def risks(pack: Pack) -> Slide:
    """What the plan leans on at the left, what would change our mind at the right."""
    leans = list(_leans(pack))[:MOST]
    turns = list(_turns(pack))[:MOST]
    left = (Paragraph("What the plan leans on", bold=True), *(Paragraph(text, bullet=True) for text in leans))
    right = (Paragraph("What would change our mind", bold=True), *(Paragraph(text, bullet=True) for text in turns))
    blocks = ((Box(0, 0, 0.47, 1), Texts(left, largest=18)), (Box(0.53, 0, 0.47, 1), Texts(right, largest=18)))
    return Slide("risks", _title(pack), blocks)


def _title(pack: Pack) -> str:
    ledger, source = pack.ledger, pack.source
    over, after = source.kpi("value_over_do_nothing_musd"), source.kpi("terminal_value_over_do_nothing_musd")
    last = pack.quarter(pack.quarters[-1])
    if over is not None and after is not None and over.value > TIGHT_MUSD:
        if after.value > over.value:
            return (
                f"All that the plan adds, {ledger.money(over)}, rests on {ledger.money(after)} that come after {last}"
            )
        if after.value > GRAVE_SHARE * over.value:
            return f"{ledger.percent(after.per(over))} of what the plan adds comes after {last}"
    room = source.due("lowest_liquidity_musd") - source.due("minimum_cash_musd")
    least = ledger.money(source.due("minimum_cash_musd"))
    if room.value < TIGHT_MUSD:
        return f"Liquidity falls to the minimum of {least}: there is no room for a surprise"
    return f"At its lowest, liquidity stays {ledger.money(room)} above the minimum of {least}"


# ---- what the plan leans on -----------------------------------------------------------------------------------------


def _leans(pack: Pack) -> Iterator[str]:
    yield from _horizon(pack)
    yield from _liquidity(pack)
    yield from _debt(pack)
    yield from _customers(pack)
    yield from _late(pack)
    yield from _limits(pack)


def _horizon(pack: Pack) -> Iterator[str]:
    ledger, source = pack.ledger, pack.source
    over, after = source.kpi("value_over_do_nothing_musd"), source.kpi("terminal_value_over_do_nothing_musd")
    if over is None or after is None or abs(over.value) < TIGHT_MUSD:
        return
    last = pack.quarter(pack.quarters[-1])
    within, later = over - after, f"and {ledger.money(after)} after it"
    if within.value < 0:
        later = f"{ledger.money(after)} come after it"
        yield f"Up to {last} the plan is worth {ledger.money(-within)} less than doing nothing; {later}"
    else:
        yield f"Up to {last} the plan adds {ledger.money(within)} over doing nothing, {later}"


def _liquidity(pack: Pack) -> Iterator[str]:
    ledger, source = pack.ledger, pack.source
    room = [row.figure("liquidity_musd") - row.figure("minimum_musd") for row in source.rows("cash")]
    tight = sum(figure.value < TIGHT_MUSD for figure in room)
    if tight:
        count = ledger.whole(source.count("quarters with liquidity at the minimum", tight))
        yield f"Liquidity is at its minimum in {count} {'quarter' if tight == 1 else 'quarters'}"
    else:
        least = min(room, key=lambda figure: figure.value)
        yield f"Liquidity never comes nearer to its minimum than {ledger.money(least)}"


def _debt(pack: Pack) -> Iterator[str]:
    owed = pack.source.due("debt_at_end_musd")
    if owed.value > TIGHT_MUSD:
        yield f"{pack.ledger.money(owed)} of debt is still owed at the end of {pack.quarter(pack.quarters[-1])}"


def _customers(pack: Pack) -> Iterator[str]:
    """The customer that pays most, by rent of a year at first prices and full size."""
    rows, ledger = pack.source.rows("contracts"), pack.ledger
    by_customer: dict[str, Figure] = {}
    for row in rows:
        name, rent = str(row["customer"]), first_rent(pack, row)
        by_customer[name] = by_customer[name] + rent if name in by_customer else rent
    if not rows or not any(figure.value > TIGHT_MUSD for figure in by_customer.values()):
        return
    total = sum((figure for figure in list(by_customer.values())[1:]), next(iter(by_customer.values())))
    name, most = max(by_customer.items(), key=lambda item: item[1].value)
    row = next(row for row in rows if str(row["customer"]) == name)
    customer, all_rent = ledger.word(row.word("customer")), f"{ledger.money(total)} a year at first prices"
    if len(by_customer) == 1:
        yield f"One customer, {customer}, pays all the rent, {all_rent}"
    else:
        yield f"The largest customer, {customer}, pays {ledger.percent(most.per(total))} of the rent, {all_rent}"


def _late(pack: Pack) -> Iterator[str]:
    late = pack.source.rows("late")
    if late:
        offers = list({str(row["offer"]): pack.ledger.word(row.word("offer")) for row in late}.values())
        paid = pack.source.total("cash_flow", "musd", {"line": "damages"})
        gets = "gets" if len(offers) == 1 else "get"
        less = f"{listed(offers, 2, 'others')} {gets} less than signed for some quarters"
        yield f"{less}, for {pack.ledger.money(-paid)} of damages"


def _limits(pack: Pack) -> Iterator[str]:
    """Rules that bind somewhere, by the audit."""
    binding = [check for check in pack.audit.checks if check.group == "rules" and check.binding]
    if binding:
        most = sorted(binding, key=lambda check: -len(check.binding))[:4]
        names = [pack.ledger.word(pack.source.word("audit", check.name.replace("_", " "))) for check in most]
        yield f"Limits used to the full in some quarter: {'; '.join(names)}"


# ---- what would change our mind -------------------------------------------------------------------------------------


def _turns(pack: Pack) -> Iterator[str]:
    for row in turning_points(pack)[:2]:
        yield _turn_words(pack, row)
    yield from _worst_driver(pack)
    yield from _regret(pack)
    yield from _doing_nothing(pack)
    yield from _proof(pack)
    if not pack.studies:
        yield "No study was made of this plan: which assumption turns the decision is not known"


def _turn_words(pack: Pack, row: Row) -> str:
    word = pack.ledger.word
    up = float(row["base"]) <= float(row["below"])
    then, edge = row.word("decision_above" if up else "decision_below"), "above" if up else "below"
    base = f"{quantity(pack, row, 'base')} is assumed"
    at = f"{word(row.word('driver'))} at {quantity(pack, row, edge)} {word(row.word('unit'))}"
    return f"{word(row.word('subject'))}: {word(then)}, once {at} ({base})"


def _worst_driver(pack: Pack) -> Iterator[str]:
    if "tornado" not in pack.studies:
        return
    ends = [(row, end) for row in drivers_in_order(pack) for end in ("low", "high")]
    if not ends:
        return
    row, end = min(ends, key=lambda pair: float(pair[0][f"value_{pair[1]}_musd"]))
    ledger = pack.ledger
    at = f"{quantity(pack, row, end)} {ledger.word(row.word('unit'))}"
    yield f"{ledger.word(row.word('driver'))} at {at} leaves a value of {ledger.money(row.figure(f'value_{end}_musd'))}"


def _regret(pack: Pack) -> Iterator[str]:
    from optimizer.board.deck.figures import study_rows

    if "regret" not in pack.studies:
        return
    rows = [row for row in study_rows(pack.studies["regret"], "decisions") if str(row["verdict"]) != "commit now"]
    if rows:
        count = pack.ledger.whole(pack.source.count("decisions that some scenario would not take", len(rows)))
        some = "decision is" if len(rows) == 1 else "decisions are"
        yield f"{count} {some} not taken in every scenario's own best plan"


def _doing_nothing(pack: Pack) -> Iterator[str]:
    if words := nothing_fails(pack):
        yield words.rstrip(".")


def _proof(pack: Pack) -> Iterator[str]:
    if pack.plan.word == "PROVEN":
        yield f"Two searches agree: no plan is worth {pack.most_more()} more than this one"
    else:
        yield f"The plan is not proven: another could be worth up to {pack.most_more()} more than this one"
