"""The slide on risks: sentences computed from the plan, its audit and its studies, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.plan.figures.sentences import delays
from optimizer.telling.board.blocks import Box, Paragraph, Slide, Texts
from optimizer.telling.board.figures import Row, count
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.subjects.cash import TIGHT_MUSD
from optimizer.telling.board.subjects.decision import nothing_fails
from optimizer.telling.board.subjects.studies import change_of, drivers_in_order, quantity, turning_points

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
    room = source.due("headroom_musd")
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
    within, later = source.due("within_over_do_nothing_musd"), f"and {ledger.money(after)} after it"
    if within.value < 0:
        later = f"{ledger.money(after)} come after it"
        yield f"Up to {last} the plan is worth {ledger.money(-within)} less than doing nothing; {later}"
    else:
        yield f"Up to {last} the plan adds {ledger.money(within)} over doing nothing, {later}"


def _liquidity(pack: Pack) -> Iterator[str]:
    ledger, source = pack.ledger, pack.source
    room = [row.figure("liquidity_musd") - row.figure("minimum_musd") for row in source.rows("cash")]
    tight = [figure.amount for figure in room if figure.value < TIGHT_MUSD]
    if tight:
        many = ledger.whole(count(filter(None, tight)))
        yield f"Liquidity is at its minimum in {many} {'quarter' if len(tight) == 1 else 'quarters'}"
    else:
        nearest = ledger.money(source.due("headroom_musd"))
        yield f"Liquidity never comes nearer to its minimum than {nearest}"


def _debt(pack: Pack) -> Iterator[str]:
    owed = pack.source.due("debt_at_end_musd")
    if owed.value > TIGHT_MUSD:
        yield f"{pack.ledger.money(owed)} of debt is still owed at the end of {pack.quarter(pack.quarters[-1])}"


def _customers(pack: Pack) -> Iterator[str]:
    """The customer that pays the largest part of a quarter's rent, as the rule on customers reckons it."""
    ledger, source = pack.ledger, pack.source
    share, rent, whole = (source.kpi(f"{name}") for name in ("largest_customer_share", _RENT, "all_rent_musd"))
    name, quarter = source.kpi_word("largest_customer"), source.kpi_word("largest_customer_quarter")
    if share is None or rent is None or whole is None or name is None or quarter is None:
        return
    paid = f"{ledger.money(rent)} of {ledger.money(whole)} in {ledger.word(quarter)}{_cap_words(pack)}"
    if len({str(row["customer"]) for row in source.rows("contracts")}) == 1 and share.value > 1 - 1e-9:
        yield f"One customer, {ledger.word(name)}, pays all the rent, {ledger.money(whole)} in {ledger.word(quarter)}"
    else:
        yield f"The largest customer, {ledger.word(name)}, pays {ledger.percent(share)} of the rent: {paid}"


_RENT = "largest_customer_rent_musd"


def _cap_words(pack: Pack) -> str:
    settings = pack.plan.case.settings
    if settings.max_customer_share is None or settings.max_customer_share_from is None:
        return ""
    cap = pack.ledger.percent(pack.source.setting("max_customer_share"))
    return (
        f"; the most allowed from {pack.ledger.word(pack.source.setting_word('max_customer_share_from'))} on is {cap}"
    )


def _late(pack: Pack) -> Iterator[str]:
    for told in delays(pack.room):
        yield f"Delivered late: {pack.sentence(told)}"


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
    ledger, change = pack.ledger, change_of(pack, row, end)
    at = f"{ledger.word(row.word('driver'))} at {quantity(pack, row, end)} {ledger.word(row.word('unit'))}"
    if change.value < 0:
        yield f"{at} takes {ledger.money(-change)} off the plan's value"
    else:
        yield f"{at} adds {ledger.money(change)} to the plan's value"


def _regret(pack: Pack) -> Iterator[str]:
    if "regret" not in pack.studies:
        return
    rows = [row for row in pack.study_rows("regret", "decisions") if str(row["verdict"]) != "commit now"]
    if rows:
        some = "decision is" if len(rows) == 1 else "decisions are"
        yield f"{pack.ledger.whole(count(rows))} {some} not taken in every scenario's own best plan"


def _doing_nothing(pack: Pack) -> Iterator[str]:
    if words := nothing_fails(pack):
        yield words.rstrip(".")


def _proof(pack: Pack) -> Iterator[str]:
    if pack.plan.word == "PROVEN":
        yield f"Two searches agree: no plan is worth {pack.most_more()} more than this one"
    else:
        yield f"The plan is not proven: another could be worth up to {pack.most_more()} more than this one"
