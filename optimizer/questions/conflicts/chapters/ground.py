"""The ground that every plan stands on: grid limits, and halls where a contract is signed."""

from __future__ import annotations

from collections.abc import Iterator

from optimizer.case.case import Case
from optimizer.questions.conflicts.levers import number
from optimizer.questions.conflicts.rule import NO_LIMIT_MW, Rule, kind_of


def ground(case: Case) -> Iterator[Rule]:
    """Grid limits, and capacity where a contract is signed: they explain a conflict, and are on no menu."""
    for site in case.sites:
        yield _grid(site.site, [case.limit_gross_mw[site.site, t] for t in case.horizon])
    for s, p in dict.fromkeys((c.site, case.offer[c.offer].product) for c in case.committed_contracts):
        yield _capacity(s, p)


def _grid(site: str, limits: list[float]) -> Rule:
    low, high = min(limits), max(limits)
    span = number(low) if low == high else f"{number(low)} to {number(high)}"

    def loosen(other: Case) -> Case:
        rows = [
            r.model_copy(update={"limit_gross_mw": NO_LIMIT_MW}) if r.site == site else r for r in other.site_limits
        ]
        return other.replace(site_limits=rows)

    return Rule(
        "site_power", site, f"{site} draws no more than its grid limit of {span} gross MW", kind_of("site_power"),
        ("site_power",), lambda index: index[0] == site, loosen,
    )  # fmt: skip


def _capacity(s: str, p: str) -> Rule:
    said = f"at {s} no more {p} is delivered than halls in service can serve"
    return Rule("it_capacity", f"{p} at {s}", said, kind_of("it_capacity"), ("it_capacity",),
                lambda index: index[:2] == (s, p))  # fmt: skip
