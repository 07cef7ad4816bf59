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
    for group in dict.fromkeys(row.group for row in case.grid_groups):
        yield _shared_grid(case, group)
    for s, p in dict.fromkeys((c.site, case.offer[c.offer].product) for c in case.committed_contracts):
        yield _capacity(s, p)


def _grid(site: str, limits: list[float]) -> Rule:
    def loosen(other: Case) -> Case:
        rows = [
            r.model_copy(update={"limit_gross_mw": NO_LIMIT_MW}) if r.site == site else r for r in other.site_limits
        ]
        return other.replace(site_limits=rows)

    said = f"{site} draws no more than its grid limit of {_span(limits)} gross MW"
    return Rule(
        "site_power", site, said, kind_of("site_power"), ("site_power",), lambda index: index[0] == site, loosen
    )


def _shared_grid(case: Case, group: str) -> Rule:
    sites = " and ".join(row.site for row in case.grid_groups if row.group == group)
    span = _span([case.grid_group_limit[group, t] for t in case.horizon])

    def loosen(other: Case) -> Case:
        rows = [
            r.model_copy(update={"limit_gross_mw": NO_LIMIT_MW}) if r.group == group else r
            for r in other.grid_group_limits
        ]
        return other.replace(grid_group_limits=rows)

    said = f"{sites} together draw no more than the {span} gross MW that they share ({group})"
    return Rule(
        "grid_group_power", group, said, kind_of("grid_group_power"), ("grid_group_power",),
        lambda index: index[0] == group, loosen,
    )  # fmt: skip


def _span(limits: list[float]) -> str:
    low, high = min(limits), max(limits)
    return number(low) if low == high else f"{number(low)} to {number(high)}"


def _capacity(s: str, p: str) -> Rule:
    said = f"at {s} no more {p} is delivered than halls in service can serve"
    return Rule("it_capacity", f"{p} at {s}", said, kind_of("it_capacity"), ("it_capacity",),
                lambda index: index[:2] == (s, p))  # fmt: skip
