"""A case: everything the optimiser is told, validated once and then frozen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from optimizer.case import schema
from optimizer.case.checks import check_case, check_rows
from optimizer.case.checks.bands import guess_of
from optimizer.case.checks.formats import is_old, old_words
from optimizer.case.checks.units import check_cells, check_subsidy
from optimizer.case.terms import TERM_TABLES
from optimizer.files.tables import meant_by, spelling
from optimizer.ground.errors import HouseFault
from optimizer.ground.findings import Finding, InputError
from optimizer.ground.quarters import Quarter, span
from optimizer.ground.units import th_per_gross_mw

if TYPE_CHECKING:
    import pandas as pd

RESIDUAL_LIFE_QUARTERS = 120
"""Quarters over which what a hall is worth falls to nothing, where a product names no others."""
CHECK_UNIT = "check its unit"
PROTOCOL = frozenset({"subsidy_btc", "halvings", "first_quarter", "quarters"})
"""Settings that must agree with the bitcoin protocol, also where a script changes one."""
_Model = TypeVar("_Model", bound=BaseModel)
_Row = TypeVar("_Row", bound=schema.Row)


@dataclass(frozen=True, repr=False)
class Case:
    """One company, its horizon, its choices and its markets; a tuple of rows for each table of the case format.

    Made by `load_case` or `Case.replace`; both check everything and raise InputError with all findings.
    """

    settings: schema.Settings
    scenarios: tuple[schema.Scenario, ...]
    sites: tuple[schema.Site, ...]
    site_limits: tuple[schema.SiteLimit, ...]
    tariffs: tuple[schema.Tariff, ...]
    asics: tuple[schema.Asic, ...]
    bitcoin: tuple[schema.BitcoinMarket, ...]
    products: tuple[schema.Product, ...]
    product_markets: tuple[schema.ProductMarket, ...]
    profiles: tuple[schema.Profile, ...]
    overheads: tuple[schema.Overhead, ...]
    fleet: tuple[schema.Fleet, ...] = ()
    options: tuple[schema.Option, ...] = ()
    offers: tuple[schema.Offer, ...] = ()
    offer_prices: tuple[schema.OfferPrice, ...] = ()
    offer_sites: tuple[schema.OfferSite, ...] = ()
    obligations: tuple[schema.Obligation, ...] = ()
    budget_years: tuple[schema.BudgetYear, ...] = ()
    use_limits: tuple[schema.UseLimit, ...] = ()
    committed_starts: tuple[schema.CommittedStart, ...] = ()
    committed_contracts: tuple[schema.CommittedContract, ...] = ()
    power_escalators: tuple[schema.PowerEscalator, ...] = ()
    own_plants: tuple[schema.OwnPlant, ...] = ()
    machine_markets: tuple[schema.MachineMarket, ...] = ()
    deposits: tuple[schema.Deposit, ...] = ()
    gpu_lives: tuple[schema.GpuLife, ...] = ()
    base_rates: tuple[schema.BaseRate, ...] = ()
    facilities: tuple[schema.Facility, ...] = ()
    amortisation: tuple[schema.Amortisation, ...] = ()
    depreciation: tuple[schema.Depreciation, ...] = ()
    customers: tuple[schema.Customer, ...] = ()
    collateral: tuple[schema.Collateral, ...] = ()
    btc_schedule: tuple[schema.BtcSale, ...] = ()
    price_steps: tuple[schema.PriceStep, ...] = ()
    ratchets: tuple[schema.Ratchet, ...] = ()
    grid_groups: tuple[schema.GridGroup, ...] = ()
    grid_group_limits: tuple[schema.GridGroupLimit, ...] = ()
    allow: tuple[schema.Allow, ...] = ()
    terms: Mapping[str, tuple[schema.Row, ...]] = field(default_factory=dict)
    warnings: tuple[Finding, ...] = field(default=(), compare=False)

    def __repr__(self) -> str:
        return f"<Case {self.settings.name}: {len(self.sites)} sites, {self.first} to {self.last}>"

    # ---- variants -------------------------------------------------------------------------------------------

    def replace(self, **changes: Any) -> Case:
        """A variant with some settings or whole tables changed, validated again.

        A table may be given as rows, as dictionaries or as a DataFrame. Raises InputError; TypeError for a name that
        is neither a setting nor a table.
        """
        unknown = set(changes) - set(schema.Settings.model_fields) - set(TABLE_NAMES)
        if unknown:
            raise TypeError(f"neither a setting nor a table of a case: {', '.join(sorted(unknown))}")
        settings = self.settings.model_dump() | {k: v for k, v in changes.items() if k not in TABLE_NAMES}
        tables = {name: _records(changes[name]) if name in changes else self.rows(name) for name in TABLE_NAMES}
        case = assemble(settings, tables)
        if PROTOCOL & set(changes) and (odd := check_subsidy(case)):
            raise InputError(odd)
        return case

    def table(self, name: str) -> pd.DataFrame:
        """One input table as a DataFrame in trade units."""
        import pandas as pd

        row_type = TABLE_TYPES[name]
        return pd.DataFrame([row.model_dump() for row in self.rows(name)], columns=list(row_type.model_fields))

    def rows(self, name: str) -> tuple[Any, ...]:
        """The rows of a table by its name; terms of offers have no attribute of their own."""
        rows: tuple[Any, ...] = self.terms.get(name, ()) if name in TERM_NAMES else getattr(self, name)
        return rows

    # ---- the horizon ----------------------------------------------------------------------------------------

    @cached_property
    def horizon(self) -> tuple[Quarter, ...]:
        return span(self.settings.first_quarter, self.settings.quarters)

    @property
    def first(self) -> Quarter:
        return self.horizon[0]

    @property
    def last(self) -> Quarter:
        return self.horizon[-1]

    @property
    def every_table(self) -> Iterator[tuple[Any, ...]]:
        return (self.rows(name) for name in TABLE_NAMES)

    def of_offer(self, kind: type[_Row], offer: str) -> list[_Row]:
        """The rows of a table that belong to an offer."""
        return self._by_offer.get((kind.table, offer), [])

    @cached_property
    def _by_offer(self) -> Mapping[tuple[str, str], list[Any]]:
        rows: dict[tuple[str, str], list[Any]] = {}
        for name, kind in TABLE_TYPES.items():
            if "offer" in kind.model_fields:
                for row in self.rows(name):
                    rows.setdefault((name, row.offer), []).append(row)
        return rows

    # ---- lookups --------------------------------------------------------------------------------------------

    def scenario_named(self, name: str | None) -> str:
        """A scenario's own name, the first one's where none is given. Raises InputError for an unknown one."""
        names = [row.scenario for row in self.scenarios]
        if name is not None and name not in names:
            why = "is no scenario of this case"
            raise InputError([Finding("scenarios.csv", why, f"choose one of {', '.join(names)}", value=name)])
        return names[0] if name is None else name

    @cached_property
    def site(self) -> Mapping[str, schema.Site]:
        return {row.site: row for row in self.sites}

    @cached_property
    def asic(self) -> Mapping[str, schema.Asic]:
        return {row.asic: row for row in self.asics}

    @cached_property
    def product(self) -> Mapping[str, schema.Product]:
        return {row.product: row for row in self.products}

    @cached_property
    def option(self) -> Mapping[str, schema.Option]:
        return {row.option: row for row in self.options}

    @cached_property
    def offer(self) -> Mapping[str, schema.Offer]:
        return {row.offer: row for row in self.offers}

    @cached_property
    def profile(self) -> Mapping[str, tuple[float, ...]]:
        """Shares of each profile in the order of its steps."""
        shares: dict[str, list[tuple[int, float]]] = {}
        for row in self.profiles:
            shares.setdefault(row.profile, []).append((row.step, row.share))
        return {name: tuple(share for _, share in sorted(steps)) for name, steps in shares.items()}

    @cached_property
    def limit_gross_mw(self) -> Mapping[tuple[str, Quarter], float]:
        """Grid limit of each site in each quarter of the horizon, gross MW."""
        steps: dict[str, list[schema.SiteLimit]] = {}
        for row in self.site_limits:
            steps.setdefault(row.site, []).append(row)
        limits = {}
        for name, rows in steps.items():
            rows.sort(key=lambda row: row.from_quarter)
            for t in self.horizon:
                limits[name, t] = [row.limit_gross_mw for row in rows if row.from_quarter <= t][-1]
        return limits

    @cached_property
    def grid_group_limit(self) -> Mapping[tuple[str, Quarter], float]:
        """Limit that the sites of a group share in each quarter of the horizon, gross MW."""
        limits: dict[tuple[str, Quarter], float] = {}
        for row in sorted(self.grid_group_limits, key=lambda row: row.from_quarter):
            limits |= {(row.group, t): row.limit_gross_mw for t in self.horizon if row.from_quarter <= t}
        return limits

    @cached_property
    def halls_of_facility(self) -> Mapping[str, frozenset[tuple[str, str]]]:
        """Sites and products whose halls secure a facility; none where the company borrows."""
        secured: dict[str, frozenset[tuple[str, str]]] = {row.facility: frozenset() for row in self.facilities}
        for row in self.collateral:
            option = self.option[row.option]
            secured[row.facility] |= {(option.site, option.product)}
        return secured

    def sign_by(self, offer: schema.Offer) -> Quarter:
        """The last quarter in which an offer can be accepted: its own, or a lead time before its window ends."""
        if offer.sign_by is not None:
            return offer.sign_by
        sites = self.sites_of_offer[offer.offer]
        leads = [o.lead_quarters for o in self.options if o.product == offer.product and o.site in sites]
        return max(self.first, offer.window_last - min(leads, default=0))

    def residual_musd_per_it_mw(self, product: str, quarter: Quarter) -> float:
        """What a free IT MW of a product is worth at the start of a quarter, $M; it falls by the calendar."""
        row = self.product[product]
        life = RESIDUAL_LIFE_QUARTERS if row.residual_life_quarters is None else row.residual_life_quarters
        return row.residual_musd_per_it_mw * max(0.0, 1 - (quarter - self.first) / life)

    @cached_property
    def tariff(self) -> Mapping[tuple[str, str, Quarter], schema.Tariff]:
        """Keyed by scenario, tariff and quarter."""
        return {(row.scenario, row.tariff, row.quarter): row for row in self.tariffs}

    @cached_property
    def machine_market(self) -> Mapping[str, schema.MachineMarket]:
        return {row.asic: row for row in self.machine_markets}

    @cached_property
    def own_plant(self) -> Mapping[tuple[str, str, Quarter], schema.OwnPlant]:
        """Keyed by scenario, site and quarter."""
        return {(row.scenario, row.site, row.quarter): row for row in self.own_plants}

    @cached_property
    def ratchet(self) -> Mapping[str, schema.Ratchet]:
        """Keyed by site."""
        return {row.site: row for row in self.ratchets}

    @cached_property
    def gpu_life(self) -> Mapping[str, schema.GpuLife]:
        return {row.option: row for row in self.gpu_lives}

    @cached_property
    def base_rate(self) -> Mapping[tuple[str, str, Quarter], float]:
        """Yearly rate, keyed by scenario, base rate and quarter."""
        return {(row.scenario, row.base_rate, row.quarter): row.rate for row in self.base_rates}

    @cached_property
    def customer(self) -> Mapping[str, schema.Customer]:
        """Customers whose chance of default is known."""
        return {row.customer: row for row in self.customers}

    @cached_property
    def facility(self) -> Mapping[str, schema.Facility]:
        return {row.facility: row for row in self.facilities}

    @cached_property
    def bitcoin_market(self) -> Mapping[tuple[str, Quarter], schema.BitcoinMarket]:
        return {(row.scenario, row.quarter): row for row in self.bitcoin}

    @cached_property
    def product_market(self) -> Mapping[tuple[str, str, Quarter], schema.ProductMarket]:
        return {(row.scenario, row.product, row.quarter): row for row in self.product_markets}

    @cached_property
    def offer_price(self) -> Mapping[tuple[str, str], schema.OfferPrice]:
        """Keyed by scenario and offer."""
        return {(row.scenario, row.offer): row for row in self.offer_prices}

    @cached_property
    def sites_of_offer(self) -> Mapping[str, tuple[str, ...]]:
        """Sites that each offer accepts, in the order of the sites table."""
        accepted = {(row.offer, row.site) for row in self.offer_sites}
        return {o.offer: tuple(s.site for s in self.sites if (o.offer, s.site) in accepted) for o in self.offers}

    def term_end(self, offer: str, delivery: Quarter) -> Quarter:
        """The last quarter of an offer's own term, without the tenant's options to extend it."""
        return delivery + (self.offer[offer].term_quarters - 1)

    @cached_property
    def pue(self) -> Mapping[tuple[str, str], float]:
        """PUE of each site and product that has an option, or whose halls another option leaves."""
        own = {(option.site, option.product): option.pue for option in self.options}
        left = {
            (self.option[life.option].site, life.relet_product): self.option[life.option].pue
            for life in self.gpu_lives
            if life.relet_product is not None
        }
        return {**left, **own}

    def site_price(self, scenario: str, site: str, quarter: Quarter) -> schema.Tariff:
        """The tariff row of a site, escalated; after the horizon the last quarter's, before it (sunk) the first's."""
        return self._escalated[scenario, self.site[site].tariff, min(max(quarter, self.first), self.last)]

    def site_steps(self, scenario: str, site: str, quarter: Quarter) -> Sequence[tuple[float, float]]:
        """Price steps of a site's tariff in a quarter: share of its hours and $/MWh, escalated; empty without any."""
        return self._steps.get((scenario, self.site[site].tariff, quarter), ())

    @cached_property
    def _escalated(self) -> Mapping[tuple[str, str, Quarter], schema.Tariff]:
        return {
            key: row.model_copy(update={"energy_usd_per_mwh": row.energy_usd_per_mwh * self._rise(row)})
            for key, row in self.tariff.items()
        }

    @cached_property
    def _steps(self) -> Mapping[tuple[str, str, Quarter], list[tuple[float, float]]]:
        steps: dict[tuple[str, str, Quarter], list[tuple[float, float]]] = {}
        for row in self.price_steps:
            step = row.hours_share, row.energy_usd_per_mwh * self._rise(row)
            steps.setdefault((row.scenario, row.tariff, row.quarter), []).append(step)
        return steps

    @cached_property
    def _escalator(self) -> Mapping[str, schema.PowerEscalator]:
        return {row.tariff: row for row in self.power_escalators}

    def _rise(self, row: schema.Tariff | schema.PriceStep) -> float:
        """What the escalator of its tariff makes of an energy price."""
        rise = self._escalator.get(row.tariff)
        if rise is None or row.quarter < rise.from_quarter:
            return 1.0
        return float((1 + rise.yearly_rise) ** ((row.quarter - rise.from_quarter) // 4))

    def fleet_gross_mw(self, row: schema.Fleet) -> float:
        """Gross MW of a fleet row, which may count units."""
        if row.gross_mw is not None:
            return row.gross_mw
        machine = self.asic[row.asic]
        assert row.units is not None and machine.th_per_unit is not None
        return row.units * machine.th_per_unit / th_per_gross_mw(machine.joules_per_th, machine.overhead)

    def eligible(self, option: schema.Option) -> bool:
        """Whether the option's site has the power firmness, the fibre and the rack density it needs."""
        site = self.site[option.site]
        return site.firm_power and site.fibre and option.rack_kw <= site.max_rack_kw

    def earliest_start(self, option: schema.Option) -> Quarter:
        """The first quarter in which new blocks may start: what is ordered ahead must be ordered in the horizon."""
        ordered = max((row.quarters_before for row in self.deposits if row.option == option.option), default=0)
        return max(option.earliest, self.first + ordered)

    def it_mw_of_block(self, option: schema.Option) -> float:
        return option.block_gross_mw / option.design_ratio

    def facility_musd_per_it_mw(self, option: schema.Option) -> float:
        """Facility capex at the case's capex level, $M per IT MW."""
        return float(getattr(option, f"facility_{self.settings.capex_level}_musd_per_it_mw"))

    def mining_ends(self, site: str) -> Quarter | None:
        """The last quarter in which machines may run at a site: the earlier of company's and site's; None: no end."""
        ends = [q for q in (self.settings.mining_ends, self.site[site].mining_ends) if q is not None]
        return min(ends, default=None)


TABLE_TYPES: Mapping[str, type[schema.Row]] = {kind.table: kind for kind in (*schema.TABLES, *TERM_TABLES)}
TABLE_NAMES: tuple[str, ...] = tuple(TABLE_TYPES)
TERM_NAMES = frozenset(kind.table for kind in TERM_TABLES)
if strays := {f.name for f in fields(Case)} ^ ({"settings", "terms", "warnings", *TABLE_NAMES} - TERM_NAMES):
    raise HouseFault(f"Tables of case/schema that are no field of Case, or the other way: {', '.join(sorted(strays))}.")


def assemble(
    settings: Mapping[str, Any] | None,
    tables: Mapping[str, Iterable[schema.Row | tuple[int | None, Mapping[str, Any]]]],
    found: Iterable[Finding] = (),
    *,
    from_files: bool = False,
) -> Case:
    """Check settings and rows one by one, then all together, and freeze them into a case.

    `found` are findings that reading the files already made; settings that could not be read are None. `from_files`
    looks at them harder, as at what people write. Raises InputError with everything found in one pass.
    """
    findings = list(found)
    if settings is not None and is_old(settings):
        filled = {name for name, rows in tables.items() if list(rows)}
        raise InputError(list(old_words(settings, filled | {one.file.removesuffix(".csv") for one in findings})))
    checked = None if settings is None else _parse(schema.Settings, settings, "case.toml", None, findings)
    rows = {name: _parse_table(TABLE_TYPES[name], tables.get(name, ()), findings) for name in TABLE_NAMES}
    broken = {finding.file.removesuffix(".csv") for finding in findings if finding.severity == "error"}
    if broken and from_files:
        findings += check_cells(checked, rows)
    terms = {name: rows.pop(name) for name in TERM_NAMES}
    case = Case(settings=checked, terms=terms, **rows)  # type: ignore[arg-type]
    if checked is None or broken:
        raise InputError([*findings, *check_rows(case, broken)])
    findings += check_case(case, from_files=from_files)
    if any(finding.severity == "error" for finding in findings):
        raise InputError(findings)
    object.__setattr__(case, "warnings", tuple(findings))
    return case


def _parse_table(
    row_type: type[schema.Row],
    rows: Iterable[schema.Row | tuple[int | None, Mapping[str, Any]]],
    findings: list[Finding],
) -> tuple[schema.Row, ...]:
    parsed: list[schema.Row] = []
    for item in rows:
        if isinstance(item, schema.Row):
            parsed.append(item)
            continue
        line, record = item
        row = _parse(row_type, record, f"{row_type.table}.csv", line, findings)
        if row is not None:
            row._line = line
            parsed.append(row)
    return tuple(parsed)


def _parse(
    model: type[_Model], record: Mapping[str, Any], file: str, line: int | None, findings: list[Finding]
) -> _Model | None:
    try:
        return model.model_validate(dict(record))
    except ValidationError as error:
        meant = meant_by(map(str, record), set(model.model_fields) - set(record))
        findings += [spelling(file, meant, line)] if meant else []
        told = [item for item in error.errors() if item["loc"][0] not in (*meant, *meant.values())]
        findings += [_finding_of(dict(item), file, line, model) for item in told]
        return None


def _finding_of(error: dict[str, Any], file: str, line: int | None, model: type[BaseModel]) -> Finding:
    """A pydantic error in this project's words."""
    place = ".".join(str(part) for part in error["loc"])
    value = "" if error["type"] == "missing" or error["input"] is None else str(error["input"])[:100]
    why, _, mend = _words(error, model).partition("; ")
    if mend == CHECK_UNIT:
        mend += guess_of(file, place, value)
    return Finding(file, why, mend, line=line, column=place, value=value)


def _words(error: dict[str, Any], model: type[BaseModel]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "is missing; add it"
        case "extra_forbidden":
            return f"is unknown here; {_nearest(str(error['loc'][0]), list(model.model_fields))}"
        case "literal_error" | "enum":
            return f"is not one of {context['expected']}; write one of them"
        case "greater_than":
            return f"must be above {context['gt']:g}; {CHECK_UNIT}"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}; {CHECK_UNIT}"
        case "less_than":
            return f"must be below {context['lt']:g}; {CHECK_UNIT}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}; {CHECK_UNIT}"
        case "multiple_of":
            return f"must be a multiple of {context['multiple_of']:g}; correct it"
        case "string_too_short" | "string_type":
            return "is not a name; write one, or * for all"
        case "dict_type":
            return "is not a table of names and numbers; write it as a section, [discount_rates]"
        case "tuple_type":
            return "is not a list; write it in brackets, [2028-04-12]"
        case "value_error":
            return str(context["error"])
        case _:
            return f"cannot be used ({error['msg'].lower()}); see docs/case-format.md"


def _nearest(name: str, known: list[str]) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "take it away"


def _records(rows: Any) -> list[schema.Row | tuple[int | None, Mapping[str, Any]]]:
    """Rows, dictionaries or a DataFrame, as `assemble` takes them; missing cells of a DataFrame are blanks."""
    if hasattr(rows, "to_dict"):
        rows = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [row if isinstance(row, schema.Row) else (None, row) for row in rows]
