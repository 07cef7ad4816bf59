"""From plans to one file: what may be shown, the page drawn, read back and held against the plans, then written."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from optimizer.files.folders import hand_out
from optimizer.telling.board.blocks import Section
from optimizer.telling.board.keys import Answers
from optimizer.telling.board.pack import Pack
from optimizer.telling.board.page.drawing import Drawn, html, section, sentence
from optimizer.telling.board.page.reading import Receipts, check, page_numbers, texts_of
from optimizer.telling.board.receipts import input_hash
from optimizer.telling.board.subjects.bridge import bridge_section
from optimizer.telling.board.subjects.capex import capex_section
from optimizer.telling.board.subjects.cash import cash_section, debt_section, statement_section
from optimizer.telling.board.subjects.comparison import comparison_section
from optimizer.telling.board.subjects.contracts import contracts_section
from optimizer.telling.board.subjects.decision import decision_title, decisions_section, tiles
from optimizer.telling.board.subjects.inputs import assumptions_section
from optimizer.telling.board.subjects.lenders import lenders_section
from optimizer.telling.board.subjects.megawatts import megawatts_section, where_section
from optimizer.telling.board.subjects.proof import audit_section, method_section
from optimizer.telling.board.subjects.studies import study_sections

if TYPE_CHECKING:
    from jinja2 import Template

_TELLERS = (
    decisions_section, megawatts_section, where_section, contracts_section, capex_section, cash_section, bridge_section,
    debt_section, lenders_section, statement_section,
)  # fmt: skip
"""The sections of a plan in the order of reading; its studies and its audit follow."""
PATTERNS = {
    "mining": "", "idle": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "building": "M0 0 8 8 M8 0 0 8",
    "unused": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "x0": "M0 2 H8 M2 0 V8", "x1": "M1 1 h3 M5 5 h3",
    "p0": "M1.5 2 h1.4 M5.5 6 h1.4", "p1": "M2 0 V8 M6 0 V8", "p2": "M0 2 H8 M0 6 H8",
    "p3": "M0 0 8 8 M-2 6 2 10 M6 -2 10 2", "p4": "M0 4 H8 M4 0 V8", "p5": "M0 0 8 8 M8 0 0 8",
    "after": "M-2 2 2 -2 M0 8 8 0 M6 10 10 6", "side-low": "M1 2 h2 M5 6 h2", "down": "M-2 6 2 10 M0 0 8 8 M6 -2 10 2",
}  # fmt: skip
"""The strokes that tell looks apart without their colours."""


def page(packs: Sequence[Pack]) -> tuple[str, Receipts]:
    """The page of some plans, held against them, and how much was. Raises PlanError where anything does not hold."""
    answers = Answers({pack.source.run: pack.told() for pack in packs})
    drawn = _drawn(packs)
    figures = [answers.read(key) for key in page_numbers(drawn)]
    data = {"plans": [_identity(pack) for pack in packs], "numbers": figures}
    text = drawn.replace(_DATA, _json(data))
    return text, check(text, answers, {text for pack in packs for text in texts_of(pack)})


def write_page(packs: Sequence[Pack], path: Path) -> Receipts:
    """Write the page, whole or not at all. Raises PlanError."""
    text, receipts = page(packs)
    hand_out(path, text.encode())
    return receipts


# ---- drawing ------------------------------------------------------------------------------------------------------

_DATA = "@the data of this page@"


def _drawn(packs: Sequence[Pack]) -> str:
    """The page without its data."""
    css, js = _style(packs), _file("page.js")
    titles = {pack.plan.case.settings.title for pack in packs}
    text = _template().render(
        plans=[_told(pack) for pack in packs],
        groups=_groups(packs),
        shared=_shared(packs),
        assumptions_of=_assumptions_of(packs),
        title=Markup("<bdi data-text>{}</bdi>").format(*titles) if len(titles) == 1 else "Plans for the board",
        heading=titles.pop() if len(titles) == 1 else "",
        patterns=PATTERNS,
        css=Markup(css), js=Markup(js), data=Markup(_DATA), policy=_policy(css, js),
    )  # fmt: skip
    return _squeezed(text).lstrip()


def _squeezed(text: str) -> str:
    """Without blank lines."""
    return re.sub(r"\n\s*\n+", "\n", text)


def _told(pack: Pack) -> Drawn:
    """One plan as the template draws it."""
    run, ledger = pack.source.run, pack.ledger
    sections = [*(teller(pack) for teller in _TELLERS), *study_sections(pack), audit_section(pack)]
    plan, said = pack.plan, [row.description for row in pack.plan.case.scenarios if row.scenario == pack.plan.scenario]
    return {
        "id": run, "label": pack.source.name, "headline": sentence(ledger, decision_title(pack)), "plan": plan,
        "hash": input_hash(plan), "stamps": pack.stamps, "scenario": next(filter(None, said), ""),
        "tiles": [(html(ledger, figure), html(ledger, beside)) for figure, beside in tiles(pack).cards],
        "sections": [_drawn_section(pack, one, f"{run}-{one.name}") for one in sections if one is not None],
    }  # fmt: skip


def _drawn_section(pack: Pack, one: Section, place: str) -> Drawn:
    return section(pack.ledger, one, pack.source.run) | {"place": place}


def _shared(packs: Sequence[Pack]) -> list[Drawn]:
    """What is told once: the comparison, the assumptions of each set of inputs, the method."""
    told = [_drawn_section(packs[0], comparison_section(packs), "comparison")] if len(packs) > 1 else []
    ids = _assumptions_of(packs)
    owners = [pack for pack in packs if ids[pack.source.run] == f"assumptions-{pack.source.run}"]
    told += [_drawn_section(pack, assumptions_section(pack), ids[pack.source.run]) for pack in owners]
    return [*told, _drawn_section(packs[0], method_section(), "method")]


def _assumptions_of(packs: Sequence[Pack]) -> dict[str, str]:
    """Where the assumptions of each plan stand: plans of the same inputs share them."""
    first: dict[str, str] = {}
    return {
        pack.source.run: first.setdefault(input_hash(pack.plan), f"assumptions-{pack.source.run}") for pack in packs
    }


def _groups(packs: Sequence[Pack]) -> dict[str, list[tuple[str, str]]]:
    """The plans of the chooser, their ids and labels, under the titles of their cases."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for pack in packs:
        groups.setdefault(pack.plan.case.settings.title, []).append((pack.source.run, pack.source.name))
    return groups


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("optimizer.telling.board", "page"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return made.get_template("page.html.jinja")


@cache
def _file(name: str) -> str:
    return _squeezed((files("optimizer.telling.board") / "page" / name).read_text(encoding="utf-8"))


def _style(packs: Sequence[Pack]) -> str:
    """The style sheet, with the foot of each plan's printed pages; only hashes and words of ours come into it."""
    plans = {pack.source.run: pack.plan for pack in packs}
    feet = {run: f"run {plan.run_id}, inputs {input_hash(plan)}, {plan.word}" for run, plan in plans.items()}
    heads = {pack.source.run: "; ".join(stamp.partition(":")[0] for stamp in pack.stamps) for pack in packs}
    rules = [_page_rule(run, feet[run], heads[run]) for run in plans]
    rules += [f"#{run} {{ page: {run}; }}" for run in plans]
    rules.append(_page_rule("shared", "; ".join(feet.values()), "; ".join(filter(None, heads.values()))))
    return _file("page.css") + "\n".join(rules) + "\n"


def _page_rule(name: str, foot: str, head: str) -> str:
    feet = f"@bottom-left {{ content: {_css_text(foot)}; }} @top-center {{ content: {_css_text(head)}; }}"
    return f"@page {name} {{ {feet} }}"


def _css_text(text: str) -> str:
    """A text as CSS holds it: every sign that is neither a letter nor a digit of ASCII by its number."""
    safe = "".join(sign if re.fullmatch(r"[A-Za-z0-9 ,.:;()$%-]", sign) else f"\\{ord(sign):06x} " for sign in text)
    return f'"{safe}"'


def _policy(css: str, js: str) -> str:
    """Nothing is fetched; only the style sheet and the script of this file are heeded."""
    style, script = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (css, js))
    own = f"style-src 'sha256-{style}'; script-src 'sha256-{script}'"
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"


def _identity(pack: Pack) -> dict[str, Any]:
    plan = pack.plan
    return {
        "id": pack.source.run, "case": plan.case.settings.name, "scenario": plan.scenario, "run": plan.run_id,
        "inputs": input_hash(plan), "word": plan.word, "label": pack.source.name,
    }  # fmt: skip


def _json(data: Any) -> str:
    """JSON that no text in it can end early: `<`, `>` and `&` by their numbers."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
