"""What a site's power is used for: the names, their order, their words and their looks, which every room asks."""

from __future__ import annotations

from dataclasses import dataclass

MINING, IDLE, BUILDING, UNUSED = "mining", "machines_idle", "construction", "unused"


@dataclass(frozen=True)
class Use:
    """One use of power: its name in `allocation`, what it is called, what a bar of it says, and its look.

    `look` is a colour role, with a number where several uses share a kind: `product 0`, `product 1`, ... by the order
    of the case's products, `other 0`, ... for uses that have no role of their own. `named` uses go by a name of the
    plan rather than by words of ours.
    """

    name: str
    words: str
    verb: str
    look: str
    named: bool = False

    @property
    def number(self) -> int:
        """Which of the uses of its kind it is."""
        return int(self.look.split()[1]) if " " in self.look else 0


USES = (
    Use(MINING, "mining", "mines", "mining"),
    Use(IDLE, "machines idle", "idle", "idle"),
    Use(BUILDING, "under construction", "handed over", "building"),
    Use(UNUSED, "unused", "unused", "unused"),
)
"""Every use but the products of a case, which stand before the unused."""
