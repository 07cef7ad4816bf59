"""The case format: a class for each table, a field for each column; `docs/case-format.md` is generated from here."""

from __future__ import annotations

from optimizer.case.schema.allow import Allow
from optimizer.case.schema.base import ANY, MINING, CapexLevel, PriceBasis, ProductKind, Row
from optimizer.case.schema.company import (
    Amortisation,
    BaseRate,
    BtcSale,
    BudgetYear,
    Collateral,
    Depreciation,
    Facility,
    Obligation,
    Overhead,
    UseLimit,
)
from optimizer.case.schema.halls import CommittedStart, Deposit, GpuLife, Option, Product, ProductMarket, Profile
from optimizer.case.schema.machines import Asic, BitcoinMarket, Fleet, MachineMarket
from optimizer.case.schema.offers import CommittedContract, Customer, Offer, OfferPrice, OfferSite
from optimizer.case.schema.places import (
    GridGroup,
    GridGroupLimit,
    OwnPlant,
    PowerEscalator,
    PriceStep,
    Ratchet,
    Scenario,
    Site,
    SiteLimit,
    Tariff,
)
from optimizer.case.schema.settings import Settings

TABLES: tuple[type[Row], ...] = (
    Scenario, Site, SiteLimit, GridGroup, GridGroupLimit, Tariff, PowerEscalator, PriceStep, Ratchet, OwnPlant,
    Asic, Fleet, MachineMarket, BitcoinMarket,
    Product, ProductMarket, Profile, Option, Deposit, GpuLife, CommittedStart,
    Offer, OfferPrice, OfferSite, Customer, CommittedContract,
    Overhead, Obligation, BudgetYear, UseLimit, BaseRate, Facility, Collateral, Amortisation, BtcSale, Depreciation,
    Allow,
)  # fmt: skip

__all__ = [
    "ANY", "MINING", "TABLES", "Allow", "Amortisation", "Asic", "BaseRate", "BitcoinMarket", "BtcSale",
    "BudgetYear", "CapexLevel", "Collateral", "CommittedContract", "CommittedStart", "Customer", "Deposit",
    "Depreciation", "Facility", "Fleet", "GpuLife", "GridGroup", "GridGroupLimit", "MachineMarket", "Obligation",
    "Offer", "OfferPrice", "OfferSite", "Option", "Overhead", "OwnPlant", "PowerEscalator", "PriceBasis",
    "PriceStep", "Product", "ProductKind", "ProductMarket", "Profile", "Ratchet", "Row", "Scenario", "Settings",
    "Site", "SiteLimit", "Tariff", "UseLimit",
]  # fmt: skip
