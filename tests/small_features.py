"""What a random small case may have beyond sites, halls and plain offers: fleet trade, contract terms, treasury."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from optimizer.case.case import Case
from optimizer.ground.quarters import Quarter

Row = dict[str, Any]
Rows = list[Row]

SCENARIOS = ("base", "other")
# Tables with terms of an offer, all keyed by it.
TERM_TABLES = (
    "index_escalators",
    "site_prices",
    "price_tiers",
    "tranches",
    "extensions",
    "usage",
    "take_or_pay",
    "rent_free",
    "prepayments",
    "tenant_funding",
    "backstops",
    "leases",
    "late_delivery",
)
OTHER_TABLES = (
    "power_escalators",
    "own_plants",
    "machine_markets",
    "deposits",
    "gpu_lives",
    "base_rates",
    "facilities",
    "amortisation",
    "depreciation",
    "indices",
    "prerequisites",
    "price_steps",
    "ratchets",
    "grid_groups",
    "grid_group_limits",
    "customers",
    "collateral",
    "btc_schedule",
)


class Features:
    """Features on top of a plain case. `richness` is the chance of each: some cases have none, some nearly all."""

    def __init__(self, rng: random.Random, tables: dict[str, Rows], horizon: tuple[Quarter, ...]):
        self.rng = rng
        self.tables = tables
        self.horizon = horizon
        self.first, self.last = horizon[0], horizon[-1]
        self.settings: Row = {}
        self.richness = rng.choice([0.0, 0.15, 0.35, 0.35, 0.6, 0.85])
        for name in (*TERM_TABLES, *OTHER_TABLES):
            tables[name] = []

    # what to draw

    def has(self, times: float = 1.0) -> bool:
        """Whether this case has a feature."""
        return self.chance(min(0.95, self.richness * times))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def number(self, low: float, high: float) -> float:
        return round(self.rng.uniform(low, high), 4)

    def maybe(self, probability: float, low: float, high: float) -> float | None:
        return self.number(low, high) if self.chance(probability) else None

    def parts(self, count: int) -> list[float]:
        """Shares that sum to 1."""
        weights = [self.rng.randint(1, 9) for _ in range(count)]
        return [weight / sum(weights) for weight in weights]

    def by_scenario_and_quarter(self) -> Iterator[Row]:
        for scenario in SCENARIOS:
            for t in self.horizon:
                yield {"scenario": scenario, "quarter": t}

    # machines and power

    def draw_fleet(self) -> None:
        for asic in self.tables["asics"]:
            if self.has(0.7):
                age = self.rng.randint(0, 12)
                life = age + self.rng.randint(1, len(self.horizon) + 3)
                asic |= {"bought": self.first - age, "life_quarters": life}
            if self.has():
                self._count_units(asic)
            if self.has(1.3):
                self.tables["machine_markets"].append(self._machine_market(asic["asic"]))
        if self.has():
            self._draw_plant(self.rng.choice(self.tables["sites"])["site"])

    def _count_units(self, asic: Row) -> None:
        asic["th_per_unit"] = self.number(90, 250)
        watts = asic["th_per_unit"] * asic["joules_per_th"] * (1 + asic["overhead"])
        for row in self.tables["fleet"]:
            if row["asic"] == asic["asic"] and self.chance(0.7):
                row["units"] = float(round(row["gross_mw"] * 1e6 / watts))
                row["gross_mw"] = None

    def _machine_market(self, asic: str) -> Row:
        resale = self.number(0.5, 9)
        return {
            "asic": asic,
            "resale_usd_per_th": resale,
            "purchase_usd_per_th": round(resale * self.number(1.4, 2.8), 4) if self.chance(0.6) else None,
            "delivery_quarters": self.rng.randint(0, 2),
            "reference_hashprice_usd_per_ph_day": self.number(40, 60),
            "elasticity": self.number(0, 0.6),
            "yearly_decline": self.number(0, 0.4),
            "moving_cost_musd_per_gross_mw": self.maybe(0.7, 0.003, 0.08),
            "max_sales_mw_per_quarter": self.maybe(0.35, 0.2, 6),
        }

    def _draw_plant(self, site: str) -> None:
        size, cost = self.number(2, 15), self.number(15, 50)
        for row in self.by_scenario_and_quarter():
            here = {"site": site, "capacity_mw": round(size * self.number(0.6, 1.2), 4)}
            self.tables["own_plants"].append(row | here | {"cost_usd_per_mwh": round(cost * self.number(0.7, 1.4), 4)})

    def draw_power(self) -> None:
        for tariff in dict.fromkeys(row["tariff"] for row in self.tables["tariffs"]):
            if self.has():
                begins = self.first + self.rng.randint(-7, len(self.horizon) - 3)
                rise = {"tariff": tariff, "from_quarter": begins, "yearly_rise": self.number(-0.03, 0.15)}
                self.tables["power_escalators"].append(rise)
            if self.has():
                self._draw_price_steps(tariff)
        for site in self.tables["sites"]:
            if self.has(0.7):
                self._draw_ratchet(site["site"])
        if self.has(0.9):
            self._draw_grid_group()

    def _draw_price_steps(self, tariff: str) -> None:
        """Two or three prices inside each quarter that average to its own; the dearest is far above, or a little."""
        spread = self.rng.choice([0.3, 1.0, 3.0])
        for row in self.tables["tariffs"]:
            if row["tariff"] != tariff:
                continue
            shares = self.parts(self.rng.randint(2, 3))
            away = [self.number(-spread, spread) for _ in shares]
            middle = sum(share * step for share, step in zip(shares, away, strict=True))
            for i, (share, step) in enumerate(zip(shares, away, strict=True)):
                price = row["energy_usd_per_mwh"] + abs(row["energy_usd_per_mwh"]) * (step - middle)
                columns = {"step": i + 1, "hours_share": share, "energy_usd_per_mwh": price}
                key = {name: row[name] for name in ("scenario", "tariff", "quarter")}
                self.tables["price_steps"].append(key | columns)

    def _draw_ratchet(self, site: str) -> None:
        """Before the horizon the site drew up to a bit more than its machines of today."""
        columns = {"ratchet_share": self.number(0.5, 1), "ratchet_quarters": self.rng.randint(1, 6)}
        highest = round(self._limit(site) * self.number(0.3, 1), 4)
        self.tables["ratchets"].append({"site": site} | columns | {"highest_before_gross_mw": highest})

    def _limit(self, site: str) -> float:
        """The site's limit at the start."""
        steps = [row for row in self.tables["site_limits"] if row["site"] == site and row["from_quarter"] <= self.first]
        return float(max(steps, key=lambda row: row["from_quarter"])["limit_gross_mw"])

    def _draw_grid_group(self) -> None:
        """Sites that share a limit: at the start what their own limits allow or a bit less, later more or less."""
        names = [row["site"] for row in self.tables["sites"]]
        members = self.rng.sample(names, k=self.rng.randint(2, len(names)))
        full = sum(self._limit(site) for site in members)
        steps = {self.first - self.rng.randint(0, 2): round(full * self.number(0.965, 1.1), 4)}
        if self.chance(0.6):
            later = self.first + self.rng.randint(1, len(self.horizon) - 1)
            steps[later] = round(full * self.number(0.7, 1.3), 4)
        self.tables["grid_groups"] += [{"group": "feeder", "site": site} for site in members]
        self.tables["grid_group_limits"] += [
            {"group": "feeder", "from_quarter": t, "limit_gross_mw": limit} for t, limit in steps.items()
        ]

    # halls

    def draw_halls(self) -> None:
        for option in self.tables["options"]:
            model = option["option"].removeprefix("twin ")
            if model != option["option"] and self.chance(0.6):
                self._copy_hall(model, option["option"])
                continue
            if self.has(0.8):
                self._draw_deposits(option)
            if option["gpu_musd_per_it_mw"] and self.has(1.3):
                life = self.rng.randint(*self.rng.choice([(2, 4), (2, 4), (5, 14), (20, 60)]))
                gpus = {"option": option["option"], "life_quarters": life, "residual_share": self.number(0.05, 0.3)}
                gpus["refresh_musd_per_it_mw"] = self.maybe(0.7, 0.05, 0.6)
                if self.chance(0.6):
                    gpus |= {"relet_product": "colo", "refit_musd_per_it_mw": self.number(0.02, 0.5)}
                self.tables["gpu_lives"].append(gpus)

    def _copy_hall(self, model: str, twin: str) -> None:
        for table in ("deposits", "gpu_lives"):
            self.tables[table] += [row | {"option": twin} for row in self.tables[table] if row["option"] == model]

    def _draw_deposits(self, option: Row) -> None:
        """One or two, no longer before the start than the horizon has room for."""
        latest_start = len(self.horizon) - 1 - option["lead_quarters"]
        possible = list(range(1, min(3, max(1, latest_start)) + 1))
        for quarters in self.rng.sample(possible, k=min(len(possible), self.rng.choice([1, 1, 2]))):
            deposit = {"option": option["option"], "quarters_before": quarters, "share": self.number(0.05, 0.3)}
            self.tables["deposits"].append(deposit)

    # contract terms

    def draw_terms(self) -> None:
        self._draw_customers()
        if self.has():
            self.settings["allow_planned_lateness"] = True
        for offer in self.tables["offers"]:
            if self.has(0.6):
                offer["sign_by"] = offer["window_last"] - self.rng.randint(0, 5)
            self._draw_price_terms(offer)
            self._draw_shape_terms(offer)
            self._draw_money_terms(offer)
        if self.tables["index_escalators"]:
            for row in self.by_scenario_and_quarter():
                self.tables["indices"].append(row | {"index": "cpi", "yearly_rise": self.number(-0.01, 0.09)})

    def _draw_customers(self) -> None:
        for customer in dict.fromkeys(offer["customer"] for offer in self.tables["offers"]):
            if self.has(1.3):
                row = {"customer": customer, "yearly_default": self.number(0.005, 0.3)}
                row |= {"relet_quarters": self.rng.randint(0, 6), "relet_rent_share": self.number(0.3, 1)}
                self.tables["customers"].append(row | {"recovered_share": self.number(0, 0.6)})

    def _add(self, table: str, offer: Row, **columns: Any) -> None:
        self.tables[table].append({"offer": offer["offer"]} | columns)

    def _draw_price_terms(self, offer: Row) -> None:
        committed = {row["offer"]: row["quarter"] for row in self.tables["committed_contracts"]}
        if self.has() and committed.get(offer["offer"], self.first) >= self.first:
            offer["escalator"] = 0.0
            if offer["price_base_quarter"] is not None:
                offer["price_base_quarter"] = self.first if offer["window_first"] >= self.first else None
            floor = self.number(0, 0.03)
            cap = round(floor + self.number(0, 0.04), 4)
            self._add("index_escalators", offer, index="cpi", floor=floor, cap=cap)
        if self.has(0.8):
            sites = [row["site"] for row in self.tables["offer_sites"] if row["offer"] == offer["offer"]]
            self._add("site_prices", offer, site=self.rng.choice(sites), price_share=self.number(0.9, 1.2))
        if self.has():
            self._draw_tiers(offer)

    def _draw_tiers(self, offer: Row) -> None:
        least, most = offer["min_it_mw"], offer["max_it_mw"]
        spread = most - least if most > least else least * 0.4
        ends = sorted({round(most - spread * self.number(0.1, 0.9), 4) for _ in range(self.rng.randint(1, 2))} | {most})
        share = self.number(0.95, 1)
        for end in ends:
            self._add("price_tiers", offer, up_to_it_mw=end, price_share=share)
            share = round(share * self.number(0.85, 0.98), 4)

    def _draw_shape_terms(self, offer: Row) -> None:
        term = offer["term_quarters"]
        if self.has():
            later = sorted(self.rng.sample(range(1, min(term, 6)), k=min(term - 1, self.rng.randint(1, 2))))
            for after, share in zip([0, *later], self.parts(len(later) + 1), strict=True):
                self._add("tranches", offer, quarters_after=after, share=share)
        if self.has():
            for step in range(1, self.rng.randint(1, 2) + 1):
                columns = {"step": step, "quarters": self.rng.randint(1, 8), "price_share": self.number(0.3, 1.1)}
                self._add("extensions", offer, **columns)
        if self.has():
            for scenario in SCENARIOS:
                self._add("usage", offer, scenario=scenario, taken_share=self.number(0.4, 1))
        if self.has():
            self._add("take_or_pay", offer, floor_share=self.number(0.5, 0.95))
        if self.has(1.2):
            self._draw_late_delivery(offer)

    def _draw_late_delivery(self, offer: Row) -> None:
        deadline = max(self.first, offer["window_first"] + self.rng.randint(0, 3))
        walk_away = max(0, offer["window_last"] - deadline) + self.rng.randint(0, 2)
        columns = {"deadline": deadline, "walk_away_quarters": walk_away}
        self._add("late_delivery", offer, damages_musd_per_it_mw_quarter=self.number(0.02, 0.5), **columns)

    def _draw_money_terms(self, offer: Row) -> None:
        term = offer["term_quarters"]
        if self.has():
            free = self.rng.randint(0, min(4, term - 1))
            share = round((term - free) / term * self.number(0.1, 0.5), 4)
            columns = {"rent_share": share, "paid_quarters_before": self.rng.randint(0, 4)}
            self._add("prepayments", offer, credited_after_month=3 * free, **columns)
        if self.has():
            columns = {"musd_per_it_mw": self.number(0.2, 1.6), "paid_quarters_before": self.rng.randint(0, 4)}
            columns |= {"credit_share": self.number(0.1, 0.6), "rate": self.number(0, 0.12)}
            self._add("tenant_funding", offer, **columns)
        customer = [row for row in self.tables["customers"] if row["customer"] == offer["customer"]]
        if customer and self.has(1.5):
            columns = {"upfront_musd_per_it_mw": self.number(0.01, 0.2), "rent_share": self.number(0.003, 0.04)}
            chance = customer[0]["yearly_default"] * self.rng.choice([0.0, self.number(0.1, 1)])
            self._add("backstops", offer, yearly_default=chance, **columns)
        if self.has():
            kinds = ["modified_gross", "gross", "gross"] + ["triple_net"] * offer["power_passed_through"]
            columns = {"cost_musd_per_it_mw_year": self.number(0.02, 0.3), "cost_growth": self.number(0, 0.06)}
            self._add("leases", offer, kind=self.rng.choice(kinds), **columns)

    def draw_rent_free(self) -> None:
        """Drawn last, so that it leaves everything else as it is; twins are told apart by it."""
        for offer in self.tables["offers"]:
            if offer["term_quarters"] > 1 and self.has(0.5):
                most = min(4, offer["term_quarters"] - 1)
                self._add("rent_free", offer, quarters=self.rng.randint(1, most))

    def draw_prerequisites(self) -> None:
        """A later offer that is not committed requires an earlier one of another group that can come first."""
        committed = {row["offer"] for row in self.tables["committed_contracts"]}
        offers = self.tables["offers"]
        for i, offer in enumerate(offers):
            first = [
                other
                for other in offers[:i]
                if max(other["window_first"], self.first) <= min(offer["window_last"], self.last)
                and min(other["window_last"], self.last) >= self.first
                and (other["exclusive_group"] is None or other["exclusive_group"] != offer["exclusive_group"])
            ]
            if first and offer["offer"] not in committed and self.has(0.7):
                self._add("prerequisites", offer, requires=self.rng.choice(first)["offer"])

    # treasury

    def draw_treasury(self) -> None:
        if self.has(1.6):
            self._draw_facilities()
        if self.has():
            self.settings |= {"tax_rate": self.number(0.1, 0.35), "tax_losses_musd": self.maybe(0.6, 0.5, 25)}
            self.settings["tax_loss_use"] = self.maybe(0.6, 0.4, 1)
            for line in ("facility_capex", "gpu_capex", "mobilisation", "machine_purchases"):
                if self.chance(0.8):
                    self.tables["depreciation"].append({"line": line, "quarters": self.rng.randint(1, 20)})
        if self.has():
            self.settings["cash_rate"] = self.number(0.002, 0.028)
        if self.has():
            self.settings |= {"btc_held": self.number(5, 150), "btc_liquidity_share": self.maybe(0.7, 0.2, 1)}
        self._draw_btc_rule()
        self.settings["market_looks_ahead_quarters"] = self.rng.choice([1, 2, 3, 5, 8])
        self.settings["end_coverage"] = self.rng.choice(
            [None, None, 0.0, self.number(0.02, 0.4), self.number(0.4, 1.2)]
        )

    def _draw_btc_rule(self) -> None:
        """How BTC leave the treasury: never below a minimum, never more than the market takes, or by a schedule."""
        held = self.settings.get("btc_held", 0.0)
        least = round(held * self.number(0.1, 0.8), 4) if held and self.chance(0.4) else 0.0
        most = round(held * self.number(0.1, 0.6), 4) if held and self.chance(0.4) else None
        if held:
            self.settings |= {"minimum_btc": least or None, "max_btc_sales_per_quarter": most}
        if self.has():
            self.settings["btc_rule"] = "free"
        elif held and self.chance(0.35):
            self.settings["btc_rule"] = "schedule"
            for t in self.rng.sample(self.horizon, k=self.rng.randint(1, 3)):
                sold = (held - least) * self.number(0.1, 0.33)
                columns = {"quarter": t, "btc": min(sold, most or sold)}
                self.tables["btc_schedule"].append(columns)

    def _draw_facilities(self) -> None:
        if self.chance(0.7):
            for row in self.by_scenario_and_quarter():
                self.tables["base_rates"].append(row | {"base_rate": "sofr", "rate": self.number(0.02, 0.06)})
        chosen = [["revolver"], ["project"], ["project"], ["notes"], ["revolver", "project", "notes"]]
        for kind in self.rng.choice(chosen):
            self._draw_facility(kind)
        if any(row["facility"] == "notes" for row in self.tables["facilities"]) and self.chance(0.6):
            self._draw_facility("new notes")
        if any(row["facility"] == "project" for row in self.tables["facilities"]) and self.chance(0.6):
            self._draw_facility("mezzanine")

    def _draw_facility(self, kind: str) -> None:
        opens = self.rng.choice([0, 0, 0, 1, 2])
        closes = opens + self.rng.randint(0, 4)
        drawn = self.number(3, 18) if kind == "notes" else 0.0
        row = {
            "facility": kind,
            "commitment_musd": round(drawn + self.number(5, 40), 4),
            "drawn_musd": drawn,
            "available_first": self.first + opens,
            "available_last": self.first + closes,
            "maturity": self.first + closes + self.rng.choice([self.rng.randint(1, 5), self.rng.randint(3, 16)]),
            "base_rate": "sofr" if self.tables["base_rates"] and self.chance(0.7) else None,
            "margin": self.number(0.03, 0.1),
            "upfront_fee": self.number(0.002, 0.02) if self.chance(0.5) else 0.0,
            "undrawn_fee": self.number(0.002, 0.012) if self.chance(0.5) else 0.0,
            "interest_every_quarters": self.rng.choice([1, 1, 2, 4]),
            "loan_to_cost": None if drawn else self.maybe(0.3, 0.4, 0.9),
            "minimum_cash_musd": self.maybe(0.3, 2, 11),
            "dscr": None,
            "dscr_from": None,
            "prepayable": self.chance(0.5),
            "requires_offer": None,
            "refinances": None,
            "rank": self.rng.choice([None, None, 1, 2]),
            "first_coupon": None,
        }
        if row["interest_every_quarters"] > 1 or self.chance(0.2):
            row["first_coupon"] = self.first + self.rng.randint(-3, len(self.horizon) + 2)
        if kind == "notes" and self.chance(0.6):
            row |= {"commitment_musd": drawn, "available_first": None, "available_last": None}
            row |= {"maturity": self.first + self.rng.randint(1, len(self.horizon) + self.rng.choice([0, 6]))}
        if kind == "new notes":
            row |= {"refinances": "notes", "loan_to_cost": None}
            row |= self._when_notes_fall_due()
        if kind in ("project", "mezzanine"):
            row |= {
                "commitment_musd": self.number(5, 25),
                "available_last": max(row["available_first"], self.last - self.rng.randint(0, 2)),
            }
            row |= {"maturity": self.last + self.rng.randint(1, 10)}
            row |= {"loan_to_cost": self.maybe(0.6, 0.5, 1)}
            halls = self._secure(kind)
            offered = self._offers_at(halls)
            if offered and self.chance(0.35):
                row["requires_offer"] = self.rng.choice(offered)
        if kind == "revolver" and self.chance(0.3):
            row["requires_offer"] = self.rng.choice(self.tables["offers"])["offer"]
        if self.chance(0.4):
            tested = self.first + self.rng.randint(1, len(self.horizon) - 1)
            row |= {"dscr": self.number(0.5, 2.5), "dscr_from": tested}
        self.tables["facilities"].append(row)
        if self.chance(0.55):
            self._draw_schedule(row)

    def _secure(self, kind: str) -> set[tuple[str, str]]:
        """Give a loan a hall, or a second one too; a mezzanine has one of the project's, sometimes others beside it."""
        halls = {self._hall(self._buildable())}
        if kind == "mezzanine":
            before = sorted({self._hall(option) for option in self._secured_by("project")})
            halls = {self.rng.choice(before)} | (halls if self.chance(0.4) else set())
        if self.chance(0.3):
            halls.add(self._hall(self.rng.choice(self.tables["options"])))
        secured = [option for option in self.tables["options"] if self._hall(option) in halls]
        self.tables["collateral"] += [{"facility": kind, "option": option["option"]} for option in secured]
        return halls

    def _secured_by(self, facility: str) -> Rows:
        names = {row["option"] for row in self.tables["collateral"] if row["facility"] == facility}
        return [option for option in self.tables["options"] if option["option"] in names]

    @staticmethod
    def _hall(option: Row) -> tuple[str, str]:
        return option["site"], option["product"]

    def _offers_at(self, halls: set[tuple[str, str]]) -> list[str]:
        product = {row["offer"]: row["product"] for row in self.tables["offers"]}
        rows = self.tables["offer_sites"]
        return list(dict.fromkeys(r["offer"] for r in rows if (r["site"], product[r["offer"]]) in halls))

    def _buildable(self) -> Row:
        """An option, one that its site can serve if there is any."""
        sites = {row["site"]: row for row in self.tables["sites"]}

        def served(option: Row) -> bool:
            site = sites[option["site"]]
            return bool(site["firm_power"] and site["fibre"] and option["rack_kw"] <= site["max_rack_kw"])

        options = self.tables["options"]
        return self.rng.choice([option for option in options if served(option)] or options)

    def _when_notes_fall_due(self) -> Row:
        """Drawable from some quarter until the notes' maturity."""
        notes = next(row for row in self.tables["facilities"] if row["facility"] == "notes")
        due = min(notes["maturity"], self.last)
        opens = self.rng.randint(0, due - self.first)
        after = max(self.rng.randint(1, 9), 1)
        return {"available_first": self.first + opens, "available_last": due, "maturity": due + after}

    def _draw_schedule(self, loan: Row) -> None:
        """Repaid in parts, the last at maturity, all after the last draw; notes may have begun before the horizon."""
        begins = loan["available_last"]
        if begins is None:
            begins = min(self.first - self.rng.randint(1, 4), loan["maturity"] - 1)
        quarters = [begins + k for k in range(1, loan["maturity"] - begins)]
        chosen = sorted(self.rng.sample(quarters, k=min(len(quarters), self.rng.randint(1, 5))))
        for t, share in zip([*chosen, loan["maturity"]], self.parts(len(chosen) + 1), strict=True):
            self.tables["amortisation"].append({"facility": loan["facility"], "quarter": t, "share": share})


# ---- which features a case has -------------------------------------------------------------------


def _columns(case: Case, table: str, column: str) -> bool:
    return any(getattr(row, column) for row in case.rows(table))


def _loans(case: Case, kind: str) -> list[Any]:
    """Loans that can be drawn: by the company, against halls, or to refinance another."""
    loans = [row for row in case.rows("facilities") if row.can_be_drawn]
    if kind == "refinance":
        return [row for row in loans if row.refinances]
    secured = {row.facility for row in case.rows("collateral")}
    return [row for row in loans if not row.refinances and (row.facility not in secured) == (kind == "company")]


def _on_one_hall(case: Case, column: str) -> bool:
    """Whether a drawable loan against halls has a column filled, and another one there too, or one of the company."""
    loans = {row.facility: row for row in case.rows("facilities") if row.can_be_drawn and getattr(row, column)}
    held = {name: {r.option for r in case.rows("collateral") if r.facility == name} for name in loans}
    return any(
        held[a] & held[b] or not (held[a] and held[b]) for a in loans for b in loans if a < b and (held[a] or held[b])
    )


def _rule(case: Case, rule: str) -> bool:
    return bool(case.settings.btc_rule == rule)


def _ahead(case: Case) -> bool:
    return bool(case.settings.market_looks_ahead_quarters > 1 and case.rows("machine_markets"))


def _borrows(case: Case) -> bool:
    return any(row.can_be_drawn for row in case.rows("facilities"))


_MOVING_COST = "moving_cost_musd_per_gross_mw"
# A feature: whether a case has it, and the oracle's word for a best plan that makes use of it ("" where any plan does).
FEATURES: dict[str, tuple[Callable[[Case], Any], str]] = {
    "units": (lambda case: _columns(case, "fleet", "units"), ""),
    "age of machines": (lambda case: _columns(case, "asics", "life_quarters"), ""),
    "machine sales": (lambda case: case.rows("machine_markets"), "machines sold"),
    "machine moves": (
        lambda case: _columns(case, "machine_markets", _MOVING_COST),
        "machines moved",
    ),
    "machine purchases": (lambda case: _columns(case, "machine_markets", "purchase_usd_per_th"), "machines bought"),
    "machine sales limited": (
        lambda case: _columns(case, "machine_markets", "max_sales_mw_per_quarter"),
        "machines scrapped",
    ),
    "market looks ahead": (_ahead, "machines sold"),
    "price steps": (lambda case: case.rows("price_steps"), "some hours"),
    "ratchets": (lambda case: case.rows("ratchets"), "billed on former demand"),
    "grid groups": (lambda case: case.rows("grid_groups"), "shared limit tight"),
    "own plant": (lambda case: case.rows("own_plants"), "run on own plant"),
    "power escalator": (lambda case: case.rows("power_escalators"), ""),
    "index escalator": (lambda case: case.rows("index_escalators"), "index escalator"),
    "site price": (lambda case: case.rows("site_prices"), "site price"),
    "price tiers": (lambda case: case.rows("price_tiers"), "price tier"),
    "tranches": (lambda case: case.rows("tranches"), "tranches"),
    "extensions": (lambda case: case.rows("extensions"), "extension taken"),
    "usage": (lambda case: case.rows("usage"), "usage"),
    "take or pay": (lambda case: case.rows("take_or_pay"), "take or pay"),
    "rent free": (lambda case: case.rows("rent_free"), "rent free"),
    "prepayments": (lambda case: case.rows("prepayments"), "prepayments"),
    "tenant funding": (lambda case: case.rows("tenant_funding"), "tenant_capex"),
    "tenant credits": (lambda case: case.rows("tenant_funding"), "tenant_credits"),
    "backstops": (lambda case: case.rows("backstops"), "backstop"),
    "customers": (lambda case: case.rows("customers"), "expected_loss"),
    "sign by": (lambda case: _columns(case, "offers", "sign_by"), ""),
    "leases": (lambda case: case.rows("leases"), "lease_cost"),
    "damages": (lambda case: case.rows("late_delivery"), "damages"),
    "late delivery": (lambda case: case.rows("late_delivery"), "delivered short"),
    "prerequisites": (lambda case: case.rows("prerequisites"), "prerequisite"),
    "gpu sales": (lambda case: case.rows("gpu_lives"), "gpu_sales"),
    "relet halls": (lambda case: _columns(case, "gpu_lives", "relet_product"), "hall relet"),
    "short residuals": (lambda case: _columns(case, "products", "residual_life_quarters"), ""),
    "planned lateness": (
        lambda case: case.settings.allow_planned_lateness and case.rows("late_delivery"),
        "late by plan",
    ),
    "gpu refresh": (lambda case: _columns(case, "gpu_lives", "refresh_musd_per_it_mw"), "gpus refreshed"),
    "deposits": (lambda case: case.rows("deposits"), "deposit"),
    "debt at the start": (lambda case: _columns(case, "facilities", "drawn_musd"), "debt at the start"),
    "company loan": (lambda case: _loans(case, "company"), "drawn"),
    "loan against halls": (lambda case: _loans(case, "halls"), "drawn against halls"),
    "shared cost": (lambda case: _on_one_hall(case, "loan_to_cost"), "shared cost tight"),
    "shared cover": (lambda case: _on_one_hall(case, "dscr"), ""),
    "coupons": (lambda case: _columns(case, "facilities", "first_coupon"), ""),
    "rank": (lambda case: _columns(case, "facilities", "rank"), ""),
    "owed at the end": (_borrows, "owed at the end tight"),
    "dear loans": (lambda case: _borrows(case) and "debt" in case.settings.discount_rates, "excess_interest"),
    "cost of debt": (lambda case: "debt" in case.settings.discount_rates, ""),
    "refinancing": (lambda case: _loans(case, "refinance"), "drawn to refinance"),
    "loan fees": (lambda case: _columns(case, "facilities", "upfront_fee"), "fee"),
    "amortisation": (lambda case: case.rows("amortisation"), "repaid in parts"),
    "prepayable": (lambda case: _columns(case, "facilities", "prepayable"), "debt prepaid"),
    "loan to cost": (lambda case: _columns(case, "facilities", "loan_to_cost"), "loan to cost tight"),
    "cover": (lambda case: _columns(case, "facilities", "dscr"), "cover tight"),
    "loan keeps cash": (lambda case: _columns(case, "facilities", "minimum_cash_musd"), "loan keeps cash"),
    "loan requires offer": (lambda case: _columns(case, "facilities", "requires_offer"), "drawn for an offer"),
    "cash interest": (lambda case: case.settings.cash_rate, "cash_interest"),
    "btc held": (lambda case: case.settings.btc_held, "btc held"),
    "mined btc kept": (lambda case: _rule(case, "free"), "btc held"),
    "btc schedule": (lambda case: _rule(case, "schedule"), ""),
    "minimum btc": (lambda case: case.settings.minimum_btc, ""),
    "btc sales limited": (lambda case: case.settings.max_btc_sales_per_quarter, ""),
    "tax": (lambda case: case.settings.tax_rate, "taxed profit"),
    "tax losses": (lambda case: case.settings.tax_rate, "tax loss used"),
    "depreciation": (lambda case: case.settings.tax_rate and case.rows("depreciation"), "depreciation"),
}


def present(case: Case) -> set[str]:
    return {name for name, (has, _) in FEATURES.items() if has(case)}
