"""A study: a question about a plan, answered in sentences and tidy tables, kept as a folder beside it."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.files.folders import fresh_folder, put_in_place, sync_all, write_file, writing
from optimizer.ground.errors import HouseFault, PlanError
from optimizer.plan.texts import table_text, unquoted

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Kind:
    """One kind of study: what it asks, its heading on a page, and whether a deck has a slide on it.

    Its picture stands in `telling/pictures/gallery.py`, its tables on a page in `SHOWN` of `telling/board/page/
    studies.py`, its slide in `telling/board/deck/study_slides.py`. A kind without a heading is told where plans are
    compared.
    """

    words: str
    heading: str = ""
    in_deck: bool = False


KINDS = {
    "tornado": Kind(
        "each driver low and high, with and without deciding again", "What moves the value most", in_deck=True
    ),
    "breakevens": Kind(
        "what would have to be true for another decision", "What would change the decision", in_deck=True
    ),
    "map": Kind("the winning decision over two inputs", "Which decision wins where"),
    "frontier": Kind("value against the capex budget", "Value against the budget", in_deck=True),
    "alternatives": Kind("plans almost as good that decide otherwise", "Other plans almost as good", in_deck=True),
    "regret": Kind("every plan under every scenario", "Plans under other scenarios", in_deck=True),
    "prices": Kind("what the rules cost: a little more of each, by dual and by solving again", "What the rules cost"),
    "bridge": Kind("the difference in value to another plan, by groups of inputs"),
}

STUDY = "study.json"
NUMERIC = re.compile(
    r"number|x|y|low|base|high|below|above|change|limit|plans|share|.*(_mw|musd|_usd|blocks|_share|_btc|per_unit)"
)
"""Columns of study tables that hold numbers; all others hold text."""


def refuse_unknown_kind(kind: str) -> None:
    """A kind that stands in no list would be told by no page and no deck. Raises HouseFault."""
    if kind not in KINDS:
        raise HouseFault(f"{kind!r} is no kind of study before it stands in KINDS of questions/studies/study.py.")


@dataclass(frozen=True)
class Study:
    """One question answered.

    `title` is the answer in a full sentence with its number; `words` are further sentences. `tables` are tidy
    DataFrames (one observation a row, the unit in the column's name, money in $M). `about` says what the answer stands
    on: case, scenario, run id of the plan, gap, and the settings of the study.
    """

    kind: str
    title: str
    words: tuple[str, ...]
    tables: Mapping[str, pd.DataFrame]
    about: Mapping[str, Any] = field(default_factory=dict)
    unsolved: tuple[str, ...] = ()
    """What was asked and came to no answer, each beginning with `out of time` or `not solved`."""

    def record(self) -> dict[str, Any]:
        """What `study.json` holds."""
        return {
            "kind": self.kind, "title": self.title, "words": list(self.words), "about": dict(self.about),
            "tables": list(self.tables), "unsolved": list(self.unsolved),
        }  # fmt: skip


OLDER = "not solved: this study was made before it was written down whether all of it is"
MOST_NAMED = 6


def as_far_as_solved(study: Study, unsolved: Sequence[str]) -> Study:
    """The study; where something came to no answer, one that says this before all else, and instead of a finding."""
    if not unsolved:
        return study
    open_ones = list(dict.fromkeys(unsolved))
    more = [f"and {len(open_ones) - MOST_NAMED} more"] if len(open_ones) > MOST_NAMED else []
    words = (
        f"Unanswered: {'; '.join([*open_ones[:MOST_NAMED], *more])}. The same command tries these again and keeps what "
        "was solved; only of that the rest is told here."
    )
    return replace(study, title=_unfinished(unsolved), words=(words, *study.words), unsolved=tuple(open_ones))


def _unfinished(unsolved: Sequence[str]) -> str:
    """`Unfinished: 2 answers are out of time, 1 answer is not solved.`"""
    counts = {word: sum(one.startswith(word) for one in unsolved) for word in ("out of time", "not solved")}
    told = [f"{n} answer{' is' if n == 1 else 's are'} {word}" for word, n in counts.items() if n]
    return f"Unfinished: {', '.join(told)}."


def save_study(study: Study, folder: str | Path) -> Path:
    """Write `study.json` and each table as CSV, whole or not at all; what else lies in the folder stays.

    Pictures of an earlier study of the kind go, as they would show another one. Raises PlanError.
    """
    refuse_unknown_kind(study.kind)
    for name, table in study.tables.items():
        _refuse_misread(name, table)
    folder = Path(folder)
    texts = {f"{name}.csv": table_text(table) for name, table in study.tables.items()}
    texts[STUDY] = json.dumps(study.record(), indent=2, allow_nan=False) + "\n"
    pictures = {f"{study.kind}.{ending}" for ending in ("svg", "png")}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with writing(folder):
            fresh = fresh_folder(folder)
            try:
                for name, text in texts.items():
                    write_file(fresh / name, text.encode())
                sync_all(fresh / name for name in texts)
                put_in_place(fresh, folder, (texts.keys() | pictures).__contains__)
            finally:
                shutil.rmtree(fresh, ignore_errors=True)
    except OSError as error:
        raise PlanError(f"{folder} cannot be written: {error.strerror}.") from None
    return folder


def _refuse_misread(name: str, table: pd.DataFrame) -> None:
    """Numbers under a name that is read back as text would come back as text. Raises HouseFault."""
    for column in table.columns:
        if table[column].dtype.kind in "iuf" and not NUMERIC.fullmatch(str(column)):
            raise HouseFault(f"{name}.{column} holds numbers, and NUMERIC of {__name__} would read them as text.")


def is_kept(folder: str | Path) -> bool:
    """Whether a study lies in a folder; one that was killed leaves answers there and no study yet."""
    return (Path(folder) / STUDY).is_file()


def load_study(folder: str | Path) -> Study:
    """Read a study back. Raises PlanError where there is none.

    One of an older version may hold an interrupt as an answer: it is not taken to be whole.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / STUDY).read_text(encoding="utf-8"))
        tables = {name: _table((folder / f"{name}.csv").read_bytes().decode()) for name in record["tables"]}
        unsolved = tuple(record.get("unsolved", [OLDER]))
        return Study(record["kind"], record["title"], tuple(record["words"]), tables, record["about"], unsolved)
    except (OSError, ValueError, KeyError) as error:
        raise PlanError(f"{folder} is not a study ({error}).") from None


def _table(text: str) -> pd.DataFrame:
    """A table with numbers where a whole column holds numbers or blanks, and texts as they were written."""
    import pandas as pd

    table = pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False, index_col=False)
    for column in table.columns:
        if NUMERIC.fullmatch(column):
            table[column] = table[column].where(table[column] != "", "nan").astype(float)
        else:
            table[column] = table[column].map(unquoted)
    return table
