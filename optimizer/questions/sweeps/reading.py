"""What an answer decides: from the vector of a program to decisions and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from optimizer.case.case import Case
from optimizer.case.market import mining_economics
from optimizer.case.terms import make_deal
from optimizer.case.terms.size_tiers import tiers_of
from optimizer.ground.quarters import Quarter
from optimizer.plan.decisions import DECIMALS, TO_THE_END, Decisions, Signing, Start
from optimizer.questions.sweeps.family import Compiled
from optimizer.solver.program import Floats


def decisions_in(case: Case, scenario: str, compiled: Compiled, vector: Floats) -> Decisions:
    """Starts and signings of an answer, commitments included."""
    starts = sorted(_starts(case, compiled, vector))
    signed = sorted(_signings(case, scenario, compiled, vector))
    names = {one.offer for one in signed}
    refused = tuple(row.offer for row in case.offers if row.offer not in names)
    return Decisions(tuple(starts), tuple(signed), refused)


def _starts(case: Case, compiled: Compiled, vector: Floats) -> Iterable[Start]:
    committed: dict[tuple[str, Quarter], int] = {}
    for row in case.committed_starts:
        committed[row.option, row.quarter] = committed.get((row.option, row.quarter), 0) + row.blocks
    states = values_of(compiled, vector, "N")
    started = {key: blocks for key, blocks in committed.items() if key not in states}
    for option in case.options:
        before = sum(blocks for (name, _), blocks in started.items() if name == option.option)
        for key in sorted(key for key in states if key[0] == option.option):
            if round(states[key]) > before:
                started[key] = round(states[key]) - before
            before = round(states[key])
    for (name, t), blocks in started.items():
        option = case.option[name]
        yield Start(
            option.site, name, option.product, str(t), str(t + option.lead_quarters),
            round(blocks * option.block_gross_mw, DECIMALS), blocks,
            round(blocks * case.it_mw_of_block(option), DECIMALS), committed.get((name, t), 0) >= blocks,
        )  # fmt: skip


def _signings(case: Case, scenario: str, compiled: Compiled, vector: Floats) -> Iterable[Signing]:
    for row in case.committed_contracts:
        yield _signing(case, scenario, row.offer, row.site, row.quarter, row.it_mw, 0, committed=True)
    signed, sizes = values_of(compiled, vector, "Y"), values_of(compiled, vector, "Q")
    for key, state in signed.items():
        c, k, s, t = key
        if round(state) > round(signed.get((c, k, s, t - 1), 0.0)):
            before = sizes.get((c, k, s, t - 1), 0.0)
            size = sizes[key] - before if key in sizes else tiers_of(case, case.offer[c])[k][0]
            yield _signing(case, scenario, c, s, t, size, k, committed=False)


def _signing(
    case: Case, scenario: str, offer: str, site: str, delivery: Quarter, it_mw: float, tier: int, *, committed: bool
) -> Signing:
    row = case.offer[offer]
    end = delivery + make_deal(case, scenario, row, site, delivery, tier=tier, committed=committed).length - 1
    return Signing(
        offer, site, str(delivery), round(it_mw, DECIMALS), row.customer, row.product, str(end), committed,
        str(case.sign_by(row)),
    )  # fmt: skip


def mining_in(case: Case, scenario: str, compiled: Compiled, vector: Floats) -> dict[str, str]:
    """The last quarter of mining of each site where an answer mines, as `Decisions.mining` has it."""
    chosen, steps = values_of(compiled, vector, "x"), values_of(compiled, vector, "in_step")
    mined = {key[:4] for key, mw in steps.items() if mw > 10**-DECIMALS}

    def pays(a: str, s: str, t: Quarter) -> bool:
        return mining_economics(case, scenario, s, case.asic[a], t).runs

    running = [*values_of(compiled, vector, "b").items()]
    running += [(key, mw) for key, mw in chosen.items() if (*key, 0) not in steps or key in mined or pays(*key[:3])]
    running += [
        ((a, s, t, scenario), mw)
        for (a, s, t), mw in values_of(compiled, vector, "g").items()
        if (a, s, t, scenario) not in chosen and pays(a, s, t)
    ]
    last: dict[str, Quarter] = {}
    for (_, s, t, _), mw in running:
        if mw > 10**-DECIMALS:
            last[s] = max(t, last.get(s, t))
    return {s: TO_THE_END if t == case.last else str(t) for s, t in sorted(last.items())}


def values_of(compiled: Compiled, vector: Floats, component: str) -> Mapping[tuple[Any, ...], float]:
    """The numbers of a component by index."""
    return {compiled.columns[i][1]: float(vector[i]) for i in compiled.where(component)}
