"""The rules of the model as sentences: what a rule says, and who could change it, from its docstring."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from optimizer.business import machines, ratchets, rules, ties
from optimizer.business.company import debt, lenders, tax, treasury
from optimizer.business.uses import contracts, halls, mining, spot

ROOMS = (rules, machines, ratchets, contracts, halls, mining, spot, debt, lenders, tax, ties, treasury)


@cache
def sentence_of(component: str) -> str:
    """The first sentence of a rule, without its full stop; the component's name where it is no rule."""
    doc = _doc(component)
    return doc.partition("\n")[0].rstrip(".") if doc else component.replace("_", " ")


@cache
def kind_of(component: str) -> str:
    """`negotiable` or `physical`, as the rule's docstring says it; physical where it says nothing."""
    found = re.search(r"^Kind: (physical|negotiable)$", _doc(component), re.MULTILINE)
    return found[1] if found else "physical"


def _doc(component: str) -> str:
    found: Callable[..., Any] | None = next(
        (getattr(room, component) for room in ROOMS if inspect.isfunction(getattr(room, component, None))), None
    )
    return inspect.getdoc(found) or "" if found else ""


def told_clash(why: str) -> str:
    """Why a program has no plan, in one line: the sentences of the rules that clash, where the solver names them."""
    rows = re.findall(r"\((\w+)(?:\[([^\]]*)\])?", why)
    said = [f"{sentence_of(name)[:1].lower()}{sentence_of(name)[1:]}" for name, _ in rows if _doc(name)]
    if "No plan keeps every rule" not in why:
        return " ".join(why.split())
    told = "; ".join(dict.fromkeys(said))
    return f"no plan keeps every rule ({told})" if told else "no plan keeps every rule"
