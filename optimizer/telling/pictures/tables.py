"""What pictures ask of a study: its tables with the columns they need, and the line on where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optimizer.ground.amounts import share_words
from optimizer.ground.errors import PlanError
from optimizer.questions.sweeps.outcomes import WORDS, unsolved_word
from optimizer.telling.pictures.lettering import missing, musd, plain

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.plan.plan import Plan
    from optimizer.questions.studies.study import Study


def table_of(study: Study, name: str, *columns: str) -> pd.DataFrame:
    """A table of a study, its rows counted from 0. Raises PlanError where it or a column is missing."""
    if name not in study.tables:
        raise PlanError(f"The study of kind {study.kind} has no table {name}, so it cannot be drawn.")
    table = study.tables[name]
    lacking = [column for column in columns if column not in table.columns]
    if lacking:
        raise PlanError(
            f"The table {name} of the study of kind {study.kind} has no column {lacking[0]}, so it cannot be drawn."
        )
    return table.reset_index(drop=True)


def why_none(words: Any) -> str:
    """What a picture says where there is no value: `no plan`, or that this is not known."""
    return unsolved_word(plain(words)) or WORDS["infeasible"]


def source_of(study: Study) -> str:
    """`bitfarms_2025, scenario base. Run 0123456789ab, gap 0.0100%.`, as far as the study says it."""
    about = study.about
    place = ", ".join(
        [*([str(about["case"])] if "case" in about else []),
         *([f"scenario {about['scenario']}"] if "scenario" in about else [])]
    )  # fmt: skip
    ends = [about[name] for name in ("from_run_id", "to_run_id") if about.get(name)]
    run = " to ".join(map(str, ends or [about["run_id"]] if about.get("run_id") else ends))
    proof = ", ".join([*([f"run {run}"] if run else []), *_gap(about.get("gap")), *_bounds(study)])
    return " ".join(f"{part}." for part in (place, f"{proof[:1].upper()}{proof[1:]}") if part)


def _bounds(study: Study) -> list[str]:
    """How much more any value of the study may be worth, by its bound."""
    most = 0.0
    for table in study.tables.values():
        for bound in (column for column in table.columns if column.startswith("bound_")):
            value = bound.replace("bound_", "value_", 1)
            if value in table.columns and len(table):
                above = float((table[bound] - table[value]).max())
                most = most if missing(above) else max(most, above)
    return [f"bounds within {musd(most)}"] if most >= 0.05 else []


def _gap(gap: Any) -> list[str]:
    if gap is None or missing(gap):
        return []
    return [f"gap {share_words(gap)}" if isinstance(gap, int | float) else f"gap {gap}"]


def plan_source(plan: Plan) -> str:
    """`bitfarms_2025, scenario base. Run 0123456789ab, GAP 0.0100% ($0.011M).`"""
    return f"{plan.case.settings.name}, scenario {plan.scenario}. Run {plan.run_id}, {plan.word}."
