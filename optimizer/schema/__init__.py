"""The case format: a class for each table, a field for each column; `docs/case-format.md` is generated from here."""

from __future__ import annotations

from optimizer.schema.base import ANY, MINING, CapexLevel, PriceBasis, ProductKind, Row
from optimizer.schema.company import BudgetYear, Obligation, Overhead, UseLimit
from optimizer.schema.halls import CommittedStart, Option, Product, ProductMarket, Profile
from optimizer.schema.machines import Asic, BitcoinMarket, Fleet
from optimizer.schema.offers import CommittedContract, Offer, OfferPrice, OfferSite
from optimizer.schema.places import Scenario, Site, SiteLimit, Tariff
from optimizer.schema.settings import Settings

TABLES: tuple[type[Row], ...] = (
    Scenario, Site, SiteLimit, Tariff, Asic, Fleet, BitcoinMarket, Product, ProductMarket, Profile, Option,
    Offer, OfferPrice, OfferSite, Overhead, Obligation, BudgetYear, UseLimit, CommittedStart, CommittedContract,
)  # fmt: skip

__all__ = [
    "ANY", "MINING", "TABLES", "Asic", "BitcoinMarket", "BudgetYear", "CapexLevel", "CommittedContract",
    "CommittedStart", "Fleet", "Obligation", "Offer", "OfferPrice", "OfferSite", "Option", "Overhead", "PriceBasis",
    "Product", "ProductKind", "ProductMarket", "Profile", "Row", "Scenario", "Settings", "Site", "SiteLimit", "Tariff",
    "UseLimit",
]  # fmt: skip
