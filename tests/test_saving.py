"""A case that a script changed is written back: it reads the same again, and is written whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import openpyxl
import pytest
from conftest import DATA, ROOT, mining_case
from small_cases import small_case, tiny_case
from test_case import full_case

import optimizer as opt
from optimizer.case import saving as case_saving
from optimizer.case.case import Case
from optimizer.case.folder import input_hashes
from optimizer.commands.common import changed
from optimizer.ground.errors import PlanError

KINDS = ["folder", "book.xlsx"]
SHIPPED = [*(DATA / name for name in ("washington_2025", "bitfarms_2025", "keel_2026")), ROOT / "optimizer" / "starter"]


def comes_back(case: Case, target: Path) -> None:
    written = opt.save_case(case, target)
    again = opt.load_case(written, check_units=False)
    assert again == case
    assert input_hashes(again) == input_hashes(case)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_shipped_cases_come_back(folder: Path, kind: str, tmp_path: Path) -> None:
    case = opt.load_case(folder)
    comes_back(case, tmp_path / kind)
    assert opt.load_case(tmp_path / kind) == case


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(10))
def test_random_cases_come_back(seed: int, kind: str, tmp_path: Path) -> None:
    comes_back(small_case(seed), tmp_path / kind)


def variants() -> dict[str, Case]:
    case, full = mining_case(), full_case()
    markets = full.table("bitcoin")
    markets["hashprice_usd_per_ph_day"] *= 1.1
    texts = [{**row.model_dump(), "description": 'it\'s "so", #1: é, \u00a0=, 007'} for row in full.scenarios]
    return {
        "full": full,
        "settings by --set": changed(case, ["capex_level=high", "capex_budget_musd=123.456", "tax_rate=0.21"]),
        "dates": full.replace(halvings=["2028-04-12", "2032-04-01"], as_of="2026-10-02"),
        "no dates": full.replace(halvings=[]),
        "yes and no": full.replace(allow_planned_lateness=False),
        "blanks": case.replace(fleet=[row.model_dump() | {"units": None} for row in case.fleet], mining_ends=None),
        "a DataFrame of prices": full.replace(bitcoin=markets),
        "texts": full.replace(title="a, \"b\"; 'c' | <d> & ë #", scenarios=texts),
        "digits": full.replace(opening_cash_musd=1 / 3, minimum_cash_musd=1e-7, cash_rate=0.1 + 0.2 - 0.29),
        "tables taken away": full.replace(depreciation=[], tax_rate=None, tax_losses_musd=None, tax_loss_use=None),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", variants())
def test_changed_cases_come_back(name: str, kind: str, tmp_path: Path) -> None:
    comes_back(variants()[name], tmp_path / kind)


@pytest.mark.parametrize("name", ["a\u0085b", "a\u2028b", " a", "b ", "=1", "\ud800", "a\nb", "a\tb", "\x7f", "a\\b"])
def test_a_text_comes_back_or_was_refused_before(name: str, tmp_path: Path) -> None:
    try:
        case = tiny_case().replace(title=name, scenarios=[{"scenario": "base", "description": name}])
    except opt.InputError:
        return
    for kind in KINDS:
        comes_back(case, tmp_path / kind)


# ---- what stands there ---------------------------------------------------------------------------------------------


@pytest.fixture
def earlier(folder: Path) -> Path:
    """A case folder with everything that people keep in one."""
    (folder / "README.md").write_text("mine", encoding="utf-8")
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref", encoding="utf-8")
    settings = folder / "case.toml"
    settings.write_text("# a comment\n" + settings.read_text("utf-8"), encoding="utf-8")
    return folder


def texts_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_replaced_and_the_users_files_stay(earlier: Path) -> None:
    case = opt.load_case(earlier)
    sale = {"quarter": "2027Q1", "name": "sale", "kind": "asset_sale", "musd": 1}
    before = texts_of(opt.save_case(case.replace(obligations=[sale]), earlier))
    opt.save_case(case.replace(capex_budget_musd=77), earlier)
    after = texts_of(earlier)
    assert set(before) - set(after) == {"obligations.csv"}
    assert all(after[name] == before[name] for name in ("SOURCES.md", "README.md", ".git/HEAD"))
    assert b"# a comment" not in after["case.toml"]
    assert opt.load_case(earlier).settings.capex_budget_musd == 77
    assert [path.name for path in earlier.parent.iterdir()] == [earlier.name]


def test_the_list_of_sources_goes_along(earlier: Path, tmp_path: Path) -> None:
    case, told = opt.load_case(earlier), (earlier / "SOURCES.md").read_text("utf-8")
    book = opt.save_case(case, tmp_path / "a.xlsx", sources=told)
    opt.save_case(case.replace(capex_budget_musd=77), book)
    assert case_saving.sources_in(book) == told
    opt.save_case(case, earlier, sources="| new |\n")
    assert (earlier / "SOURCES.md").read_text("utf-8") == "| new |\n"


def test_a_workbook_with_sheets_of_ones_own_is_refused(tmp_path: Path) -> None:
    book = opt.save_case(tiny_case(), tmp_path / "a.xlsx")
    opened = openpyxl.load_workbook(book)
    opened.create_sheet("_mine")["A1"] = 1
    opened.save(book)
    before = book.read_bytes()
    with pytest.raises(PlanError, match=r"holds sheets that are no part of a case \(_mine\)"):
        opt.save_case(tiny_case(), book)
    assert book.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("plan/inputs", "lies in the folder of a plan"),
        ("plan", "holds something that is not a case"),
        ("file", "is a file, not a folder"),
        ("link", "is a link to"),
        (".", "is the folder this program was started in"),
        ("text.xlsx", "name another file"),
        ("zip.xlsx", "name another file"),
    ],
)
def test_a_place_that_is_not_a_cases_is_refused(
    place: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan" / "inputs").mkdir(parents=True)
    for name in ("plan/plan.json", "file", "text.xlsx"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "zip.xlsx").write_bytes(b"PK\x03\x04 and no more")
    (tmp_path / "link").symlink_to("plan", target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    before = texts_of(tmp_path)
    with pytest.raises(PlanError, match=why):
        opt.save_case(tiny_case(), place)
    assert texts_of(tmp_path) == before


# ---- whole or not at all --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fails_at", [0, 3, 8])
def test_a_disk_that_is_full_leaves_the_earlier_case(
    earlier: Path, fails_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, case, written = texts_of(earlier), opt.load_case(earlier), []

    def full(path: Path, data: bytes) -> None:
        if len(written) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path.write_bytes(data))

    monkeypatch.setattr(case_saving, "write_file", full)
    with pytest.raises(PlanError, match="No space left on device"):
        opt.save_case(case.replace(capex_budget_musd=77), earlier)
    assert texts_of(earlier) == before
    assert [path.name for path in earlier.parent.iterdir()] == [earlier.name]


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_not_read_back_is_not_written(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = opt.save_case(tiny_case(), tmp_path / kind)
    other = tiny_case(capex_budget_musd=1.5)
    for reader in ("case.saving.load_case", "case.layout.load_workbook"):
        monkeypatch.setattr(f"optimizer.{reader}", lambda *_, **__: other)
    with pytest.raises(PlanError, match="would not read back to the same case"):
        opt.save_case(tiny_case(capex_budget_musd=2.5), target)
    monkeypatch.undo()
    assert opt.load_case(target, check_units=False) == tiny_case()
    assert [path.name for path in tmp_path.iterdir()] == [kind]


def test_a_plans_copy_of_its_inputs_is_the_same_files(plan: opt.Plan, tmp_path: Path) -> None:
    opt.save_case(plan.case, tmp_path / "case")
    opt.save_plan(plan, tmp_path / "plan")
    assert texts_of(tmp_path / "plan" / "inputs") == texts_of(tmp_path / "case")
