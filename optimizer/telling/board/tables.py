"""Tables of a plan, its case and its studies, as page and workbook show them: what is shown, and what adds to what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.case.case import TABLE_TYPES
from optimizer.case.columns import choices_of, column_kind
from optimizer.case.schema import Settings
from optimizer.ground.quarters import Quarter
from optimizer.plan.figures import figures_of
from optimizer.telling.board.blocks import Table
from optimizer.telling.board.figures import Row
from optimizer.telling.board.keys import encoded
from optimizer.telling.board.receipts import input_hash

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.auditors.report import Report
    from optimizer.plan.plan import Plan
    from optimizer.telling.board.pack import Pack

NONE = "none"
"""What a cell says where the plan says that there is no number."""
_UNITS = (
    ("_usd_per_btc", "$ per BTC"), ("_gross_mw", "gross MW"), ("_it_mw", "IT MW"), ("_musd", "$M"), ("_btc", "BTC"),
)  # fmt: skip


@dataclass(frozen=True)
class Data:
    """A table: where it stands, what tells its rows apart, its columns of numbers, and the figures that they add to.

    `columns` are those shown, all where none are named, under their own `heads` where they have any; a number of the
    `missing` columns may not exist, which is said. `name` is that of Excel's table where another has the room's.
    """

    title: str
    room: str
    frame: pd.DataFrame
    keys: tuple[str, ...]
    numeric: tuple[str, ...]
    columns: tuple[str, ...] = ()
    totals: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    heads: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        return self.columns or tuple(map(str, self.frame.columns))

    def caption(self, pack: Pack) -> str:
        """The title; of an input it is the schema's, which may hold digits."""
        return pack.ledger.word(pack.source.word(self.room, self.title)) if "inputs" in self.room else self.title

    def head(self, column: str) -> str:
        return self.heads.get(column, head_of(column))


def head_of(column: str) -> str:
    """`closing_musd` as people read it: `Closing, $M`."""
    for suffix, unit in _UNITS:
        if column.endswith(suffix):
            words = column.removesuffix(suffix).replace("_", " ").strip()
            return f"{words[:1].upper()}{words[1:]}, {unit}" if words else unit
    known = {"musd": "$M", "gross_mw": "Gross MW", "it_mw": "IT MW", "btc_mined": "BTC mined"}
    return known.get(column, column.replace("_", " ").capitalize())


def look_of(column: str) -> str:
    """How the numbers of a column are shown, by its unit."""
    if column in ("worst", "tolerance"):
        return "tiny"
    if column in ("dscr", "llcr", "plcr"):
        return "times"
    if column.endswith(("musd", "_usd")):
        return "musd"
    if column.endswith(("_mw", "mw")):
        return "mw"
    if column.endswith(
        ("btc_mined", "_btc", "usd_per_btc", "blocks", "plans", "rows", "number", "breaches", "binding")
    ):
        return "count"
    return "share" if column == "share" else "price"


def written(pack: Pack, one: Data, *, folded: bool = True) -> Table:
    """The table as a page shows it, each number with the key of its cell."""
    columns = one.shown
    records = zip(one.frame.index, one.frame.to_dict("records"), strict=True)
    rows = [Row(dict(record), one.room, int(number), pack.source.run) for number, record in records]
    cells = tuple(tuple(cell(pack, row, column, column in one.numeric) for column in columns) for row in rows)
    aligns = "".join("r" if column in one.numeric else "l" for column in columns)
    heads = tuple(map(one.head, columns))
    return Table(f"table:{one.room}", heads, cells, aligns=aligns, caption=one.caption(pack), folded=folded)


def cell(pack: Pack, row: Row, column: str, is_number: bool) -> str:
    """A cell with its key; words where there is no number."""
    if not is_number:
        return pack.ledger.word(row.word(column)) if row.word(column).text else NONE
    if not row.has(column) or row[column] is None or not math.isfinite(row[column]):
        return NONE
    look, figure = look_of(column), row.figure(column)
    if look == "share":
        return pack.ledger.percent(figure)
    if look == "times":
        return pack.ledger.fixed(figure, 2)
    return pack.ledger.fixed(figure, 0 if look == "count" else 1) if look != "price" else pack.ledger.exact(figure)


# ---- what it stands on ----------------------------------------------------------------------------------------------


def input_table(plan: Plan, name: str, *, every: bool = False) -> Data | None:
    """An input table of the plan's scenario, or of `every` one; None where it is empty. Columns without a cell go."""
    kind, frame = TABLE_TYPES[name], plan.case.table(name)
    if "scenario" in frame and name != "scenarios" and not every:
        frame = frame[frame["scenario"] == plan.scenario]
    if frame.empty:
        return None
    fields, keys = kind.model_fields, tuple(kind.key)
    columns = tuple(column for column in frame.columns if frame[column].notna().any())
    numeric = tuple(
        c for c in columns if column_kind(fields[c]) == "number" and not choices_of(fields[c]) and c not in keys
    )
    shown = frame.assign(**{column: frame[column].map(_told) for column in columns if column not in numeric})
    shown = shown.assign(**{key: frame[key].astype(str) for key in keys})
    return Data(f"{name}: {kind.about}", f"inputs/{name}", shown, keys, numeric, columns, missing=numeric,
                heads={column: column for column in columns})  # fmt: skip


def _told(value: Any) -> str:
    """A cell that holds no number of its own, as text; a blank where nothing was given."""
    if value is None or value != value:
        return ""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def settings_of(plan: Plan) -> list[tuple[str, float | str, str, str]]:
    """Each setting that is made: its name, its number or text, its key, and what it is."""
    values, rows = plan.case.settings.model_dump(), []
    for name, info in Settings.model_fields.items():
        held = values[name]
        for part, value in held.items() if isinstance(held, dict) else [("", held)]:
            if value is None or value == ():
                continue
            is_number = isinstance(value, int | float) and not isinstance(value, bool) and column_kind(info) == "number"
            told = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
            key = f"{name}/{encoded(part)}" if part else name
            about = (info.description or "").replace("`", "")
            rows.append((f"{name}.{part}" if part else name, value if is_number else told, key, about))
    return rows


def provenance(plan: Plan) -> list[tuple[str, str]]:
    """What was run, from what and with what, as labelled texts."""
    made, settings = plan.provenance, plan.case.settings
    options, packages = (
        ", ".join(f"{name} {value}" for name, value in dict(made.get(part, {})).items() if value is not None)
        for part in ("options", "packages")
    )
    return [
        ("Status", plan.status_words),
        ("Run id", plan.run_id),
        ("Input hash", input_hash(plan)),
        ("Case", f"{settings.name}, scenario {plan.scenario}, known on {settings.as_of}"),
        ("Program and solver", f"optimizer {made.get('optimizer')}, {made.get('solver')}, Python {made.get('python')}"),
        ("Packages", packages),
        ("Options", options),
    ]


def audit_table(report: Report, *numeric: str) -> Data:
    """Every rule that was computed again, with those of the numbers that its rows have."""
    frame = report.frame
    frame = frame.assign(clean=frame["clean"].map({True: "holds", False: "FAILS"}))
    columns = ("group", "rule", "sentence", "plan", "clean", *numeric, "unit")
    return Data("Rules computed again", "audit/checks", frame, ("plan", "group", "rule"), numeric, columns,
                totals={"rows": "rows", "breaches": ""}, missing=("worst",))  # fmt: skip


# ---- the tables -----------------------------------------------------------------------------------------------------


def signed_table(plan: Plan) -> Data:
    """Signed offers with size, price and value; where a tenant's options extend them, the term's own end as well."""
    frame = plan.contracts.drop(columns="scenario")
    begins = zip(frame["offer"], map(Quarter.parse, frame["delivery_quarter"]), strict=True)
    terms = [str(plan.case.term_end(str(offer), quarter)) for offer, quarter in begins]
    frame.insert(list(frame.columns).index("end_quarter"), "term_ends", terms)
    totals = {"it_mw": "contracted_it_mw", "value_musd": ""}
    heads = {"end_quarter": "Ends, options of the tenant used"}
    title = "Signed offers; value is today's, of rent less what serving it costs, and of what the customer lends"
    return Data(title, "contracts", frame, ("offer",), ("it_mw", "price", "value_musd"), totals=totals, heads=heads)


def coverage_table(plan: Plan) -> Data:
    """Margin, service, headroom and cover of each facility in every quarter in which it owes something."""
    frame = plan.tables["coverage"].drop(columns="scenario")
    covers = {"dscr": "DSCR", "llcr": "LLCR", "plcr": "PLCR"}
    numeric = ("margin_musd", "service_musd", "required_musd", "headroom_musd", *covers)
    title = "Cover of debt service by facility and quarter"
    return Data(title, "coverage", frame, ("facility", "quarter"), numeric, missing=tuple(covers), heads=covers)


def refused_table(plan: Plan) -> Data:
    """The offers that the plan leaves unsigned."""
    frame = plan.case.table("offers")
    frame = frame[~frame["offer"].isin(set(plan.contracts["offer"]))]
    wanted = ("offer", "customer", "product", "min_it_mw", "max_it_mw", "window_first", "window_last")
    columns = (*(column for column in wanted if column in frame.columns), "sites")
    frame = frame.assign(sites=[", ".join(plan.case.sites_of_offer[offer]) for offer in frame["offer"]])
    heads = {"sites": "Sites that would do"}
    return Data("Refused", "inputs/offers", frame, ("offer",), ("min_it_mw", "max_it_mw"), columns, heads=heads,
                name="refused_offers")  # fmt: skip


def starts_table(plan: Plan) -> Data:
    """Construction starts, committed before and new."""
    sums = {
        "gross_mw": "converted_gross_mw",
        "it_mw": "converted_it_mw",
        "facility_capex_musd": "",
        "gpu_capex_musd": "",
    }
    keys = ("option", "site", "start_quarter", "decided")
    return Data(
        "Construction starts", "starts", plan.starts.drop(columns="scenario"), keys, ("blocks", *sums), totals=sums
    )


def sold_tables(plan: Plan) -> list[Data]:
    """BTC and machines sold by quarter, contracts that are late, first years' rents: none that is empty."""
    room, each = figures_of(plan).tables, {"sold_btc": "btc_sold", "musd": "btc_sold_musd"}
    machines = {"sold_gross_mw": "machines_sold_gross_mw", "musd": "machines_sold_musd"}
    rents = {"first_year_rent_musd": "first_year_rent_musd"}
    told: Sequence[tuple[str, str, tuple[str, ...], tuple[str, ...], Mapping[str, str]]] = (
        ("btc_sold", "BTC sold from the treasury, by quarter", ("quarter",), tuple(each), each),
        ("machines_sold", "Mining machines sold, by class and quarter", ("asic", "quarter"), tuple(machines), machines),
        (
            "late_contracts",
            "Contracts delivered late",
            ("offer",),
            ("quarters", "damages_musd"),
            {"damages_musd": "damages_musd"},
        ),
        ("rents", "What each contract is billed in its first four quarters", ("offer",), tuple(rents), rents),
    )
    return [
        Data(title, f"figures/{name}", room[name], keys, numeric, totals=totals, name=name)
        for name, title, keys, numeric, totals in told if not room[name].empty
    ]  # fmt: skip
