"""The page: every number traced, every name text, nothing fetched; what may not be shown is refused or stamped."""

from __future__ import annotations

import dataclasses
import random
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import Run, mining_case
from page_studies import made_studies
from small_cases import scenario_of, small_case, tiny_case

import optimizer as opt
from optimizer.auditors import audit
from optimizer.case.case import TABLE_NAMES, Case
from optimizer.ground.errors import AuditFault, PlanError
from optimizer.plan.folder import save_plan
from optimizer.questions.studies.study import Study, save_study
from optimizer.telling.board.figures import Figure, Source
from optimizer.telling.board.keys import Answers, Reckoned, Told, at, decoded, encoded, kpi, read_key
from optimizer.telling.board.ledger import Ledger
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.page import open_plans
from optimizer.telling.board.page.drawing import Axis, axis, html, stacked
from optimizer.telling.board.page.reading import check, texts_of
from optimizer.telling.board.page.writing import page

HOSTILE = (
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\"' onmouseover='alert(3)'", "موقع شمال 7",
    "{{ 7 * 7 }} {% raw %}", "&lt;b&gt; & %41; * ? p1/figures/value_musd", "Montréal 🙂 " + "long " * 15 + "name",
)  # fmt: skip


def told_of(plan: opt.Plan, studies: list[Study]) -> Pack:
    """What a page is given of one plan."""
    made = {study.kind: study for study in studies}
    return Pack(Source(plan, plan.scenario, "p1"), Ledger(), audit(plan.case, plan), studies=made)


def book(plan: opt.Plan) -> Pack:
    return told_of(plan, made_studies(plan, 1))


def renamed(case: Case, names: dict[str, str]) -> Case:
    """A case in which some names are others, wherever they stand."""

    def new(cell: Any) -> Any:
        return names.get(cell, cell) if isinstance(cell, str) else cell

    tables = {
        table: [{column: new(cell) for column, cell in row.model_dump().items()} for row in case.rows(table)]
        for table in TABLE_NAMES
    }
    rates = {new(name): rate for name, rate in case.settings.discount_rates.items()}
    return case.replace(**tables, discount_rates=rates, title=names.get("title", case.settings.title))


@pytest.fixture(scope="module")
def written(plan: opt.Plan) -> str:
    return page([book(plan)])[0]


@pytest.fixture(scope="module")
def hostile() -> Pack:
    names = dict(zip(("north", "south", "lease", "colo", "miner", "title", "half then full"), HOSTILE, strict=True))
    solved = opt.solve(renamed(mining_case(), names))
    return told_of(solved, made_studies(solved, name=HOSTILE[0] + HOSTILE[3]))


class Reader(HTMLParser):
    """Elements with their attributes, and all text, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


# ---- receipts -----------------------------------------------------------------------------------------------------


def is_of_a_number(text: str, spot: int) -> bool:
    """Whether a digit is neither in a name of the plan, which may differ from another by a digit, nor in an entity."""
    return not text[text.rindex("<", 0, spot) :].startswith("<bdi data-text") and not re.search(r"&#\d*$", text[:spot])


def test_fault_140_any_number_altered_in_the_file_is_found(plan: opt.Plan, written: str) -> None:
    """A digit more or less in any of sixty numbers of the text or of the kept figures, drawn at random."""
    one = book(plan)
    keys, texts = Answers({"p1": one.told()}), set(texts_of(one))
    check(written, keys, texts)
    shown = re.compile(r">[^<>]*?(\d)[^<>]*<")
    told = [m.start(1) for m in shown.finditer(written, written.index("<main"), written.index("<script"))]
    spots = [spot for spot in told if is_of_a_number(written, spot)]
    figures = re.compile(r"[\[,]-?(\d)")
    spots += [m.start(1) for m in figures.finditer(written, written.index('"numbers":'), written.rindex("]}"))]
    for spot in random.Random(1).sample(spots, 60):
        altered = written[:spot] + str((int(written[spot]) + 5) % 10) + written[spot + 1 :]
        with pytest.raises(PlanError):
            check(altered, keys, texts)


class Counter(HTMLParser):
    """Texts with a digit that people read, by whether they have a key; names of the plan and labels of axes aside."""

    VOID = ("meta", "br", "input", "link", "rect", "line", "polyline", "circle", "path")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.keyed: list[str] = []
        self.bare: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not re.search(r"\d", data) or not self.open or self.open[-1][0] in ("style", "script"):
            return
        tag, own = self.open[-1]
        of_row = tag == "td" and bool(dict(self.open[-2][1]).get("data-row"))
        if "data-key" in own or of_row:
            self.keyed.append(data)
        elif "data-text" not in own and "data-tick" not in own:
            self.bare.append(data)


def test_what_is_decided_is_counted_in_words(plan: opt.Plan, written: str) -> None:
    told = re.sub("<.*?>", "", written)
    assert f"Work starts at {plan.starts['site'].nunique()} of {len(plan.case.sites)} sites; " in told
    assert f"{len(plan.contracts)} of {len(plan.case.offers)} offer" in told


def test_no_number_is_without_its_key(plan: opt.Plan) -> None:
    """Counted by another reader than the one that refuses pages."""
    text, receipts = page([book(plan)])
    counted = Counter(text)
    assert counted.bare == []
    assert len(counted.keyed) == receipts.numbers > 1000


@pytest.mark.core
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<footer>", "<footer><p>about 12 MW more</p>"),
        ("<footer>", "<footer><p aria-label='some 12 MW'>more</p>"),
        ("<footer>", "<footer><bdi data-text>13 MW</bdi>"),
        ("<footer>", '<footer><span data-key="p1/figures/no_such">1.0</span>'),
        ("<footer>", '<footer><span data-key="p1/figures/value_musd">NaN</span>'),
        ("p1/figures/capex_musd", "p1/figures/value_musd"),
    ],
)
def test_a_number_without_its_place_in_the_plan_is_refused(plan: opt.Plan, written: str, old: str, new: str) -> None:
    one = book(plan)
    assert old in written
    with pytest.raises(PlanError):
        check(written.replace(old, new, 1), Answers({"p1": one.told()}), set(texts_of(one)))


@pytest.mark.parametrize("seed", range(20))
def test_a_key_means_the_sum_of_what_its_filters_leave(plan: opt.Plan, seed: int) -> None:
    rng = random.Random(seed)
    names = ["a", "b c", "x=1&y", "p%20/q", "موقع", "2031 - 2032"]
    rows = [{"site": rng.choice(names), "quarter": f"203{rng.randint(0, 2)}Q1", "mw": rng.uniform(-9, 9)}
            for _ in range(30)]  # fmt: skip
    table = pd.DataFrame(rows)
    held = dataclasses.replace(plan, tables={**plan.tables, "t": table})
    keys, value = Answers({"p1": Told(held)}), plan.value_musd
    site, quarter = rng.choice(names), f"203{rng.randint(0, 2)}Q1"
    mine = table[(table["site"] == site) & (table["quarter"] <= quarter)]
    key = f"{at('t', 'mw', 'sum', 'p1', site=site)}&quarter<={quarter}"
    assert decoded(encoded(site)) == site
    assert keys.read(key) == pytest.approx(mine["mw"].sum())
    assert keys.read(f"p1/record/value_musd - {key}") == pytest.approx(value - mine["mw"].sum())
    assert keys.read("p1/t/site!distinct") == table["site"].nunique()
    assert keys.read(f"{read_key(key, ['p1'])}") == keys.read(key)
    for wrong in ("p1/no/mw", "p1/t/no", "p1/t/mw!no", "p1/t/mw?site", "p1/t/mw!max?site=nobody", "p1/t/site", "mw"):
        with pytest.raises(PlanError):
            keys.read(wrong)


def test_fault_138_what_is_no_number_is_not_written(plan: opt.Plan) -> None:
    broken = plan.cash.assign(closing_musd=float("nan"))
    sick = dataclasses.replace(plan, tables={**plan.tables, "cash": broken})
    with pytest.raises(PlanError, match="finite number"):
        page([Pack(Source(sick, "base", "p1"), Ledger(), audit(plan.case, plan))])


@pytest.mark.parametrize(
    ("value", "how", "text"),
    [
        (-0.04, "money", "$0.0M"), (-1234.56, "money", "−$1,234.6M"), (0.1425, "percent", "14%"),
        (78336.02, "dollars", "$78,336"), (18.0, "number", "18"), (18.04, "fixed", "18.0"),
    ],
)  # fmt: skip
def test_numbers_are_told_as_people_write_them(value: float, how: str, text: str) -> None:
    ledger = Ledger()
    shown = str(html(ledger, getattr(ledger, how)(Figure(kpi("value_musd", "p1"), value))))
    assert re.sub("<.*?>", "", shown) == text and "p1/figures/value_musd" in shown


def test_every_key_can_be_read_back(plan: opt.Plan) -> None:
    """A key in words, however it is reckoned, means what the key means."""
    value, nothing = (Figure(kpi(name, "p1"), plan.kpis[name]) for name in ("value_musd", "do_nothing_value_musd"))
    share = (value - nothing).per(value).times(100)
    keys = Answers({"p1": Told(plan)})
    for figure in (share, value + nothing - value, -(value - (nothing - value)), value.per(nothing).times(-1) + value):
        assert keys.read(figure.key) == pytest.approx(figure.value)
        assert str(read_key(figure.key, ["p1"])) == figure.key
    counted = Reckoned("count", tuple(at("cash", "net_musd", "sum", "p1", row=n) for n in range(3)))
    assert keys.read(str(counted)) == 3


# ---- names --------------------------------------------------------------------------------------------------------


def test_hostile_names_come_out_as_text(hostile: Pack) -> None:
    """Nothing of a name becomes an element, an attribute, a template or the end of the data; all of it is read."""
    text, receipts = page([hostile])
    read = Reader(text)
    assert receipts.numbers > 500
    assert [tag for tag, _ in read.elements].count("script") == 2
    assert not [tag for tag, _ in read.elements if tag in ("img", "iframe", "object", "embed", "link", "base")]
    assert not [name for _, attributes in read.elements for name in attributes if name.startswith("on")]
    seen = set(read.texts)
    for name in HOSTILE[:6]:
        assert name in seen
    assert "<bdi data-text>موقع شمال 7</bdi>" in text


# ---- the file -----------------------------------------------------------------------------------------------------


def test_equal_plans_give_equal_bytes(plan: opt.Plan, written: str) -> None:
    assert page([book(plan)])[0] == written


@pytest.mark.core
def test_nothing_is_fetched(written: str) -> None:
    read = Reader(written)
    for tag, attributes in read.elements:
        assert not {"src", "srcset", "action", "data", "poster", "style"} & attributes.keys(), tag
        assert attributes.get("href", "#").startswith("#")
    policy = next(a["content"] for tag, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http:" not in written.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"url\((?!#)|@import|https:", written)


@pytest.mark.core
def test_the_page_can_be_read_without_eyes(written: str) -> None:
    """Headings in order, tables with captions and scopes, ids once, every reference to one that is there."""
    elements = Reader(written).elements
    levels = [int(tag[1]) for tag, _ in elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))
    tags = [tag for tag, _ in elements]
    assert tags.count("caption") == tags.count("table")
    assert all("scope" in attributes for tag, attributes in elements if tag == "th")
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in elements:
        named = [attributes.get(name, "") for name in ("aria-labelledby", "aria-controls", "data-table")]
        assert {one for one in named if one} <= set(ids)
        assert attributes.get("href", "#main")[1:] in ids
    assert {"header", "main", "nav", "footer"} <= set(tags)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_stand_out_from_their_ground(theme: str) -> None:
    css = (Path(opt.__file__).parent / "telling/board/page/page.css").read_text(encoding="utf-8")
    block = css[: css.index("@media")] if theme == "light" else css[css.index(':root[data-theme="dark"]') :]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block[: block.index("}")]))
    for ground in ("paper", "card"):
        for ink in ("ink", "muted", "good", "warn", "bad"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for shape in ("p0", "p1", "p2", "p3", "p4", "p5", "focus", "building"):
        assert contrast(colours[shape], colours["paper"]) >= 2.9, shape


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG reckons it."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("seed", range(20))
def test_columns_are_as_high_as_their_numbers(seed: int) -> None:
    """What a column covers of its axis is its number's part of it, whatever stands above, below or beside."""
    rng = random.Random(seed)
    series = [(f"u{n}", [rng.choice([0.0, rng.uniform(-40, 90)]) for _ in range(7)]) for n in range(3)]
    sums = [sum(v for v in column if side * v > 0) for column in zip(*(v for _, v in series), strict=True)
            for side in (1, -1)]  # fmt: skip
    scale = axis(sums)
    assert isinstance(scale, Axis)
    assert scale.low <= min(0, *sums) and max(0, *sums) <= scale.high
    drawn = {(r.look, round(r.x * 7 / 100 - 0.08)): r.height / 100 * (scale.high - scale.low)
             for r in stacked(series, scale)}  # fmt: skip
    for look, values in series:
        for column, value in enumerate(values):
            assert drawn.get((look, column), 0.0) == pytest.approx(abs(value))


# ---- what may be shown --------------------------------------------------------------------------------------------


@pytest.fixture
def kept(plan: opt.Plan, tmp_path: Path) -> Path:
    return save_plan(plan, tmp_path / "plan")


@pytest.mark.core
def test_one_command_writes_the_page(kept: Path, plan: opt.Plan, tmp_path: Path, run: Run) -> None:
    other = save_plan(opt.solve(plan.case.replace(capex_budget_musd=0)), tmp_path / "other")
    code, out, _ = run("page", kept, other, "-o", tmp_path / "board.html")
    text = (tmp_path / "board.html").read_text(encoding="utf-8")
    assert code == 0 and "numbers read back" in out
    assert plan.run_id in text and "Comparison" in text and "optimizer tornado PLAN" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.html", "other", "plan"]


def test_a_study_of_another_run_is_left_out_and_said(kept: Path, plan: opt.Plan) -> None:
    for study in made_studies(plan):
        about = {**study.about, "run_id": "another"} if study.kind == "tornado" else study.about
        save_study(dataclasses.replace(study, about=about), kept / "studies" / study.kind)
    (opened,) = open_plans([kept])
    assert set(opened.left_out) == {"tornado"}
    text = page([opened])[0]
    assert "is of another run" in text
    assert "The price of BTC moves the value most" not in text


def test_studies_that_were_killed_are_not_made_yet(kept: Path) -> None:
    """They leave answers and no study."""
    for name in ("tornado", "bridge-0123456789ab"):
        (kept / "studies" / name).mkdir(parents=True)
        (kept / "studies" / name / "answers.jsonl").write_text('{"key": "x"', encoding="utf-8")
    (found,) = open_plans([kept])
    assert (found.studies, found.left_out["tornado"]) == ({}, "not made yet")


def test_sources_are_told_when_the_case_is_named(kept: Path, tmp_path: Path, run: Run) -> None:
    case = Path(shutil.copytree(kept / "inputs", tmp_path / "case"))
    table = "| file | value | origin | confidence |\n|---|---|---|---|\n| sites | 12; `7%` | **filing** of 2025 | H |\n"
    (case / "SOURCES.md").write_text(f"# Sources\n\n{table}\n| other | table |\n|---|---|\n| 1 | 2 |\n")
    assert run("page", kept, "--case", case, "-o", tmp_path / "page.html")[0] == 0
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<bdi data-text>12; 7%</bdi>" in text and "<bdi data-text>filing of 2025</bdi>" in text


def edit(folder: Path) -> None:
    (folder / "cash.csv").write_text((folder / "cash.csv").read_text().replace("2027Q2,", "2027Q2,1"))


def forge(folder: Path) -> None:
    """A plan whose files fit together and whose cash does not follow from its decisions."""
    true = opt.load_plan(folder)
    wrong = true.cash.assign(closing_musd=true.cash["closing_musd"] + 1)
    save_plan(dataclasses.replace(true, tables={**true.tables, "cash": wrong}), folder)


@pytest.mark.parametrize(
    ("harm", "error", "stamp"), [(edit, PlanError, "EDITED"), (forge, AuditFault, "FAILS ITS AUDIT")]
)
def test_a_plan_that_does_not_hold_is_refused_or_stamped(
    kept: Path, tmp_path: Path, run: Run, harm: Callable[[Path], None], error: type[Exception], stamp: str
) -> None:
    harm(kept)
    with pytest.raises(error):
        open_plans([kept])
    code, _, _ = run("page", kept, "-o", tmp_path / "page.html")
    assert code in (6, 7)
    assert not (tmp_path / "page.html").exists()
    code, _, _ = run("page", kept, "--force", "-o", tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert code == 0
    assert re.search(rf'class="stamp"[^>]*><bdi data-text>{stamp}', text)
    assert re.search(rf'@page p1 .*@top-center {{ content: "{stamp}', text)


def test_fault_122_a_plan_of_a_case_that_changed_is_refused_or_stamped(kept: Path, tmp_path: Path, run: Run) -> None:
    case = Path(shutil.copytree(kept / "inputs", tmp_path / "case"))
    assert run("page", kept, "--case", case, "-o", tmp_path / "page.html")[0] == 0
    settings = (case / "case.toml").read_text()
    (case / "case.toml").write_text(settings.replace("capex_budget_musd = 900", "capex_budget_musd = 800"))
    code, _, err = run("page", kept, "--case", case, "-o", tmp_path / "page.html")
    assert code == 7 and "case.toml" in err and "--force" in err
    assert run("page", kept, "--case", case, "--force", "-o", tmp_path / "page.html")[0] == 0
    assert "STALE" in (tmp_path / "page.html").read_text(encoding="utf-8")


# ---- plans of every kind ------------------------------------------------------------------------------------------


def test_where_doing_nothing_cannot_be_done_the_page_says_so() -> None:
    lease = {"offer": "lease", "site": "north", "quarter": "2027Q3", "it_mw": 8}
    without = opt.solve(tiny_case(committed_contracts=[lease]))
    assert without.nothing is None
    text = page([told_of(without, [])])[0]
    assert "doing nothing keeps neither commitments nor policies" in text


def told(seed: int) -> bool:
    """A random case solved and told, with studies: every number is traced, or the page is refused."""
    case = small_case(seed)
    try:
        solved = opt.solve(case, scenario_of(seed))
    except opt.Infeasible:
        return False
    assert page([told_of(solved, made_studies(solved, seed))])[1].numbers > 300
    return True


def test_random_cases_are_told() -> None:
    assert sum(told(seed) for seed in range(5)) >= 2


@pytest.mark.campaign
def test_many_random_cases_are_told() -> None:
    assert sum(told(seed) for seed in range(100, 300)) > 100
