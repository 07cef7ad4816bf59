"""What a plan decides, as things that can be compared and told in words. Knows no solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from optimizer.case.schema import MINING

if TYPE_CHECKING:
    import pandas as pd

    from optimizer.case.case import Case
    from optimizer.plan.plan import Plan

DECIMALS = 6
"""Megawatts are the same when they agree to a watt."""
TOLD_MUSD = 0.05
"""Debt that differs by less is not told."""
TO_THE_END = "the end of the horizon"


@dataclass(frozen=True, order=True)
class Start:
    """Blocks of one option whose construction starts in one quarter, those committed and new ones together."""

    site: str
    option: str
    product: str
    quarter: str
    service_quarter: str
    gross_mw: float
    blocks: int = field(compare=False)
    it_mw: float = field(compare=False)
    committed: bool = field(compare=False)

    @property
    def key(self) -> str:
        """A name for this decision, the same in every plan that takes it."""
        return f"start {self.option} {self.quarter} {self.gross_mw:g}"

    @property
    def words(self) -> str:
        decided = " (committed)" if self.committed else ""
        return (
            f"{self.site}: {self.gross_mw:g} gross MW ({self.it_mw:.1f} IT) become {self.product}, "
            f"start {self.quarter}, in service {self.service_quarter}{decided}"
        )


@dataclass(frozen=True, order=True)
class Signing:
    """A signed offer: where, how much, and from which quarter to which."""

    offer: str
    site: str
    delivery: str
    it_mw: float
    customer: str = field(compare=False)
    product: str = field(compare=False)
    end: str = field(compare=False)
    committed: bool = field(compare=False)
    sign_by: str = field(compare=False, default="")
    """The last quarter in which the offer can be accepted."""

    @property
    def key(self) -> str:
        """A name for this decision, the same in every plan that takes it."""
        return f"sign {self.offer} {self.site} {self.delivery} {self.it_mw:g}"

    @property
    def words(self) -> str:
        by = " (committed)" if self.committed else f", sign by {self.sign_by}" if self.sign_by else ""
        return f"offer {self.offer} signed: {self.customer}, {self.contract} to {self.end}{by}"

    @property
    def contract(self) -> str:
        return f"{_mw(self.it_mw)} IT MW {self.product} at {self.site} from {self.delivery}"


@dataclass(frozen=True)
class Decisions:
    """The decisions of a plan. Two are equal, and have the same hash, when starts and contracts are the same.

    `refused` are the offers that were on the table and not signed. `mining` is the last quarter of mining of each site
    that mines, `machines` the gross MW bought, moved and sold by class, `refreshed` the blocks whose GPUs are replaced
    by option and quarter, `drawn` the debt drawn by facility, $M.
    """

    starts: tuple[Start, ...]
    signed: tuple[Signing, ...]
    refused: tuple[str, ...] = field(default=(), compare=False)
    mining: Mapping[str, str] = field(default_factory=dict, compare=False)
    machines: Mapping[tuple[str, str], float] = field(default_factory=dict, compare=False)
    refreshed: Mapping[tuple[str, str], float] = field(default_factory=dict, compare=False)
    drawn: Mapping[str, float] = field(default_factory=dict, compare=False)

    def each(self) -> dict[str, str]:
        """Every start and every signing: key -> words."""
        both: tuple[Start | Signing, ...] = (*self.starts, *self.signed)
        return {one.key: one.words for one in both}

    def words(self) -> tuple[str, ...]:
        """Starts and signings in full sentences."""
        return tuple(self.each().values()) or ("nothing is started and nothing signed",)

    def short(self) -> str:
        """The same in one line: megawatts by site and product, and how many contracts."""
        built: dict[tuple[str, str], float] = {}
        for start in self.starts:
            built[start.site, start.product] = built.get((start.site, start.product), 0.0) + start.gross_mw
        halls = [f"{site} {mw:g} MW {product}" for (site, product), mw in built.items()]
        contracts = f"{len(self.signed)} contract{'' if len(self.signed) == 1 else 's'}"
        return "; ".join([*halls, contracts]) if halls or self.signed else "no conversion"


# ---- reading ------------------------------------------------------------------------------------------------------


def decisions_of(plan: Plan) -> Decisions:
    """The decisions of a plan."""
    return read_decisions(plan.case, plan.tables)


def read_decisions(case: Case, tables: Mapping[str, pd.DataFrame]) -> Decisions:
    """The decisions that the tables of a plan hold."""
    signed = tuple(sorted(_signings(tables["contracts"])))
    names = {one.offer for one in signed}
    return Decisions(
        starts=tuple(sorted(_starts(tables["starts"]))),
        signed=signed,
        refused=tuple(row.offer for row in case.offers if row.offer not in names),
        mining=_mining(tables["allocation"], str(case.last)),
        machines=_machines(tables["machines"]),
        refreshed=_totals(tables["refreshes"], ["option", "refresh_quarter"], "blocks"),
        drawn=_totals(tables["debt"], ["facility"], "draws_musd"),
    )


def _starts(table: pd.DataFrame) -> Iterable[Start]:
    keys = ["site", "option", "product", "start_quarter", "service_quarter"]
    for (site, option, product, quarter, service), rows in table.groupby(keys, sort=False):
        yield Start(
            site, option, product, quarter, service, round(float(rows["gross_mw"].sum()), DECIMALS),
            round(rows["blocks"].sum()), round(float(rows["it_mw"].sum()), DECIMALS),
            bool((rows["decided"] == "committed").all()),
        )  # fmt: skip


def _signings(table: pd.DataFrame) -> Iterable[Signing]:
    for row in table.itertuples():
        yield Signing(
            row.offer, row.site, row.delivery_quarter, round(row.it_mw, DECIMALS), row.customer, row.product,
            row.end_quarter, row.decided == "committed", row.sign_by_quarter,
        )  # fmt: skip


def _mining(table: pd.DataFrame, last: str) -> dict[str, str]:
    mined = table[(table["use"] == MINING) & (table["gross_mw"] > 10**-DECIMALS)]
    ends = mined.groupby("site", sort=False)["quarter"].max()
    return {str(site): TO_THE_END if end == last else str(end) for site, end in ends.items()}


def _machines(table: pd.DataFrame) -> dict[tuple[str, str], float]:
    done = {"bought": "bought_gross_mw", "moved": "moved_away_gross_mw", "sold": "sold_gross_mw"}
    return {(asic, what): mw for what, column in done.items() for asic, mw in _totals(table, ["asic"], column).items()}


def _totals(table: pd.DataFrame, keys: list[str], column: str) -> dict[Any, float]:
    """Sums of a column that are not zero, by one key or by a tuple of keys."""
    sums = table.groupby(keys[0] if len(keys) == 1 else keys, sort=False)[column].sum().round(DECIMALS)
    return {key: float(total) for key, total in sums.items() if total}


# ---- comparing ----------------------------------------------------------------------------------------------------


def moved(a: Decisions, b: Decisions) -> list[str]:
    """What is decided otherwise in `b` than in `a`, a sentence each; none where nothing is."""
    return [
        *_moved_starts(a, b),
        *_moved_contracts(a, b),
        *_moved_mining(a, b),
        *_moved_amounts(a.refreshed, b.refreshed, _refresh_words),
        *_moved_amounts(a.machines, b.machines, _machine_words),
        *_moved_amounts(a.drawn, b.drawn, _draw_words, TOLD_MUSD),
    ]


def _moved_starts(a: Decisions, b: Decisions) -> Iterable[str]:
    options = dict.fromkeys(start.option for start in sorted([*a.starts, *b.starts]))
    for option in options:
        yield from _moved_blocks(
            [start for start in a.starts if start.option == option],
            [start for start in b.starts if start.option == option],
        )


def _moved_blocks(before: list[Start], after: list[Start]) -> Iterable[str]:
    """Megawatts of one option: those started in the same quarter stay, the rest are paired in the order of time."""
    was, now = _without_the_same(before, after), _without_the_same(after, before)
    while was and now:
        (old, left), (new, more) = was.pop(0), now.pop(0)
        mw = min(left, more)
        yield _slip_words(old, new, mw)
        was = _with_rest(old, left - mw, was)
        now = _with_rest(new, more - mw, now)
    yield from (f"{s.site}: {_mw(mw)} gross MW {s.product} not started (was {s.quarter})" for s, mw in was)
    for s, mw in now:
        yield f"{s.site}: {_mw(mw)} gross MW {s.product} more, start {s.quarter}, in service {s.service_quarter}"


def _with_rest(start: Start, rest: float, queue: list[tuple[Start, float]]) -> list[tuple[Start, float]]:
    rest = round(rest, DECIMALS)
    return [(start, rest), *queue] if rest > 0 else queue


def _without_the_same(starts: list[Start], others: list[Start]) -> list[tuple[Start, float]]:
    """Starts with the MW that no other start of the same quarters matches."""
    same = {(other.quarter, other.service_quarter): other.gross_mw for other in others}
    left = [
        (start, round(start.gross_mw - same.get((start.quarter, start.service_quarter), 0.0), DECIMALS))
        for start in starts
    ]
    return [(start, mw) for start, mw in left if mw > 0]


def _slip_words(was: Start, now: Start, mw: float) -> str:
    service = f"in service {was.service_quarter} -> {now.service_quarter}"
    what = f"{now.site}: {_mw(mw)} gross MW {now.product}"
    if was.quarter == now.quarter:
        return f"{what}, start {now.quarter} as before, {service}"
    verb = "slips" if was.quarter < now.quarter else "comes forward"
    decided = ", committed by now" if now.committed and not was.committed else ""
    return f"{what} {verb} {was.quarter} -> {now.quarter} ({service}{decided})"


def _moved_contracts(a: Decisions, b: Decisions) -> Iterable[str]:
    was, now = ({one.offer: one for one in part.signed} for part in (a, b))
    for offer in sorted(was.keys() | now.keys()):
        if offer not in now:
            verb = "refused" if offer in b.refused else "no longer on the table"
            yield f"offer {offer} {verb} (was {was[offer].contract})"
        elif offer not in was:
            new = "" if offer in a.refused else ", not on the table before,"
            yield f"offer {offer}{new} signed: {now[offer].contract}"
        elif was[offer] != now[offer]:
            yield f"offer {offer}: {_changed_contract(was[offer], now[offer])}"


def _changed_contract(was: Signing, now: Signing) -> str:
    parts = []
    if was.site != now.site:
        parts.append(f"at {now.site} instead of {was.site}")
    if was.it_mw != now.it_mw:
        parts.append(f"{_mw(was.it_mw)} -> {_mw(now.it_mw)} IT MW")
    if was.delivery != now.delivery:
        parts.append(f"delivered from {was.delivery} -> {now.delivery}")
    return ", ".join(parts)


def _moved_mining(a: Decisions, b: Decisions) -> Iterable[str]:
    for site in dict.fromkeys([*a.mining, *b.mining]):
        was, now = a.mining.get(site), b.mining.get(site)
        if was != now:
            end = "does not mine" if now is None else f"mines to {now}"
            yield f"{site} {end} ({'did not mine' if was is None else f'was to {was}'})"


def _moved_amounts(
    a: Mapping[Any, float], b: Mapping[Any, float], words: Any, room: float = 10**-DECIMALS
) -> Iterable[str]:
    for key in dict.fromkeys([*a, *b]):
        was, now = a.get(key, 0.0), b.get(key, 0.0)
        if abs(was - now) > room:
            yield words(key, was, now)


def _refresh_words(key: tuple[str, str], was: float, now: float) -> str:
    return f"{key[0]}: GPUs of {now:g} blocks replaced in {key[1]} (was {was:g})"


def _machine_words(key: tuple[str, str], was: float, now: float) -> str:
    return f"{key[0]} machines: {_mw(now)} gross MW {key[1]} (was {_mw(was)})"


def _draw_words(key: str, was: float, now: float) -> str:
    return f"{key}: ${now:,.1f}M drawn (was ${was:,.1f}M)"


def _mw(megawatts: float) -> str:
    return f"{round(megawatts, 2):g}"
