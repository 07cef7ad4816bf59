"""What studies found: what moves the value, break-evens, budgets, alternatives, scenarios and regret, prices, maps."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from optimizer.ground.errors import HouseFault
from optimizer.questions.studies.breakevens import WIND_DOWN
from optimizer.questions.studies.study import KINDS
from optimizer.questions.sweeps.outcomes import unsolved_word
from optimizer.telling.board.blocks import (
    WHOLE,
    Bars,
    Box,
    Chart,
    Grid,
    Keys,
    Paragraph,
    Points,
    Section,
    Series,
    Slide,
    Table,
    Texts,
)  # fmt: skip
from optimizer.telling.board.figures import Figure, Row, count
from optimizer.telling.board.pack import STUDY_COMMANDS, Pack
from optimizer.telling.board.subjects.decision import nothing_fails
from optimizer.telling.board.tables import NONE, cell, look_of

MOST_DRIVERS, MOST_POINTS = 7, 10
LEAST_SWING = 0.05
MOST_NOW, MOST_WAITING, MOST_SHARES = 5, 1, 5
"""Decisions that the slide on regret lists; and those that the slide on alternatives does."""
RATE = "a year"
"""The unit of drivers that are yearly rates."""
DELAY = "quarters"
TWO_YEARS = 8
SHOWN_MUSD = 0.05
"""Amounts that differ by less are the same on a slide."""
LABEL = '+$#,##0.0"M";\u2212$#,##0.0"M";$0.0"M"'


def study_slides(pack: Pack) -> tuple[Slide, ...]:
    """The slides of the studies that there are, in the order of the deck."""
    made = (SLIDES[kind](pack) for kind in STUDY_COMMANDS)
    return tuple(slide for slide in made if slide is not None)


# ---- sensitivity ----------------------------------------------------------------------------------------------------


def swing_of(row: Row) -> float:
    return abs(float(row["value_high_musd"]) - float(row["value_low_musd"]))


def change_of(pack: Pack, row: Row, end: str) -> Figure:
    """What a driver at an end changes of the plan's value: how decks, pages, books and pictures tell a tornado."""
    return row.figure(f"value_{end}_musd") - pack.study_about("tornado", "value_musd")


def drivers_in_order(pack: Pack) -> list[Row]:
    """Drivers of which both ends have a plan, the one that moves the value most first."""
    rows = pack.study_rows("tornado", "drivers")
    whole = [row for row in rows if row.has("value_low_musd") and row.has("value_high_musd")]
    return sorted(whole, key=swing_of, reverse=True)


def sensitivity(pack: Pack) -> Slide | None:
    """Bars from the plan's value to what each driver, low and high, makes of it once decided again."""
    if "tornado" not in pack.studies or not (rows := drivers_in_order(pack)):
        return None
    ledger = pack.ledger
    shown = [row for row in rows[:MOST_DRIVERS] if swing_of(row) >= LEAST_SWING] or rows[:1]
    base = pack.study_about("tornado", "value_musd")
    ends = {end: tuple(change_of(pack, row, end) for row in shown) for end in ("low", "high")}
    series = (Series("Driver low", ends["low"], "middle"), Series("Driver high", ends["high"], "strong"))
    categories = tuple(f"{ledger.word(row.word('driver'))}\n{_range_words(pack, row)}" for row in shown)
    chart = Chart(
        "chart:tornado", "bars", categories, series, value_labels=LABEL, axis=False, gap=45, category_pt=13,
        alt="Change of value for each driver, low and high",
    )  # fmt: skip
    keys = Keys((("middle", "driver at its low end"), ("strong", "driver at its high end")))
    change = f"Change of the plan's value of {ledger.money(base)} when decisions are taken anew."
    note = f"{change} {_left_out(pack, len(shown))}"
    blocks = ((Box(0, 0, 1, 0.07), keys), (Box(0, 0.09, 1, 0.91), chart))
    return Slide("sensitivity", _sensitivity_title(pack, rows[0]), blocks, note.strip())


def _range_words(pack: Pack, row: Row) -> str:
    low, high = (quantity(pack, row, end) for end in ("low", "high"))
    return f"{low} to {high} {unit_words(pack, row)}"


def unit_words(pack: Pack, row: Row) -> str:
    return pack.ledger.word(row.word("unit"))


def quantity(pack: Pack, row: Row, column: str) -> str:
    """A number of a driver in the driver's unit, to about four digits; a rate in percent."""
    figure = row.figure(column)
    if str(row["unit"]) == RATE:
        return pack.ledger.percent(figure, 1)
    size = abs(figure.value)
    return pack.ledger.number(figure, 1 if size >= 100 else 2 if size >= 10 else 4)


def _left_out(pack: Pack, shown: int) -> str:
    whole = drivers_in_order(pack)
    ends = {row.number for row in whole}
    total = pack.study_rows("tornado", "drivers")
    words = []
    none = "have no plan at one end" if not pack.studies["tornado"].unsolved else "have no value at one end"
    for rows, what in ((whole[shown:], "move it less"), ([row for row in total if row.number not in ends], none)):
        if rows:
            words.append(f"that {what}: {pack.ledger.whole(count(rows))}")
    return f"Drivers not shown {'; '.join(words)}." if words else ""


def _sensitivity_title(pack: Pack, row: Row) -> str:
    """The driver whose two ends lie farthest apart, with what each end changes: the lengths of its bars."""
    low, high = (pack.ledger.signed(change_of(pack, row, end)) for end in ("low", "high"))
    driver, span = pack.ledger.word(row.word("driver")), _range_words(pack, row)
    return f"What moves the value most is {driver}: {low} at {span.replace(' to ', f', {high} at ', 1)}"


# ---- break-evens ----------------------------------------------------------------------------------------------------


def turning_points(pack: Pack) -> list[Row]:
    """Break-evens that were found, the one nearest to what the case assumes first; wind-downs after what is built."""
    if "breakevens" not in pack.studies:
        return []
    found = [row for row in pack.study_rows("breakevens", "breakevens") if str(row["found"]) == "yes"]
    return sorted(found, key=lambda row: (WIND_DOWN in str(row["question"]), _distance(row)))


def _distance(row: Row) -> float:
    """How far off a turn is, as a share of what is assumed; a delay, none being assumed, as a share of two years."""
    base, middle = float(row["base"]), (float(row["below"]) + float(row["above"])) / 2
    if str(row["unit"]) == DELAY:
        return abs(middle - base) / TWO_YEARS
    return abs(middle - base) / abs(base) if base else float("inf")


def breakevens(pack: Pack) -> Slide | None:
    """What would have to be true for another decision, nearest first, and what was looked for and not found."""
    if "breakevens" not in pack.studies:
        return None
    rows, found = pack.study_rows("breakevens", "breakevens"), turning_points(pack)
    if not rows:
        return None
    others = [row for row in rows if str(row["found"]) != "yes"]
    cells = tuple(_turning_cells(pack, row) for row in found) + tuple(_no_turning_cells(pack, row) for row in others)
    table = Table(
        "table:breakevens", ("What", "Assumed", "Turns between", "Then"), cells, (0.34, 0.13, 0.2, 0.33),
        "lrrl",
    )  # fmt: skip
    note = "Each side of a turning point was solved; the decision changes between the two figures."
    return Slide("breakevens", _breakevens_title(pack, rows, found), ((Box(0, 0, 1, 1), table),), note)


def _turning_cells(pack: Pack, row: Row) -> tuple[str, str, str, str]:
    up = float(row["base"]) <= (float(row["below"]) + float(row["above"])) / 2
    then = row.word("decision_above" if up else "decision_below")
    between = " and ".join(quantity(pack, row, side) for side in ("below", "above"))
    return _question(pack, row), quantity(pack, row, "base"), between, pack.ledger.word(then)


def _no_turning_cells(pack: Pack, row: Row) -> tuple[str, str, str, str]:
    base = quantity(pack, row, "base") if row.has("base") else "none"
    return _question(pack, row), base, "none found", pack.ledger.word(row.word("words"))


def _question(pack: Pack, row: Row) -> str:
    word = pack.ledger.word
    return f"{word(row.word('subject'))}: {word(row.word('question'))} ({word(row.word('unit'))})"


def _breakevens_title(pack: Pack, rows: list[Row], found: list[Row]) -> str:
    if not found:
        return (
            f"None of {pack.ledger.whole(count(rows))} assumptions, moved on its own, turns a decision within its range"
        )
    row, word = found[0], pack.ledger.word
    edge = "below" if float(row["base"]) > float(row["above"]) else "above"
    turns, assumed = f"{quantity(pack, row, edge)} {unit_words(pack, row)}", quantity(pack, row, "base")
    turn = "The nearest turn" if WIND_DOWN in str(row["question"]) else "The nearest turn of what is built or signed"
    return f"{turn}: {word(row.word('driver'))} at {turns}, where {assumed} is assumed"


# ---- frontier -------------------------------------------------------------------------------------------------------


def frontier(pack: Pack) -> Slide | None:
    """The best plan's value at each capex budget, the case's own marked."""
    if "frontier" not in pack.studies:
        return None
    study, ledger = pack.studies["frontier"], pack.ledger
    rows = [row for row in pack.study_rows(study.kind, "points") if row.has("value_musd")]
    rows = sorted(rows, key=lambda row: float(row["budget_musd"]))
    if len(rows) < 2:
        return None
    rows = rows[:: -(-len(rows) // MOST_POINTS)]
    budget = pack.source.due("capex_budget_musd")
    roles = tuple("strong" if abs(float(row["budget_musd"]) - budget.value) < 1e-6 else "quiet" for row in rows)
    values = Series("Value, $M", tuple(row.figure("value_musd") for row in rows), "quiet", roles=roles)
    whole = all(float(row["budget_musd"]).is_integer() for row in rows)
    categories = tuple(ledger.money(row.figure("budget_musd"), 0 if whole else 1) for row in rows)
    chart = Chart(
        "chart:frontier", "columns", categories, (values,), value_labels='$#,##0.0"M";\u2212$#,##0.0"M"', axis=False,
        category_pt=14, alt="Value of the best plan at each capex budget",
    )  # fmt: skip
    note = "Value of the best plan at each capex budget (not evenly spaced); this plan's own is dark."
    nothing = pack.source.kpi("do_nothing_value_musd")
    if nothing is not None and nothing_fails(pack) and any(row["value_musd"] < nothing.value for row in rows):
        note += f" Unlike doing nothing, worth {ledger.money(nothing)}, all keep the minimum of liquidity."
    return Slide("frontier", _frontier_title(pack, rows, budget), ((Box(0, 0, 1, 1), chart),), note)


def _frontier_title(pack: Pack, rows: list[Row], budget: Figure) -> str:
    ledger, value = pack.ledger, pack.source.due("value_musd")
    best = max(float(row["value_musd"]) for row in rows)
    most = next(row for row in rows if float(row["value_musd"]) > best - SHOWN_MUSD)
    less = [row for row in rows if float(row["budget_musd"]) < budget.value - 1e-6]
    gain = most.figure("value_musd") - value
    head = f"A budget of {ledger.money(most.figure('budget_musd'))} would add {ledger.money(gain)}"
    if float(rows[-1]["budget_musd"]) <= budget.value + 1e-6:
        head = f"The plan's own budget is {ledger.money(budget)}"
    elif gain.value < SHOWN_MUSD:
        head = f"More budget adds nothing, up to {ledger.money(rows[-1].figure('budget_musd'))}"
    if not less:
        return head
    loss = value - less[-1].figure("value_musd")
    return f"{head}; one of {ledger.money(less[-1].figure('budget_musd'))} costs {ledger.money(loss)}"


# ---- alternatives ---------------------------------------------------------------------------------------------------


def alternatives(pack: Pack) -> Slide | None:
    """Plans almost as good: what each gives up and decides otherwise; and what all of them share."""
    if "alternatives" not in pack.studies:
        return None
    rows = pack.study_rows("alternatives", "alternatives")
    if not rows:
        return None
    ledger, word = pack.ledger, pack.ledger.word
    cells = tuple(
        (
            ledger.whole(row.figure("number")), ledger.money(row.figure("value_musd")),
            ledger.money(row.figure("gives_up_musd")), word(row.word("words")),
        )
        for row in rows
    )  # fmt: skip
    table = Table(
        "table:alternatives", ("", "Value", "Gives up", "Decides otherwise"), cells, (0.05, 0.13, 0.13, 0.69),
        "rrrl", strong=frozenset({0}),
    )  # fmt: skip
    firm = Texts(_firmness(pack, MOST_SHARES if len(rows) > 1 else 2 * MOST_SHARES), largest=15)
    blocks = ((Box(0, 0, 1, 0.54), table), (Box(0, 0.58, 1, 0.42), firm)) if len(rows) > 1 else ((WHOLE, firm),)
    note = "Number one is the plan." if len(rows) > 1 else ""
    return Slide("alternatives", _alternatives_title(pack, rows), blocks, note)


def _firmness(pack: Pack, most: int) -> tuple[Paragraph, ...]:
    """What the study has proven of each decision: first those of the plan, the dearest to do without first."""
    rows, word = pack.study_rows("alternatives", "shares"), pack.ledger.word
    rows = sorted(rows, key=lambda row: (not float(row["plans"]), _otherwise(row)))
    told = [f"{word(row.word('words'))}: {word(row.word('verdict'))}" for row in rows[:most]]
    head = Paragraph("How firm each decision is", bold=True)
    return (head, *(Paragraph(text, bullet=True) for text in told), *_more(pack, rows, most))


def _otherwise(row: Row) -> float:
    """The value of the best plan that decides otherwise; where there is none, that decision comes first."""
    return float(row["otherwise_musd"]) if row.has("otherwise_musd") else float("-inf")


def _alternatives_title(pack: Pack, rows: list[Row]) -> str:
    ledger = pack.ledger
    others = sorted((row for row in rows if float(row["number"]) != 1), key=lambda row: float(row["gives_up_musd"]))
    room = ledger.money(pack.study_about("alternatives", "within_musd"))
    if not others:
        return f"No other plan was found that gives up less than {room}"
    many = ledger.whole(count(others))
    most, least = ledger.money(others[-1].figure("gives_up_musd")), ledger.money(others[0].figure("gives_up_musd"))
    if len(others) == 1:
        return f"One other plan gives up less than {room}: {least}"
    return f"{many} other plans give up less than {room}: between {least} and {most}"


# ---- scenarios and regret -------------------------------------------------------------------------------------------


def regret(pack: Pack) -> Slide | None:
    """What each plan's decisions are worth in each scenario, its worst regret, and what can be decided now."""
    if "regret" not in pack.studies:
        return None
    study = pack.studies["regret"]
    plans, values = pack.study_rows(study.kind, "plans"), pack.study_rows(study.kind, "values")
    if not plans:
        return None
    scenarios = list(dict.fromkeys(str(row["scenario"]) for row in values))[:5]
    plans = sorted(plans, key=lambda row: float(row["worst_regret_musd"]) if row.has("worst_regret_musd") else 1e99)
    names = [
        pack.ledger.word(next(row for row in values if str(row["scenario"]) == name).word("scenario"))
        for name in scenarios
    ]
    told = list(dict.fromkeys(str(row["plan"]) for row in values))
    runs = dict(zip(study.about.get("run_ids", ()), told, strict=False))
    mine = runs.get(pack.plan.run_id, "")
    cells = tuple(_regret_cells(pack, plan, values, scenarios, mine) for plan in plans)
    wide = (0.22, *(0.6 / len(scenarios) for _ in scenarios), 0.18)
    head = ("Decisions of", *(f"Value in {name}" for name in names), "Worst regret")
    aligns = "l" + "r" * len(scenarios) + "r"
    table = Table("table:regret", head, cells, wide, aligns, strong=frozenset({0}))
    blocks = ((Box(0, 0, 1, 0.44), table), (Box(0, 0.46, 1, 0.54), Texts(_verdicts(pack), largest=15)))
    note = "Decisions are kept, money is settled anew; why some cannot be kept, the study tells. "
    note += "Regret: what a plan made for the scenario is worth more."
    return Slide("regret", _regret_title(pack, plans), blocks, note)


def _regret_cells(pack: Pack, plan: Row, values: list[Row], scenarios: list[str], mine: str) -> tuple[str, ...]:
    ledger = pack.ledger
    cells = [f"{ledger.word(plan.word('plan'))}{' (this plan)' if str(plan['plan']) == mine else ''}"]
    for scenario in scenarios:
        row = next((r for r in values if r["plan"] == plan["plan"] and str(r["scenario"]) == scenario), None)
        if row is None or not row.has("value_musd"):
            cells.append(_why_unkept(row) if row else "not solved")
        elif row.has("short_musd") and row["short_musd"] > 0.05:
            cells.append(f"{ledger.money(row.figure('value_musd'))}, {ledger.money(row.figure('short_musd'))} short")
        else:
            cells.append(ledger.money(row.figure("value_musd")))
    worst = ledger.money(plan.figure("worst_regret_musd")) if plan.has("worst_regret_musd") else _why_unkept(plan)
    return (*cells, worst)


def _why_unkept(row: Row) -> str:
    """What stands where a plan has no value: that it cannot be kept, or that this is not known."""
    return unsolved_word(str(row.cells.get("words", ""))) or "cannot be kept"


def _verdicts(pack: Pack) -> tuple[Paragraph, ...]:
    rows, word = pack.study_rows("regret", "decisions"), pack.ledger.word
    now = [row for row in rows if str(row["verdict"]) == "commit now"]
    wait = [row for row in rows if str(row["verdict"]) != "commit now"]
    words = [Paragraph(_verdict_head("Right in every scenario, so commit now", now), bold=True)]
    words += [Paragraph(word(row.word("words")), bullet=True) for row in now[:MOST_NOW]]
    words += _more(pack, now, MOST_NOW)
    words.append(Paragraph(_verdict_head("Right in some, so wait where that is free", wait), bold=True))
    told = wait[:MOST_WAITING]
    words += [Paragraph(f"{word(row.word('words'))} ({word(row.word('scenarios'))})", bullet=True) for row in told]
    return (*words, *_more(pack, wait, MOST_WAITING))


def _more(pack: Pack, rows: list[Row], most: int) -> list[Paragraph]:
    """How many decisions a list leaves to the study."""
    if len(rows) <= most:
        return []
    return [Paragraph(f"and {pack.ledger.whole(count(rows[most:]))} more, told by the study", bullet=True)]


def _verdict_head(words: str, rows: list[Row]) -> str:
    return words if rows else f"{words}: nothing"


def _regret_title(pack: Pack, plans: list[Row]) -> str:
    ledger, best = pack.ledger, plans[0]
    if not best.has("worst_regret_musd"):
        return "No plan's decisions can be kept in every scenario"
    worst: Figure = best.figure("worst_regret_musd")
    where = ledger.word(best.word("worst_scenario"))
    name = f"“{ledger.word(best.word('plan'))}”"
    if worst.value < LEAST_SWING:
        return (
            f"The decisions of {name} suit every scenario that was tried: their worst regret is {ledger.money(worst)}"
        )
    if len(plans) == 1:
        return f"The decisions of {name} cost {ledger.money(worst)} of regret at worst, in “{where}”"
    if not any(plan.has("worst_regret_musd") for plan in plans[1:]):
        kept = f"Only the decisions of {name} can be kept in every scenario"
        return f"{kept}; at worst they cost {ledger.money(worst)} of regret, in “{where}”"
    return f"The decisions of {name} are the safest: at worst they cost {ledger.money(worst)} of regret, in “{where}”"


SLIDES: Mapping[str, Callable[[Pack], Slide | None]] = {
    "tornado": sensitivity, "breakevens": breakevens, "frontier": frontier, "alternatives": alternatives,
    "regret": regret,
}  # fmt: skip
if strays := STUDY_COMMANDS.keys() ^ SLIDES.keys():
    raise HouseFault(f"Studies of a deck in KINDS without their slide in {__name__}, or the other way: {strays}.")


# ---- on a page ------------------------------------------------------------------------------------------------------

TOPICS = {name: kind.heading for name, kind in KINDS.items() if kind.heading}
LETTERS = 6
"""Looks that the letters of a map take in turn."""
Show = Callable[[Pack], list[Any]]


def study_sections(pack: Pack) -> list[Section]:
    """A section for each study of this plan, and one that names what is left out."""
    return [*(_section(pack, kind) for kind in TOPICS if kind in pack.studies), *_not_made(pack)]


def _section(pack: Pack, kind: str) -> Section:
    study, word = pack.studies[kind], pack.ledger.word
    told = [word(pack.source.word(kind, sentence)) for sentence in study.words]
    texts = (Texts(tuple(Paragraph(one, bullet=len(told) > 2) for one in told)),) if told else ()
    return Section(kind, TOPICS[kind], word(pack.source.word(kind, study.title)), (*texts, *SHOWN[kind](pack)))


def _not_made(pack: Pack) -> tuple[Section, ...]:
    told = tuple(
        Paragraph(
            f"{TOPICS[kind]} ({KINDS[kind].words}): {why}. Make it with optimizer {kind} PLAN", bullet=True, quiet=True
        )
        for kind, why in pack.left_out.items()
    )
    title = "These questions were not studied for this plan."
    return (Section("left-out", "Not studied", title, (Texts(told),)),) if told else ()


def study_table(
    pack: Pack, kind: str, table: str, columns: Mapping[str, str], caption: str, *, folded: bool = False
) -> list[Table]:
    """Some columns of a table of a study, under their headings; columns it lacks are left out."""
    frame = pack.named_studies[kind].tables.get(table)
    if frame is None or frame.empty:
        return []
    shown = [column for column in columns if column in frame.columns]
    numeric = {column for column in shown if frame[column].dtype.kind in "fiu"}
    rows = tuple(tuple(_told(pack, row, c, c in numeric) for c in shown) for row in pack.study_rows(kind, table))
    aligns = "".join("r" if column in numeric else "l" for column in shown)
    heads = tuple(columns[column] for column in shown)
    return [Table(f"table:{table}", heads, rows, aligns=aligns, caption=caption, folded=folded)]


def _told(pack: Pack, row: Row, column: str, is_number: bool) -> str:
    """A cell of a study: numbers of any size with three digits that say something, and no needless zeros."""
    if not is_number or not row.has(column) or look_of(column) != "price":
        return cell(pack, row, column, is_number)
    value = float(row[column])
    whole = value == round(value)
    return pack.ledger.fixed(row.figure(column), 0 if whole else max(1, min(8, 2 - math.floor(math.log10(abs(value))))))


def _tables(kind: str, *tables: tuple[str, Mapping[str, str], str, bool]) -> Show:
    """A teller that shows tables of a study: each its name, its columns, its caption, and whether it is folded."""
    return lambda pack: [t for name, columns, caption, folded in tables
                         for t in study_table(pack, kind, name, columns, caption, folded=folded)]  # fmt: skip


def tornado_bars(pack: Pack) -> list[Any]:
    """Bars from the plan's value to that at the low and the high of each driver, the widest first."""
    columns = {
        "words": "driver", "unit": "unit", "low": "low", "base": "today", "high": "high",
        "value_low_musd": "value at low, $M", "value_high_musd": "value at high, $M",
        "kept_low_musd": "at low, decisions kept, $M", "kept_high_musd": "at high, decisions kept, $M",
    }  # fmt: skip
    table = study_table(pack, "tornado", "drivers", columns, "Drivers low and high", folded=True)
    rows = pack.study_rows("tornado", "drivers")
    if "value_musd" not in pack.studies["tornado"].about or not any(
        row.has(f"value_{end}_musd") for row in rows for end in ENDS
    ):
        return list(table)
    bars = tuple(_bar(pack, row) for row in sorted(rows, key=lambda row: -swing_of(row) if swing_of(row) > 0 else 0.0))
    caption = "Change of the plan's value with each driver low and high, decided again, $M"
    base = pack.ledger.money(pack.study_about("tornado", "value_musd"))
    note = f"The line is the plan's value, {base}. Dotted: the driver at its low; full: at its high."
    heads = ("driver", "at low, $M", "at high, $M")
    return [Bars("bars:tornado", caption, heads, bars), Texts((Paragraph(note, quiet=True),)), *table]


ENDS = ("low", "high")


def _bar(pack: Pack, row: Row) -> tuple[str, tuple[tuple[float, float, str], ...], tuple[str, ...]]:
    """The short name of a driver with its low and high, and what each changes of the plan's value."""
    name = min((row.word(column) for column in ("driver", "words")), key=lambda word: len(word.text))
    low, high = (_told(pack, row, end, True) for end in ENDS)
    words = f"{pack.ledger.word(name)}, {low} to {high} {unit_words(pack, row)}"
    changes = {end: change_of(pack, row, end) for end in ENDS if row.has(f"value_{end}_musd")}
    roles = {"low": "middle", "high": "lead"}
    stretches = tuple((0.0, figure.value, roles[end]) for end, figure in changes.items())
    return words, stretches, tuple(pack.ledger.fixed(changes[end]) if end in changes else NONE for end in ENDS)


def frontier_points(pack: Pack) -> list[Any]:
    """Value by budget as points over the budget's own axis, with its table."""
    columns = {"budget_musd": "budget, $M", "value_musd": "value, $M", "over_nothing_musd": "over doing nothing, $M",
               "capex_musd": "capex, $M", "lowest_cash_musd": "lowest cash, $M", "decisions": "decisions"}  # fmt: skip
    table = study_table(pack, "frontier", "points", columns, "Value by budget")
    known = [row for row in pack.study_rows("frontier", "points") if row.has("value_musd") and row.has("budget_musd")]
    if not table or len(known) < 2:
        return list(table)
    points = tuple((float(row["budget_musd"]), float(row["value_musd"])) for row in known)
    least = {"minimum_musd": "minimum of cash, $M", **{c: told for c, told in columns.items() if c != "budget_musd"}}
    by_cash = study_table(pack, "frontier", "cash", least, "Value by minimum of cash")
    unit = "value, $M, by capex budget, $M"
    return [Points("frontier", points, unit, "a budget, decided again", table[0]), *by_cash]


def switching_map(pack: Pack) -> list[Any]:
    """A grid of letters, x to the right and y upwards, then what each letter decides."""
    study, rows, word = pack.studies["map"], pack.study_rows("map", "points"), pack.ledger.word
    xs, ys = (sorted({float(row[axis]) for row in rows}) for axis in ("x", "y"))
    roles = {
        name: f"product {n % LETTERS}"
        for n, name in enumerate(sorted({str(row["region"]) for row in rows if row["region"]}))
    }
    at = {(float(row["x"]), float(row["y"])): row for row in rows}
    heads = tuple(_mark(pack, rows, "x", x, xs) for x in xs)
    now = (_nearest(xs, study.about.get("base_x")), _nearest(ys, study.about.get("base_y")))
    cells = tuple(
        (_mark(pack, rows, "y", y, ys), tuple(_letter(pack, at.get((x, y)), roles, (x, y) == now) for x in xs))
        for y in reversed(ys)
    )
    said = [
        word(pack.source.word("map", study.about.get(f"{axis}_{name}", "")))
        for axis in "xy"
        for name in ("words", "unit")
    ]
    caption = f"Across: {said[0]} ({said[1]}); up: {said[2]} ({said[3]})"
    regions = pack.study_rows("map", "regions")
    told = tuple((*(word(row.word(c)) for c in ("region", "name", "decisions")), pack.ledger.whole(row.figure("plans")))
                 for row in regions)  # fmt: skip
    looks = tuple(roles.get(str(row["region"]), "") for row in regions)
    table = Table("table:regions", ("letter", "in short", "decisions", "points"), told, aligns="lllr",
                  caption="What each letter decides", looks=looks)  # fmt: skip
    return [
        Grid(caption, heads, cells),
        Texts((Paragraph("The framed cell is nearest to the case as it is.", quiet=True),)),
        table,
    ]


def _mark(pack: Pack, rows: list[Row], axis: str, value: float, every: list[float]) -> str:
    return pack.ledger.fixed(next(row for row in rows if float(row[axis]) == value).figure(axis), fine(every))


def fine(values: list[float]) -> int:
    """The fewest decimals that tell the values of an axis apart, and show round ones whole."""
    least = next((d for d in range(7) if len({round(value, d) for value in values}) == len(values)), 6)
    return least if all(abs(value - round(value, least)) < 1e-9 for value in values) else min(least + 1, 6)


def _letter(pack: Pack, row: Row | None, roles: Mapping[str, str], is_now: bool) -> tuple[str, str, bool]:
    if row is None or not row["region"]:
        return NONE, "", False
    return pack.ledger.word(row.word("region")), roles[str(row["region"])], is_now


def _nearest(values: list[float], base: Any) -> float | None:
    """The value of an axis nearest to the case as it is."""
    known = isinstance(base, int | float) and math.isfinite(base)
    return min(values, key=lambda one: abs(one - base)) if known else None


_SHORT = {"short_musd": "liquidity missing, $M", "words": "in words"}
SHOWN: Mapping[str, Show] = {
    "tornado": tornado_bars, "map": switching_map, "frontier": frontier_points,
    "breakevens": _tables("breakevens", ("breakevens", {
        "subject": "decision", "driver": "driver", "unit": "unit", "base": "today", "below": "holds to",
        "above": "changes by", "decision_below": "before", "decision_above": "after", "question": "question",
        "words": "answer"}, "Where each decision changes", True)),
    "alternatives": _tables(
        "alternatives",
        ("alternatives", {"number": "plan", "value_musd": "value, $M", "gives_up_musd": "gives up, $M",
                          "differs_by": "differs by", "words": "in words"}, "Plans by value", False),
        ("shares", {"words": "decision", "plans": "plans that take it", "share": "share of the plans"},
         "How firm each decision is", False)),
    "regret": _tables(
        "regret",
        ("plans", {"plan": "plan", "worst_regret_musd": "worst regret, $M", "worst_scenario": "in scenario",
                   "worst_value_musd": "worst value, $M", "worst_short_musd": "liquidity missing, $M",
                   "words": "in words"},
         "The worst of each plan", False),
        ("decisions", {"words": "decision", "scenarios": "taken in", "verdict": "verdict"},
         "What can be decided now", False),
        ("regret", {"plan": "plan", "scenario": "scenario", "regret_musd": "regret, $M"},
         "What each plan gives up in each scenario", True),
        ("values", {"plan": "plan", "scenario": "scenario", "value_musd": "value, $M", **_SHORT},
         "What each plan is worth in each scenario", True)),
    "prices": _tables(
        "prices",
        ("steps", {"words": "one more of", "unit": "unit", "change": "change",
                   "value_change_low_musd": "worth at least, $M", "value_change_high_musd": "at most, $M",
                   "moves": "decisions move", "what_moves": "what moves"},
         "A little more of each limit, decided again", False),
        ("duals", {"words": "rule", "place": "where", "quarter": "quarter", "unit": "unit", "kind": "kind",
                   "limit": "limit", "dual_musd_per_unit": "$M per unit, decisions kept"},
         "The last unit of each limit, decisions kept", True)),
}  # fmt: skip
if strays := TOPICS.keys() ^ SHOWN.keys():
    raise HouseFault(f"Studies with a heading in KINDS and not in SHOWN of {__name__}, or the other way: {strays}.")
