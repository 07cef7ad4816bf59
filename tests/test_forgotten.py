"""What is added to the house and forgotten in a place that must know of it: refused at import, or found here."""

from __future__ import annotations

import importlib
import pkgutil
import runpy
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import typer

import optimizer.auditors as auditors
import optimizer.auditors.lines as audited
import optimizer.auditors.terms as twins
import optimizer.business.uses as uses
import optimizer.case.terms as terms
import optimizer.telling.board.pack as pack
from optimizer.business.lines import LINES
from optimizer.case import case
from optimizer.commands import studying
from optimizer.commands.root import app
from optimizer.ground.errors import HouseFault
from optimizer.questions.compare import groups
from optimizer.questions.studies.study import KINDS, Kind, Study, save_study
from optimizer.telling.board import subjects
from optimizer.telling.board.deck import story
from optimizer.telling.board.deck.layout import open_frame
from optimizer.telling.board.page import writing
from optimizer.telling.board.subjects import studies
from optimizer.telling.pictures import gallery


def modules_with(package: ModuleType, *names: str) -> set[str]:
    """The modules of a package that have all of some names."""
    found = {
        one.name: importlib.import_module(f"{package.__name__}.{one.name}")
        for one in pkgutil.iter_modules(package.__path__)
    }
    return {name for name, module in found.items() if all(hasattr(module, part) for part in names)}


def home(function: Any) -> str:
    return str(function.__module__.rpartition(".")[2])


def test_every_term_stands_in_the_list_and_has_its_twin() -> None:
    """Prerequisites act on what is signed and on no bill: the audit looks at them with the contracts."""
    listed = {home(term.check) for term in terms.TERMS}
    assert listed == modules_with(terms, "TERM")
    assert {home(apply) for apply in twins._TERMS} == listed - {"prerequisites"} == modules_with(twins, "apply")


def test_every_use_and_every_auditor_stands_in_its_list() -> None:
    assert {home(use.decide) for use in uses.USES} == modules_with(uses, "decide", "happen")
    assert {home(one.record) for one in auditors._AUDITORS} == modules_with(auditors, "record", "checks")


def test_model_and_audit_know_the_same_lines() -> None:
    assert {line for lines in audited.LINES.values() for line in lines} == set(LINES)


def test_every_kind_of_study_has_its_command() -> None:
    assert KINDS.keys() - {"bridge"} <= typer.main.get_command(app).commands.keys()


def test_every_slide_is_told() -> None:
    """A function of the pack alone that makes slides stands in the story, or among the slides of studies."""
    kinds = ("Slide", "Slide | None", "tuple[Slide, ...]")
    made = {
        function
        for name in modules_with(subjects, "Slide", "Pack")
        for function in vars(importlib.import_module(f"{subjects.__name__}.{name}")).values()
        if not getattr(function, "__name__", "_").startswith("_")
        and list(getattr(function, "__annotations__", {})) == ["pack", "return"]
        and function.__annotations__["return"] in kinds
    }
    told = {one for one in (*vars(story).values(), *studies.SLIDES.values()) if callable(one)}
    assert len(made) > 10
    assert made <= told


def test_every_section_of_a_page_is_told() -> None:
    """A function that makes sections of a pack, of packs or of nothing stands in the page."""
    made = {
        function
        for name in modules_with(subjects, "Section")
        for function in vars(importlib.import_module(f"{subjects.__name__}.{name}")).values()
        if not getattr(function, "__name__", "_").startswith("_")
        and getattr(function, "__annotations__", {}).get("return") in ("Section", "list[Section]")
    }
    assert len(made) > 10
    assert made <= {one for one in vars(writing).values() if callable(one)}


def test_a_colour_that_nobody_has_is_refused() -> None:
    palette = open_frame(None).palette
    with pytest.raises(HouseFault, match="'stronger' is no colour"):
        palette.of("stronger")


@pytest.mark.parametrize("module", [case, groups])
def test_a_table_that_is_no_field_or_in_no_group_is_refused(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    """Neither a case without its rows, nor a bridge that never swaps them."""
    from optimizer.case import schema

    kind = type("Hosting", (schema.Site,), {"table": "hosting", "__annotations__": {}})
    monkeypatch.setattr(schema, "TABLES", (*schema.TABLES, kind))
    monkeypatch.setattr(case, "TABLE_NAMES", (*case.TABLE_NAMES, "hosting"))
    with pytest.raises(HouseFault, match="hosting"):
        runpy.run_path(str(module.__file__))


@pytest.mark.parametrize("module", [gallery, studies])
def test_a_kind_of_study_without_its_picture_table_or_slide_is_refused(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType
) -> None:
    monkeypatch.setitem(KINDS, "delays", Kind("value against delay", "What a delay costs", in_deck=True))
    monkeypatch.setitem(pack.STUDY_COMMANDS, "delays", "optimizer delays")
    with pytest.raises(HouseFault, match="delays"):
        runpy.run_path(str(module.__file__))


def test_a_study_of_no_kind_is_refused_before_it_is_made_and_before_it_is_kept(tmp_path: Path) -> None:
    def never(*_: Any) -> Study:
        raise AssertionError("nothing is asked")

    with pytest.raises(HouseFault, match="'delays' is no kind"):
        studying.study_plan(tmp_path, "delays", 1, False, never)
    with pytest.raises(HouseFault, match="'delays' is no kind"):
        save_study(Study("delays", "", (), {}), tmp_path / "delays")
    assert not list(tmp_path.iterdir())


def test_numbers_that_would_come_back_as_text_are_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"delay": [1.0, 2.0], "value_musd": [3.0, 4.0]})
    with pytest.raises(HouseFault, match="delay holds numbers"):
        save_study(Study("frontier", "", (), {"points": table}), tmp_path / "frontier")
