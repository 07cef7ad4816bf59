"""The case format: a class for each table, a field for each column; `docs/case-format.md` is generated from here."""

from __future__ import annotations

from optimizer.case.schema.allow import Allow
from optimizer.case.schema.base import ANY, MINING, CapexLevel, PriceBasis, ProductKind, Row
from optimizer.case.schema.company import (
    Amortisation,
    BaseRate,
    BudgetYear,
    Depreciation,
    Facility,
    Obligation,
    Overhead,
    UseLimit,
)
from optimizer.case.schema.halls import CommittedStart, Deposit, GpuLife, Option, Product, ProductMarket, Profile
from optimizer.case.schema.machines import Asic, BitcoinMarket, Fleet, MachineMarket
from optimizer.case.schema.offers import CommittedContract, Offer, OfferPrice, OfferSite
from optimizer.case.schema.places import OwnPlant, PowerEscalator, Scenario, Site, SiteLimit, Tariff
from optimizer.case.schema.settings import Settings

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
