"""Cases small enough to solve by trying everything, and a tiny one for sums done by hand."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import count, islice
from typing import Any

import oracle
from small_features import TERM_TABLES, Features

from optimizer.case.case import Case, assemble
from optimizer.case.schema import Settings
from optimizer.ground.quarters import Quarter, span

Rows = list[dict[str, Any]]

FEWEST_COMBINATIONS = 20
MOST_COMBINATIONS = 200
MOST_START_PATTERNS = 300
BASES = ("usd_per_kw_month", "musd_per_it_mw_year", "usd_per_gpu_hour")
PRODUCTS = ("colo", "gpu")


@cache
def small_case(seed: int) -> Case:
    """A random case of two or three sites; the same seed always gives the same case.

    Drawn again until its starts and signings make a number of combinations worth trying and quick to try.
    """
    for attempt in count():
        rng = random.Random(f"small case {seed}, attempt {attempt}")
        case = Draw(rng).case()
        if start_patterns(case) > MOST_START_PATTERNS:
            continue
        tried = sum(1 for _ in islice(oracle.combinations(case), MOST_COMBINATIONS + 1))
        if FEWEST_COMBINATIONS <= tried <= MOST_COMBINATIONS:
            return in_need_of_money(case, scenario_of(seed), rng)
    raise AssertionError("unreachable")


def scenario_of(seed: int) -> str:
    """The scenario of a small case to look at: even seeds the base scenario, odd ones the other."""
    return "base" if seed % 2 == 0 else "other"


def in_need_of_money(case: Case, scenario: str, rng: random.Random) -> Case:
    """Where a loan can be drawn: so little cash that building, or even doing nothing, needs it.

    Often a sale brings money late, so that it is cash before it that is short.
    """
    if not any(loan.can_be_drawn for loan in case.rows("facilities")):
        return case
    if rng.random() < 0.7:
        late = case.last - rng.randint(0, len(case.horizon) // 3)
        sale = {"quarter": late, "name": "a late sale", "kind": "asset_sale", "musd": round(rng.uniform(5, 25), 4)}
        case = case.replace(obligations=[*case.obligations, sale])
    lowest = oracle.do_nothing_lowest_cash(case, scenario)
    if lowest is None:
        return case
    secured = {row.facility for row in case.rows("collateral")}
    free = [loan for loan in case.rows("facilities") if loan.facility not in secured]
    in_time = any(loan.available_first == case.first or loan.refinances for loan in free)
    least = -6 if in_time else 0
    most = 8 if free else 1
    spare = rng.choice([rng.uniform(least, 0.5), rng.uniform(least / 6, 1), rng.uniform(0, most)])
    cash = case.settings.opening_cash_musd - lowest + case.settings.minimum_cash_musd + spare
    return case.replace(opening_cash_musd=round(cash, 4))


def start_patterns(case: Case) -> int:
    patterns = 1
    for option in case.options:
        patterns *= len(oracle.starts_of_option(case, option))
    return patterns


class Draw:
    """One random case in the making, table by table. Numbers stay away from 0 and 1; features come and go."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.first = Quarter(4 * 2026 + rng.randrange(12))
        self.horizon = span(self.first, rng.randint(4, 8))
        self.last = self.horizon[-1]
        self.tables: dict[str, Rows] = {}
        self.features = Features(random.Random(rng.random()), self.tables, self.horizon)

    # what to draw

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def number(self, low: float, high: float) -> float:
        return round(self.rng.uniform(low, high), 4)

    def maybe(self, probability: float, low: float, high: float) -> float | None:
        return self.number(low, high) if self.chance(probability) else None

    def quarter(self, low: int, high: int) -> Quarter:
        """A quarter between two numbers of quarters counted from the first one."""
        return self.first + self.rng.randint(low, high)

    def late_quarter(self, probability: float) -> Quarter | None:
        """A quarter in which something may end: from the first to the one before the last."""
        return self.quarter(0, len(self.horizon) - 2) if self.chance(probability) else None

    # the case

    def case(self) -> Case:
        self.tables["scenarios"] = [
            {"scenario": "base", "description": "as planned"},
            {"scenario": "other", "description": "otherwise"},
        ]
        self.tables["allow"] = [{"file": "case.toml", "column": "*", "row": "*", "reason": "subsidies drawn by lot"}]
        self.draw_sites()
        self.draw_machines()
        self.draw_products()
        self.draw_options()
        self.draw_twin_site()
        self.features.draw_fleet()
        self.draw_offers()
        self.draw_commitments()
        self.features.draw_halls()
        self.features.draw_terms()
        self.draw_twin_offer()
        self.features.draw_prerequisites()
        self.draw_markets()
        self.features.draw_power()
        self.draw_money()
        self.draw_use_limits()
        self.features.draw_treasury()
        self.features.draw_rent_free()
        settings = self.settings()
        return assemble(settings, {name: [(None, row) for row in rows] for name, rows in self.tables.items()})

    def draw_sites(self) -> None:
        names = [f"site{i}" for i in range(self.rng.randint(2, 3))]
        shared = self.chance(0.3)
        self.tables["sites"] = [
            {
                "site": name,
                "tariff": "grid" if shared else f"{name} grid",
                "mining_cost_musd_per_gross_mw_year": self.number(0.01, 0.09),
                "firm_power": not self.chance(0.05),
                "fibre": not self.chance(0.05),
                "max_rack_kw": self.rng.choice([80, 140]),
                "mining_ends": self.late_quarter(0.15),
            }
            for name in names
        ]
        limits = self.tables["site_limits"] = []
        for name in names:
            begins = self.first - self.rng.randint(0, 3)
            limits.append({"site": name, "from_quarter": begins, "limit_gross_mw": self.number(12, 40)})
            if self.chance(0.6):
                later = self.quarter(1, len(self.horizon) - 1)
                limits.append({"site": name, "from_quarter": later, "limit_gross_mw": self.number(10, 60)})

    def draw_machines(self) -> None:
        self.tables["asics"] = [
            {
                "asic": name,
                "joules_per_th": self.number(low, high),
                "uptime": self.number(0.9, 0.99),
                "pool_fee": self.number(0.005, 0.03),
                "overhead": self.number(0.02, 0.08),
                "retires_after": self.late_quarter(0.3),
                "residual_usd_per_th": self.number(0.2, 6),
            }
            for name, low, high in (("new", 14, 22), ("old", 24, 36))
        ]
        fleet = self.tables["fleet"] = []
        for site in self.tables["sites"]:
            steps = [row for row in self.tables["site_limits"] if row["site"] == site["site"]]
            full = steps[0]["limit_gross_mw"]
            new = self.number(0.2, 0.75)
            for asic, share in (("new", new), ("old", 0.96 - new)):
                if self.chance(0.75):
                    mw = round(full * share, 3)
                    fleet.append({"site": site["site"], "asic": asic, "gross_mw": mw})

    def draw_products(self) -> None:
        self.tables["products"] = [
            {
                "product": name,
                "kind": kind,
                "power_passed_through": self.chance(0.5),
                "operating_cost_share": self.number(0.03, 0.25),
                "load_factor": self.number(0.6, 0.95),
                "gpus_per_it_mw": self.number(500, 800),
                "utilisation": self.number(0.5, 0.9),
                "residual_musd_per_it_mw": self.number(0.1, 3.5),
                "residual_life_quarters": self.rng.choice(
                    [None, None, self.rng.randint(3, 12), self.rng.randint(12, 60)]
                ),
            }
            for name, kind in zip(PRODUCTS, ("colocation", "gpu_service"), strict=True)
        ]

    def draw_options(self) -> None:
        self.tables["profiles"] = []
        pues: dict[tuple[str, str], float] = {}
        longest = min(3, len(self.horizon) - 1)
        self.tables["options"] = [
            self.option(f"option{i}", pues, self.rng.randint(1, longest)) for i in range(self.rng.randint(2, 3))
        ]

    def option(self, name: str, pues: dict[tuple[str, str], float], lead: int) -> dict[str, Any]:
        site = self.rng.choice(self.tables["sites"])["site"]
        product = self.rng.choice(PRODUCTS)
        pue = pues.setdefault((site, product), self.number(1.05, 1.25))
        low = self.number(0.6, 2.8)
        latest_start = len(self.horizon) - 1 - lead
        return {
            "option": name,
            "site": site,
            "product": product,
            "block_gross_mw": self.number(3, 9),
            "max_blocks": self.rng.choice([1, 1, 2, 2, 3]),
            "design_ratio": self.number(1.27, 1.6),
            "pue": pue,
            "rack_kw": self.rng.choice([40, 70, 70, 130]),
            "lead_quarters": lead,
            "mining_stops_quarters": self.rng.randint(0, lead),
            "earliest": self.quarter(max(-1, latest_start - 4), max(0, latest_start - 1)),
            "facility_low_musd_per_it_mw": low,
            "facility_base_musd_per_it_mw": round(low * 1.15, 4),
            "facility_high_musd_per_it_mw": round(low * 1.4, 4),
            "gpu_musd_per_it_mw": self.number(0.3, 1.5) if product == "gpu" else 0.0,
            "mobilisation_musd": self.number(0.2, 3),
            "facility_curve": self.curve(f"{name} facility", self.rng.randint(1, lead)),
            "gpu_curve": self.curve(f"{name} gpus", self.rng.randint(1, lead)),
            "ramp": self.ramp(f"{name} ramp"),
        }

    def curve(self, name: str, quarters: int) -> str:
        weights = [self.rng.randint(1, 9) for _ in range(quarters)]
        return self.profile(name, [weight / sum(weights) for weight in weights])

    def ramp(self, name: str) -> str:
        below_one = sorted(self.number(0.3, 0.9) for _ in range(self.rng.randint(0, 2)))
        return self.profile(name, [*below_one, 1.0])

    def profile(self, name: str, shares: Sequence[float]) -> str:
        rows = [{"profile": name, "step": step, "share": share} for step, share in enumerate(shares)]
        self.tables["profiles"] += rows
        return name

    def draw_twin_site(self) -> None:
        """Sometimes a site that differs from the first one in nothing but its name."""
        if len(self.tables["sites"]) > 2 or not self.chance(0.3):
            return
        model = self.tables["sites"][0]["site"]
        for table in ("sites", "site_limits", "fleet", "options"):
            copies = [row | {"site": "twin"} for row in self.tables[table] if row["site"] == model]
            if table == "options":
                copies = [row | {"option": f"twin {row['option']}"} for row in copies]
            self.tables[table] += copies

    def draw_offers(self) -> None:
        sold = [(row["site"], row["product"]) for row in self.tables["options"]]
        self.tables["offers"], self.tables["offer_prices"], self.tables["offer_sites"] = [], [], []
        for i in range(self.rng.randint(2, 4)):
            product = self.rng.choice(sold)[1] if self.chance(0.95) else self.rng.choice(PRODUCTS)
            self.tables["offers"].append(self.offer(f"offer{i}", product))
            self.price_offer(f"offer{i}")
            homes = list(dict.fromkeys(site for site, p in sold if p == product))
            accepted = [site for site in homes if self.chance(0.8)] or homes[:1]
            if self.chance(0.1) or not accepted:
                accepted = [row["site"] for row in self.tables["sites"]]
            self.tables["offer_sites"] += [{"offer": f"offer{i}", "site": site} for site in accepted]

    def offer(self, name: str, product: str) -> dict[str, Any]:
        size = self.number(1, 5)
        opens = self.rng.randint(-1, len(self.horizon) - 2)
        closes = opens + self.rng.randint(0, 3)
        term = self.rng.choice([self.rng.randint(2, 5), self.rng.randint(6, 12), self.rng.randint(12, 40)])
        quoted = self.first + opens - self.rng.randint(0, 6) if self.chance(0.4) else None
        return {
            "offer": name,
            "customer": self.rng.choice(["Ada", "Bob", "Cyd"]),
            "product": product,
            "min_it_mw": size,
            "max_it_mw": size if self.chance(0.5) else round(size * self.number(1.2, 3), 4),
            "window_first": self.first + opens,
            "window_last": self.first + closes,
            "term_quarters": term,
            "escalator": self.number(-0.02, 0.07),
            "price_base_quarter": quoted,
            "power_passed_through": self.chance(0.5),
            "operating_cost_share": self.number(0.02, 0.2),
            "load_factor": self.number(0.5, 0.95),
            "ramp": self.ramp(f"{name} ramp"),
            "utilisation": self.number(0.6, 0.95),
            "exclusive_group": "pick one" if self.chance(0.3) else None,
        }

    def price_offer(self, name: str) -> None:
        for scenario in ("base", "other"):
            price = {"scenario": scenario, "offer": name} | self.price(0.2, 0.8)
            self.tables["offer_prices"].append(price)

    def price(self, low: float, high: float) -> dict[str, Any]:
        """A price worth between low and high $M per IT MW and quarter, in any of the three units."""
        musd = self.number(low, high)
        basis = self.rng.choice(BASES)
        per_unit = {"usd_per_kw_month": 0.003, "musd_per_it_mw_year": 0.25, "usd_per_gpu_hour": 1.0}
        return {"price": round(musd / per_unit[basis], 4), "price_basis": basis}

    def draw_commitments(self) -> None:
        self.tables["committed_starts"], self.tables["committed_contracts"] = [], []
        sites = {row["site"]: row for row in self.tables["sites"]}
        for option in self.tables["options"]:
            site = sites[option["site"]]
            fits = site["firm_power"] and site["fibre"] and option["rack_kw"] <= site["max_rack_kw"]
            if fits and self.chance(0.35):
                self.commit_start(option)

    def commit_start(self, option: dict[str, Any]) -> None:
        lead = option["lead_quarters"]
        begins = self.rng.randint(-lead - 2, min(1, len(self.horizon) - 1 - lead))
        blocks = self.rng.choice([1, 1, 2])
        option["max_blocks"] += blocks - self.rng.choice([0, 0, 1])
        start = {"option": option["option"], "quarter": self.first + begins, "blocks": blocks}
        self.tables["committed_starts"].append(start)
        taken = {row["offer"] for row in self.tables["committed_contracts"]}
        grouped = any(offer["exclusive_group"] for offer in self.tables["offers"] if offer["offer"] in taken)
        for offer in self.tables["offers"]:
            free = offer["offer"] not in taken and not (offer["exclusive_group"] and grouped)
            if free and offer["product"] == option["product"] and self.chance(0.5):
                self.commit_contract(offer, option, begins + lead, blocks)
                return

    def commit_contract(self, offer: dict[str, Any], option: dict[str, Any], service: int, blocks: int) -> None:
        """Sign the offer for a part of what the committed blocks serve in their first quarter of service."""
        delivery = self.first + self.rng.randint(service, min(service + 2, len(self.horizon) - 1))
        ramp = [row["share"] for row in self.tables["profiles"] if row["profile"] == option["ramp"]]
        it_mw = blocks * option["block_gross_mw"] / option["design_ratio"]
        size = round(it_mw * ramp[0] * self.number(0.3, 0.9), 4)
        offer["window_first"] = min(offer["window_first"], delivery)
        offer["window_last"] = max(offer["window_last"], delivery)
        if offer["price_base_quarter"] is not None:
            offer["price_base_quarter"] = min(offer["price_base_quarter"], offer["window_first"])
        fixed_size = offer["min_it_mw"] == offer["max_it_mw"]
        offer["min_it_mw"] = size if fixed_size else min(size, offer["min_it_mw"])
        offer["max_it_mw"] = size if fixed_size else max(size, offer["max_it_mw"])
        here = {"offer": offer["offer"], "site": option["site"]}
        if here not in self.tables["offer_sites"]:
            self.tables["offer_sites"].append(here)
        self.tables["committed_contracts"].append(here | {"quarter": delivery, "it_mw": size})

    def draw_twin_offer(self) -> None:
        """Sometimes an offer that differs from another in nothing but its name, or in its customer too."""
        if len(self.tables["offers"]) > 3 or not self.chance(0.3):
            return
        model = self.rng.choice(self.tables["offers"])
        twin = {"offer": "twin offer"}
        other = {"customer": "Dan"} if self.chance(0.4) else {}
        self.tables["offers"].append(model | twin | other)
        if other:
            same = [row for row in self.tables["customers"] if row["customer"] == model["customer"]]
            self.tables["customers"] += [row | other for row in same]
        for table in ("offer_prices", "offer_sites", *TERM_TABLES):
            self.tables[table] += [row | twin for row in self.tables[table] if row["offer"] == model["offer"]]

    def draw_markets(self) -> None:
        tariffs = list(dict.fromkeys(row["tariff"] for row in self.tables["sites"]))
        self.tables["tariffs"], self.tables["bitcoin"], self.tables["product_markets"] = [], [], []
        for scenario in ("base", "other"):
            for tariff in tariffs:
                self.draw_tariff(scenario, tariff)
            self.draw_bitcoin(scenario)
            for product in PRODUCTS:
                self.draw_product_market(scenario, product)

    def draw_tariff(self, scenario: str, name: str) -> None:
        level = self.number(25, 65)
        for t in self.horizon:
            energy = self.number(-20, -2) if self.chance(0.04) else level * self.number(0.7, 1.4)
            self.tables["tariffs"].append(
                {
                    "scenario": scenario,
                    "tariff": name,
                    "quarter": t,
                    "energy_usd_per_mwh": energy,
                    "demand_usd_per_kw_month": self.number(0.5, 6),
                    "curtailed_hours": self.number(2100, 2300) if self.chance(0.03) else self.number(5, 250),
                    "interruptible_usd_per_mw_year": self.number(500, 30000),
                }
            )

    def draw_bitcoin(self, scenario: str) -> None:
        given = self.chance(0.4)
        for t in self.horizon:
            self.tables["bitcoin"].append(
                {
                    "scenario": scenario,
                    "quarter": t,
                    "btc_usd": self.number(60_000, 140_000),
                    "difficulty_t": None if given else self.number(90, 190),
                    "fees_btc_per_block": None if given else self.number(0.03, 0.3),
                    "hashprice_usd_per_ph_day": self.number(25, 75) if given else None,
                }
            )

    def draw_product_market(self, scenario: str, product: str) -> None:
        level, never = self.number(0.15, 0.5), self.chance(0.15)
        for t in self.horizon:
            row = {"scenario": scenario, "product": product, "quarter": t}
            row |= self.price(level * 0.6, level * 1.4)
            row |= {"depth_it_mw": 0.0 if never else self.number(0.5, 9)}
            self.tables["product_markets"].append(row)

    def draw_money(self) -> None:
        quarters = [{"quarter": t, "g_and_a_musd": self.number(0.1, 1.5)} for t in self.horizon]
        self.tables["overheads"] = quarters
        self.tables["obligations"] = []
        for kind, most in (("interest", 3), ("fee", 2), ("principal", 15), ("asset_sale", 20)):
            if self.chance(0.4):
                paid = {"quarter": self.quarter(0, len(self.horizon) - 1), "name": "note", "kind": kind}
                self.tables["obligations"].append(paid | {"musd": self.number(0.3, most)})
        years = dict.fromkeys(t.year for t in self.horizon)
        self.tables["budget_years"] = [
            {"year": year, "capex_budget_musd": self.number(2, 18) + self.committed_capex()}
            for year in years
            if self.chance(0.35)
        ]

    def committed_capex(self) -> float:
        """No less than what the committed starts spend."""
        options = {row["option"]: row for row in self.tables["options"]}
        total = 0.0
        for start in self.tables["committed_starts"]:
            option = options[start["option"]]
            rate = option["facility_high_musd_per_it_mw"] + option["gpu_musd_per_it_mw"]
            it_mw = start["blocks"] * option["block_gross_mw"] / option["design_ratio"]
            total += it_mw * rate + option["mobilisation_musd"]
        return total

    def draw_use_limits(self) -> None:
        limits = self.tables["use_limits"] = []
        built = sorted({(row["product"], row["site"]) for row in self.tables["options"]})
        for policy, probability in (("mining", 0.3), ("floor", 0.3), ("ceiling", 0.35)):
            if not self.chance(probability):
                continue
            product, site = self.rng.choice(built)
            from_now = self.rng.randint(1, len(self.horizon) - 1)
            row = {
                "policy": policy,
                "use": product,
                "site": self.rng.choice([site, "*"]),
                "first": self.first + from_now,
                "last": self.first + self.rng.randint(from_now, len(self.horizon) + 2),
                "basis": self.rng.choice(["gross_mw", "it_mw"]),
                "min_mw": self.number(0.5, 5) if policy == "floor" else None,
                "max_mw": self.number(3, 12) if policy == "ceiling" else None,
            }
            if policy == "mining":
                floor, ceiling = self.maybe(0.6, 0.5, 6), self.maybe(0.6, 7, 30)
                row |= {"use": "mining", "basis": "gross_mw", "min_mw": floor, "max_mw": ceiling}
                if floor is None and ceiling is None:
                    continue
            limits.append(row)

    def settings(self) -> dict[str, Any]:
        capped = self.chance(0.3)
        rates = {"corporate": self.number(0.05, 0.11)}
        rates |= {line: self.number(0.06, 0.18) for line in ("mining", *PRODUCTS) if self.chance(0.6)}
        rates |= {"debt": self.number(0.02, 0.09)} if self.chance(0.6) else {}
        return {
            "format": 2,
            "name": "small",
            "title": "A small random case",
            "as_of": "2026-01-15",
            "currency": "USD",
            "money_basis": "nominal",
            "first_quarter": self.first,
            "quarters": len(self.horizon),
            "capex_level": self.rng.choice(["low", "base", "high"]),
            "capex_budget_musd": self.number(5, 45) + self.committed_capex(),
            "opening_cash_musd": self.number(10, 60) + self.committed_capex() * self.number(0.3, 1),
            "minimum_cash_musd": self.number(1, 12),
            "subsidy_btc": self.number(2.5, 6.5),
            "halvings": self.halvings(),
            "discount_rates": rates,
            "mining_ends": self.late_quarter(0.15),
            "max_blocks_under_construction": self.rng.choice([1, 2, 2, 3]) if self.chance(0.35) else None,
            "max_it_mw_under_construction": self.maybe(0.35, 4, 12),
            "max_customer_share": self.number(0.45, 0.95) if capped else None,
            "max_customer_share_from": self.quarter(-1, len(self.horizon) - 1) if capped else None,
        } | self.features.settings

    def halvings(self) -> list[str]:
        """Up to two: some before the horizon, some on the first or the last day of a quarter."""
        days: list[str] = []
        if self.chance(0.3):
            days.append(str(self.quarter(-9, -1).start))
        if self.chance(0.6):
            t = self.quarter(0, len(self.horizon) - 1)
            within = oracle.days_of(t)
            days.append(str(self.rng.choice([within[0], within[-1], *self.rng.sample(within, 4)])))
        return days


# ---- a case for sums done by hand ----------------------------------------------------------------


def tiny_case(**changes: Any) -> Case:
    """Two sites, six quarters, a hall at each, one lease; mining loses money unless a test mends that.

    A change names a setting (its value), or a table: a list of rows replaces it, a mapping sets columns of
    every row, where a list of values gives one to each row in turn.
    """
    settings = {name: changes.pop(name, value) for name, value in _SETTINGS.items()}
    settings |= {name: changes.pop(name) for name in [*changes] if name in Settings.model_fields}
    horizon = span(Quarter.parse(settings["first_quarter"]), int(settings["quarters"]))
    tables = _tiny_tables(horizon)
    for name, change in changes.items():
        tables[name] = list(change) if isinstance(change, list) else _edited(tables[name], change)
    return assemble(settings, {name: [(None, row) for row in rows] for name, rows in tables.items()})


def _edited(rows: Rows, columns: Mapping[str, Any]) -> Rows:
    for column, value in columns.items():
        values = value if isinstance(value, list) else [value] * len(rows)
        for row, cell in zip(rows, values, strict=True):
            assert column in row, f"no column {column}"
            row[column] = cell
    return rows


_SETTINGS: dict[str, Any] = {
    "format": 2,
    "name": "tiny",
    "title": "Two sites to reckon by hand",
    "as_of": "2026-10-01",
    "currency": "USD",
    "money_basis": "nominal",
    "first_quarter": "2027Q1",
    "quarters": 6,
    "capex_level": "base",
    "capex_budget_musd": 900,
    "opening_cash_musd": 800,
    "minimum_cash_musd": 3,
    "subsidy_btc": 3.125,
    "halvings": [],
    "discount_rates": {"corporate": 0.08, "mining": 0.15, "colo": 0.1},
}


def _tiny_tables(horizon: tuple[Quarter, ...]) -> dict[str, Rows]:
    """No mining income and no market for capacity: only what a test switches on has a value."""
    return {
        "scenarios": [{"scenario": "base", "description": "the only one"}],
        "sites": [_tiny_site("north", 0.05), _tiny_site("south", 0.07)],
        "site_limits": [
            {"site": "north", "from_quarter": horizon[0], "limit_gross_mw": 30},
            {"site": "south", "from_quarter": horizon[0], "limit_gross_mw": 20},
        ],
        "tariffs": [_tiny_tariff(site, price, t) for site, price in (("north", 40), ("south", 50)) for t in horizon],
        "asics": [
            {
                "asic": "miner",
                "joules_per_th": 20,
                "uptime": 0.95,
                "pool_fee": 0.02,
                "overhead": 0.04,
                "retires_after": None,
                "residual_usd_per_th": 0,
            }
        ],
        "fleet": [
            {"site": "north", "asic": "miner", "gross_mw": 25},
            {"site": "south", "asic": "miner", "gross_mw": 16},
        ],
        "bitcoin": [
            {
                "scenario": "base",
                "quarter": t,
                "btc_usd": 100_000,
                "difficulty_t": None,
                "fees_btc_per_block": None,
                "hashprice_usd_per_ph_day": 1,
            }
            for t in horizon
        ],
        "products": [
            {
                "product": "colo",
                "kind": "colocation",
                "power_passed_through": True,
                "operating_cost_share": 0.1,
                "load_factor": 0.9,
                "gpus_per_it_mw": 640,
                "utilisation": 0.8,
                "residual_musd_per_it_mw": 0,
            }
        ],
        "product_markets": [
            {
                "scenario": "base",
                "product": "colo",
                "quarter": t,
                "price": 90,
                "price_basis": "usd_per_kw_month",
                "depth_it_mw": 0,
            }
            for t in horizon
        ],
        "profiles": [
            {"profile": "at once", "step": 0, "share": 1},
            {"profile": "two steps", "step": 0, "share": 0.3},
            {"profile": "two steps", "step": 1, "share": 0.7},
            {"profile": "half then full", "step": 0, "share": 0.5},
            {"profile": "half then full", "step": 1, "share": 1},
        ],
        "overheads": [{"quarter": t, "g_and_a_musd": 0} for t in horizon],
        "options": [_tiny_option("north", 12, 1.5, 1.2), _tiny_option("south", 7, 1.4, 1.25)],
        "offers": [_tiny_offer("lease", horizon)],
        "offer_prices": [{"scenario": "base", "offer": "lease", "price": 200, "price_basis": "usd_per_kw_month"}],
        "offer_sites": [{"offer": "lease", "site": "north"}],
        "allow": [{"file": "*", "column": "*", "row": "*", "reason": "numbers for sums by hand"}],
        "obligations": [],
        "budget_years": [],
        "use_limits": [],
        "committed_starts": [],
        "committed_contracts": [],
    }


def _tiny_site(name: str, upkeep: float) -> dict[str, Any]:
    return {
        "site": name,
        "tariff": name,
        "mining_cost_musd_per_gross_mw_year": upkeep,
        "firm_power": True,
        "fibre": True,
        "max_rack_kw": 130,
        "mining_ends": None,
    }


def _tiny_tariff(name: str, energy: float, t: Quarter) -> dict[str, Any]:
    return {
        "scenario": "base",
        "tariff": name,
        "quarter": t,
        "energy_usd_per_mwh": energy,
        "demand_usd_per_kw_month": 2,
        "curtailed_hours": 52,
        "interruptible_usd_per_mw_year": 4000,
    }


def _tiny_option(site: str, block: float, design_ratio: float, pue: float) -> dict[str, Any]:
    return {
        "option": f"{site} hall",
        "site": site,
        "product": "colo",
        "block_gross_mw": block,
        "max_blocks": 1,
        "design_ratio": design_ratio,
        "pue": pue,
        "rack_kw": 80,
        "lead_quarters": 2,
        "mining_stops_quarters": 1,
        "earliest": "2026Q1",
        "facility_low_musd_per_it_mw": 2.5,
        "facility_base_musd_per_it_mw": 3,
        "facility_high_musd_per_it_mw": 4,
        "gpu_musd_per_it_mw": 0,
        "mobilisation_musd": 0,
        "facility_curve": "two steps",
        "gpu_curve": "at once",
        "ramp": "at once",
    }


def _tiny_offer(name: str, horizon: tuple[Quarter, ...]) -> dict[str, Any]:
    """A fixed size of 8 IT MW: what a block in the north holds."""
    return {
        "offer": name,
        "customer": "Ada",
        "product": "colo",
        "min_it_mw": 8,
        "max_it_mw": 8,
        "window_first": horizon[0],
        "window_last": horizon[-1],
        "term_quarters": 20,
        "escalator": 0,
        "price_base_quarter": None,
        "power_passed_through": True,
        "operating_cost_share": 0.1,
        "load_factor": 0.9,
        "ramp": "at once",
        "utilisation": None,
        "exclusive_group": None,
        "sign_by": None,
    }
