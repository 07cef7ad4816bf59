"""Drafts: one scenario of a case as plain rows, to be moved in time and mixed with another before it is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from optimizer.case.case import TABLE_NAMES, TABLE_TYPES, Case, assemble
from optimizer.case.schema import ANY, MINING, Collateral, CommittedStart, Option, Row, Scenario, Settings
from optimizer.questions.compare.groups import GROUP_OF_SETTING, GROUP_OF_TABLE, GROUPS, Group

if TYPE_CHECKING:
    from optimizer.ground.quarters import Quarter

SCENARIO = "compared"
"""The one scenario of a draft, whatever the plan's was called."""
NAMES = {"format": 2, "name": "hybrid", "title": "between two plans"}


@dataclass(frozen=True)
class Draft:
    """Settings and rows of one scenario; nothing is checked yet."""

    settings: Mapping[str, Any]
    tables: Mapping[str, tuple[Row, ...]]

    def with_rows(self, **tables: Iterable[Row]) -> Draft:
        return replace(self, tables={**self.tables, **{name: tuple(rows) for name, rows in tables.items()}})

    def with_settings(self, **settings: Any) -> Draft:
        return replace(self, settings={**self.settings, **settings})

    def only(self, table: str, keep: Callable[[Any], bool]) -> Draft:
        """Without the rows of a table that are not to be kept."""
        return self.with_rows(**{table: [row for row in self.tables[table] if keep(row)]})

    def names(self, table: str) -> set[str]:
        """The first key of each row of a table."""
        return {row.identity()[0] for row in self.tables[table]}  # type: ignore[misc]

    def case(self) -> Case:
        """The draft as a case. Raises InputError where its rows do not fit together."""
        return assemble(self.settings, self.tables)


def draft_of(case: Case, scenario: str) -> Draft:
    """One scenario of a case; names and notes, which are worth nothing, are the same in every draft."""
    tables = {
        name: tuple(_renamed(row) for row in case.rows(name) if getattr(row, "scenario", scenario) == scenario)
        for name in TABLE_NAMES
    }
    tables |= {"scenarios": (Scenario(scenario=SCENARIO, description="of the plan"),), "allow": ()}
    settings = {name: getattr(case.settings, name) for name in Settings.model_fields}
    return Draft(settings | NAMES, tables)


def _renamed(row: Row) -> Row:
    return row.model_copy(update={"scenario": SCENARIO}) if hasattr(row, "scenario") else row


def unlike_groups(a: Draft, b: Draft) -> list[Group]:
    """The groups whose inputs differ, in the order of the bridge."""
    return [group for group in GROUPS if _part(a, group) != _part(b, group)]


def _part(draft: Draft, group: Group) -> tuple[Any, ...]:
    rows = tuple(tuple(draft.tables[name]) for name in group.tables)
    return (*rows, *(draft.settings[name] for name in group.settings))


# ---- mixing -------------------------------------------------------------------------------------------------------


def hybrid(a: Draft, b: Draft, from_b: Iterable[str]) -> Draft:
    """The named groups from `b`, all others from `a`, mended where one side names what only the other knows."""
    names = set(from_b)
    owner = {table: (b if group in names else a) for table, group in GROUP_OF_TABLE.items()}
    other = {table: (a if group in names else b) for table, group in GROUP_OF_TABLE.items()}
    settings = {name: (b if GROUP_OF_SETTING[name] in names else a).settings[name] for name in a.settings}
    mixed = Draft(settings, {table: owner[table].tables[table] for table in TABLE_NAMES})
    return _without_dangling(_completed(mixed, owner, other))


def _completed(mixed: Draft, owner: Mapping[str, Draft], other: Mapping[str, Draft]) -> Draft:
    """Definitions that are named and missing come from the other side, which knows them; they offer no new choice."""
    mixed = _commitments_known(mixed, owner["committed_starts"])
    for kind, home, *with_it in (
        ("site", "sites", "site_limits"), ("tariff", "tariffs"), ("asic", "asics"),
        ("product", "products", "product_markets"), ("profile", "profiles"), ("index", "indices"),
        ("base_rate", "base_rates"),
    ):  # fmt: skip
        missing = _named(mixed, kind) - {getattr(row, kind) for row in mixed.tables[home]}
        for name in (home, *with_it):
            mixed = _joined(mixed, name, other[home], kind, missing)
    return _machines_quoted(mixed, owner)


def _named(mixed: Draft, kind: str) -> set[str]:
    """What all tables name of a kind."""
    columns = {"profile": ("facility_curve", "gpu_curve", "ramp")}.get(kind, (kind,))
    return {
        getattr(row, column)
        for table, row_type in TABLE_TYPES.items()
        for column in columns
        if column in row_type.model_fields
        for row in mixed.tables[table]
    } - {None, ANY}


def _column(draft: Draft, table: str, column: str) -> set[str]:
    return {getattr(row, column) for row in draft.tables[table]}


def _joined(mixed: Draft, table: str, source: Draft, kind: str, names: set[str]) -> Draft:
    if not names:
        return mixed
    there = {row.identity() for row in mixed.tables[table]}
    more = [row for row in source.tables[table] if getattr(row, kind) in names and row.identity() not in there]
    return mixed.with_rows(**{table: [*mixed.tables[table], *more]})


def _commitments_known(mixed: Draft, state: Draft) -> Draft:
    """Halls and contracts that are committed bring their option or offer with them, for no more than is committed."""
    blocks: dict[str, int] = {}
    for row in mixed.tables["committed_starts"]:
        if isinstance(row, CommittedStart):
            blocks[row.option] = blocks.get(row.option, 0) + row.blocks
    unknown = set(blocks) - mixed.names("options")
    options = [
        row.model_copy(update={"max_blocks": blocks[row.option]})
        for row in state.tables["options"]
        if isinstance(row, Option) and row.option in unknown
    ]
    mixed = mixed.with_rows(options=[*mixed.tables["options"], *options])
    for table in ("deposits", "gpu_lives"):
        mixed = _joined(mixed, table, state, "option", unknown)
    offers = _column(mixed, "committed_contracts", "offer") - mixed.names("offers")
    for table, row_type in TABLE_TYPES.items():
        if GROUP_OF_TABLE[table] == "offers" and "offer" in row_type.model_fields:
            mixed = _joined(mixed, table, state, "offer", offers)
    return mixed


def _machines_quoted(mixed: Draft, owner: Mapping[str, Draft]) -> Draft:
    """Machines that the other side's market has never heard of keep the quotes of their own."""
    state, market = owner["fleet"], owner["machine_markets"]
    unheard = _column(mixed, "fleet", "asic") - market.names("asics")
    return mixed if state is market else _joined(mixed, "machine_markets", state, "asic", unheard)


def _without_dangling(mixed: Draft) -> Draft:
    """Without loans whose offer or halls are not there, and rates and policies of uses that are not there."""
    products, offers = mixed.names("products"), mixed.names("offers")
    uses = {*products, MINING}
    mixed = mixed.only("use_limits", lambda row: row.use in uses and row.site in {ANY, *mixed.names("sites")})
    mixed = mixed.only("facilities", lambda row: row.requires_offer in {None, *offers} or row.drawn_musd > 0)
    mixed = mixed.with_rows(
        facilities=[
            row if getattr(row, "requires_offer", None) in {None, *offers} else _closed(row)
            for row in mixed.tables["facilities"]
        ]
    )
    options, secured = mixed.names("options"), _column(mixed, "collateral", "facility")
    held = {row.facility for row in mixed.tables["collateral"] if row.option in options}  # type: ignore[attr-defined]
    lost = secured - held
    mixed = mixed.only("facilities", lambda row: row.facility not in lost or row.drawn_musd > 0)
    facilities = mixed.names("facilities")
    mixed = mixed.only("facilities", lambda row: row.refinances in {None, *facilities})
    facilities = mixed.names("facilities")
    mixed = mixed.only("amortisation", lambda row: row.facility in facilities)
    mixed = mixed.with_rows(collateral=list(_secured(mixed, facilities)))
    rates = {line: rate for line, rate in mixed.settings["discount_rates"].items() if line in {*uses, *OF_THE_COMPANY}}
    return mixed.with_settings(discount_rates=rates)


OF_THE_COMPANY = ("corporate", "debt")
"""Rates that are no use's."""


def _secured(mixed: Draft, facilities: set[str]) -> Iterator[Row]:
    """What secures the loans that are there: of each site and product of which they held an option, all options."""
    options: dict[str, Any] = {row.option: row for row in mixed.tables["options"]}  # type: ignore[attr-defined]
    rows: list[Any] = [
        row
        for row in mixed.tables["collateral"]
        if row.facility in facilities and row.option in options  # type: ignore[attr-defined]
    ]
    yield from rows
    there = {row.identity() for row in rows}
    for facility, site, product in dict.fromkeys(
        (row.facility, options[row.option].site, options[row.option].product) for row in rows
    ):
        for option in options.values():
            more = Collateral(facility=facility, option=option.option)
            if (option.site, option.product) == (site, product) and more.identity() not in there:
                yield more


def _closed(row: Row) -> Row:
    """A loan that can be drawn no more."""
    return row.model_copy(update={"requires_offer": None, "available_first": None, "available_last": None})


# ---- the horizon --------------------------------------------------------------------------------------------------

PATHS = ("bitcoin", "tariffs", "product_markets", "overheads", "base_rates", "own_plants", "indices")
"""Tables with a row for each quarter of the horizon."""


def reaching(draft: Draft, first: Quarter, last: Quarter) -> Draft:
    """The draft to `last`: every path goes on at its last quarter's numbers, and back to `first` at its first one's."""
    tables = {name: _reaching(draft.tables[name], first, last) for name in PATHS}
    begins = draft.settings["first_quarter"]
    return draft.with_rows(**tables).with_settings(quarters=last - begins + 1)


def _reaching(rows: tuple[Row, ...], first: Quarter, last: Quarter) -> list[Row]:
    paths: dict[tuple[Any, ...], dict[Any, Row]] = {}
    for row in rows:
        paths.setdefault(row.identity()[:-1], {})[row.identity()[-1]] = row
    more: list[Row] = []
    for path in paths.values():
        known = sorted(path)
        for t in (first + i for i in range(last - first + 1)):
            if t not in path:
                near = max((q for q in known if q < t), default=known[0])
                more.append(path[near].model_copy(update={"quarter": t}))
    return [*rows, *more]
