"""The case format: a class for each table, a field for each column; `docs/case-format.md` is generated from here."""

from __future__ import annotations

from optimizer.schema.allow import Allow
from optimizer.schema.base import ANY, MINING, CapexLevel, PriceBasis, ProductKind, Row
from optimizer.schema.company import (
    Amortisation,
    BaseRate,
    BudgetYear,
    Depreciation,
    Facility,
    Obligation,
    Overhead,
    UseLimit,
)
from optimizer.schema.halls import CommittedStart, Deposit, GpuLife, Option, Product, ProductMarket, Profile
from optimizer.schema.machines import Asic, BitcoinMarket, Fleet, MachineMarket
from optimizer.schema.offers import CommittedContract, Offer, OfferPrice, OfferSite
from optimizer.schema.places import OwnPlant, PowerEscalator, Scenario, Site, SiteLimit, Tariff
from optimizer.schema.settings import Settings

TABLES: tuple[type[Row], ...] = (
    Scenario, Site, SiteLimit, Tariff, PowerEscalator, OwnPlant, Asic, Fleet, MachineMarket, BitcoinMarket,
    Product, ProductMarket, Profile, Option, Deposit, GpuLife, CommittedStart,
    Offer, OfferPrice, OfferSite, CommittedContract,
    Overhead, Obligation, BudgetYear, UseLimit, BaseRate, Facility, Amortisation, Depreciation, Allow,
)  # fmt: skip

__all__ = [
    "ANY", "MINING", "TABLES", "Allow", "Amortisation", "Asic", "BaseRate", "BitcoinMarket", "BudgetYear", "CapexLevel",
    "CommittedContract", "CommittedStart", "Deposit", "Depreciation", "Facility", "Fleet", "GpuLife", "MachineMarket",
    "Obligation", "Offer", "OfferPrice", "OfferSite", "Option", "Overhead", "OwnPlant", "PowerEscalator", "PriceBasis",
    "Product", "ProductKind", "ProductMarket", "Profile", "Row", "Scenario", "Settings", "Site", "SiteLimit", "Tariff",
    "UseLimit",
]  # fmt: skip
