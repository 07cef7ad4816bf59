"""A list of sources: every example number of the starter has its line, and lines that speak of nothing are noted."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DATA, ROOT, Run
from test_reader import change_bytes, edit

import optimizer as opt
from optimizer.case.case import TABLE_NAMES
from optimizer.case.origins import NAME, idle_origins, means, origin_of, origins_in, read_origins
from optimizer.case.schema import Settings
from optimizer.ground.errors import PlanError

STARTER = ROOT / "optimizer" / "starter"
FOLDERS = [*(DATA / name for name in ("bitfarms_2025", "keel_2026", "washington_2025")), STARTER]
HEAD = "| inputs | value | origin | confidence |\n|---|---|---|---|\n"


def notes(case: opt.Case, *lines: str) -> list[str]:
    return [str(note) for note in idle_origins(case, HEAD + "\n".join(lines))]


@pytest.mark.parametrize("place", FOLDERS, ids=lambda folder: folder.name)
def test_every_line_of_a_shipped_list_speaks_of_something(place: Path) -> None:
    assert [str(note) for note in opt.load_case(place).warnings if note.file == NAME] == []
    assert len(origins_in((place / NAME).read_text("utf-8"))) > 20


def test_every_number_of_the_starter_is_an_example_by_its_line() -> None:
    """All its tables and all settings that hold numbers or policies; the protocol's are facts."""
    case, origins = opt.load_case(STARTER), origins_in((STARTER / NAME).read_text("utf-8"))
    spoken = {name: origin_of(origins, name) for name in TABLE_NAMES if case.rows(name)}
    given = case.settings.model_dump(exclude_defaults=True)
    words = {"format", "name", "title", "as_of", "currency", "money_basis", "subsidy_btc", "halvings"}
    spoken |= {name: origin_of(origins, "case.toml", name) for name in given if name not in words}
    assert [name for name, origin in spoken.items() if origin is None or origin.confidence != "example"] == []
    assert len(spoken) > 25


def test_init_writes_the_list_of_sources(run: Run, tmp_path: Path) -> None:
    """As a file and as a sheet, and both read without a note on it."""
    assert run("init", tmp_path / "mine")[0] == 0
    assert run("init", tmp_path / "mine.xlsx")[0] == 0
    assert run("convert", tmp_path / "mine.xlsx", tmp_path / "back")[0] == 0
    assert (tmp_path / "mine" / NAME).read_text("utf-8") == (tmp_path / "back" / NAME).read_text("utf-8")
    for name in ("mine", "mine.xlsx"):
        code, _, err = run("check", tmp_path / name)
        assert (code, err) == (0, "")


IDLE = {
    "| tarifs | 5 | mine | J |": "SOURCES.md:3: 'tarifs' speaks of no table of the case format and not of case.toml. "
    "Mend: did you mean tariffs?",
    "| everything else | 5 | mine | J |": "SOURCES.md:3: 'everything else' speaks of no table of the case format and "
    "not of case.toml. Mend: begin it with a table's name.",
    "| obligations | 5 | mine | J |": "SOURCES.md:3: 'obligations' speaks of obligations, which has no rows in this "
    "case. Mend: take it away.",
    "| asics `joules_per_thash` | 5 | mine | J |": "SOURCES.md:3: 'joules_per_thash' is no column and no name of a row "
    "of asics. Mend: did you mean joules_per_th?",
    "| asics `uptime`, `S19 XP` | 5 | mine | J |": "SOURCES.md:3: 'S19 XP' is no column and no name of a row of asics. "
    "Mend: take it away.",
    "| case.toml `capex_budget` | 5 | mine | J |": "SOURCES.md:3: 'capex_budget' is no column and no name of a row of "
    "case.toml. Mend: did you mean capex_budget_musd?",
    "| asics | 5 | mine |": "SOURCES.md:3: has 3 cells and is not read. Mend: write inputs, value, origin, confidence.",
}
SPOKEN = (
    "| asics `T21` | 19 | x | M |", "| asics.csv `joules_per_th`, `S...` | 19 | x | M |",
    "| `facility_*` of options | 8 | x | M |", "| case.toml `discount_rates.mining` | 0.19 | x | J |",
    "| case.toml `max_customer_share...`, `..._musd` | 0 | x | J |", "| scenarios `base`, bitcoin `base` | 0 | x | J |",
    "| sites: everything about **Moses Lake** | a \\| b | x | J |",
)  # fmt: skip


@pytest.mark.parametrize("line", IDLE)
def test_a_line_that_speaks_of_nothing_is_noted(washington: opt.Case, line: str) -> None:
    assert notes(washington, line, *SPOKEN) == [IDLE[line]]


def test_lines_that_speak_of_something_are_not(washington: opt.Case) -> None:
    assert notes(washington, *SPOKEN) == []
    assert list(idle_origins(washington, "Our numbers are from our books.\n\n| a | b |\n|---|---|\n| c | d |\n")) == []


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_every_setting_can_be_spoken_of(washington: opt.Case, name: str) -> None:
    assert notes(washington, f"| case.toml `{name}` | 1 | x | J |", *SPOKEN) == []


def test_names_with_signs_are_taken_as_they_are() -> None:
    assert means("a.b", "a.b")
    assert not means("a.b", "axb")
    assert means("Notes ...", "Notes")
    assert not means("", "anything")


def test_check_tells_the_line_and_refuses_nothing(run: Run, folder: Path) -> None:
    edit(folder, NAME, "| asics `th_per_unit` |", "| asics `th_per_machine` |")
    line = (folder / NAME).read_text("utf-8").partition("th_per_machine")[0].count("\n") + 1
    code, out, err = run("check", folder)
    assert code == 0
    assert "No problem found" in out
    words = "'th_per_machine' is no column and no name of a row of asics."
    assert f"note: SOURCES.md:{line}: {words}" in err
    assert run("convert", folder, folder.parent / "book.xlsx")[0] == 0
    assert f"note: book.xlsx, sheet SOURCES, cell A{line}: {words}" in run("check", folder.parent / "book.xlsx")[2]


def test_a_list_that_is_no_text_is_noted_and_never_a_traceback(run: Run, folder: Path) -> None:
    change_bytes(folder, NAME, lambda b: b.replace(b"Sources", b"S\xf6urces"))
    code, _, err = run("check", folder)
    assert code == 0
    assert "note: SOURCES.md:1: is not UTF-8" in err
    code, _, err = run("convert", folder, folder.parent / "book.xlsx")
    assert code == 2
    assert "SOURCES.md:1: is not UTF-8" in err


def test_a_list_beside_the_plan_is_found_and_one_that_is_named_must_be_a_list(tmp_path: Path) -> None:
    """The first folder with a list gives it; a file without a table is no list, which is said where it is named."""
    beside, within = tmp_path / "plan", tmp_path / "plan" / "inputs"
    within.mkdir(parents=True)
    assert read_origins(None, beside, within) == ()
    (within / "SOURCES.md").write_text("| a | b | c | d |\n|---|---|---|---|\n| sites `x \\| y` | **1** | o | H |\n")
    assert [origin.cells for origin in read_origins(None, beside, within)] == [("sites x | y", "1", "o", "H")]
    (beside / "SOURCES.md").write_text("Told elsewhere.\n")
    assert read_origins(None, beside, within) == ()
    for named, why in ((beside / "SOURCES.md", "holds no table of four columns"), (tmp_path, "cannot be read")):
        with pytest.raises(PlanError, match=why):
            read_origins(named, within)
