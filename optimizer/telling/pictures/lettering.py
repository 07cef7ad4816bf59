"""Letters on a picture: texts made safe, measured, cut and wrapped; numbers as they are shown."""

from __future__ import annotations

import math
import string
import unicodedata
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, product
from typing import Any

from matplotlib.font_manager import FontProperties, fontManager, get_font
from matplotlib.textpath import TextToPath

OWN_FAMILY = "DejaVu Sans"
"""Comes with matplotlib, so pictures are the same on every machine; it holds Latin, Greek, Cyrillic, Arabic, Hebrew."""

OTHER_FAMILIES = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "PingFang SC", "Hiragino Sans", "Microsoft YaHei",
    "Arial Unicode MS", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Thai", "Nirmala UI",
)  # fmt: skip
"""Asked, where they are installed, for letters that the own family lacks."""

_TURNING = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


# ---- texts ----------------------------------------------------------------------------------------------------------


def plain(text: object) -> str:
    """A text on one line: without control characters, without marks that turn the direction of what follows.

    Where there is no text (None, NaN) it is empty.
    """
    if missing(text):
        return ""
    kept = (" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in str(text).translate(_TURNING))
    return " ".join("".join(c for c in kept if unicodedata.category(c) not in ("Cs", "Cn")).split())


def first_said(*texts: object) -> str:
    """The first of some texts that says anything; empty where none does."""
    return next((said for text in texts if (said := plain(text))), "")


@lru_cache(maxsize=1)
def _own_letters() -> frozenset[int]:
    return frozenset(get_font(fontManager.findfont(OWN_FAMILY)).get_charmap())


@lru_cache(maxsize=1)
def _installed() -> tuple[str, ...]:
    known = {font.name for font in fontManager.ttflist}
    return tuple(name for name in OTHER_FAMILIES if name in known)


def families(text: str) -> list[str]:
    """The font families for a text: the own one, and others only where it lacks a letter."""
    lacking = any(ord(c) not in _own_letters() for c in text)
    return [OWN_FAMILY, *_installed()] if lacking else [OWN_FAMILY]


@lru_cache(maxsize=20_000)
def width_in(text: str, size: float = 8.0, bold: bool = False) -> float:
    """How wide a text is, in inches, at a size in points."""
    font = FontProperties(family=families(text), size=size, weight="bold" if bold else "normal")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that no installed font has is drawn as a box
        return float(TextToPath().get_text_width_height_descent(text, font, False)[0]) / 72 if text else 0.0


def cut(text: object, room_in: float, size: float = 8.0, bold: bool = False) -> str:
    """A text that fits into so many inches, cut with an ellipsis where it must be."""
    text = plain(text)
    if width_in(text, size, bold) <= room_in:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width_in(text[:middle] + "…", size, bold) <= room_in else (low, middle - 1)
    return _whole_letters(text[:low], text[low:]) + "…"


def _whole_letters(kept: str, rest: str) -> str:
    """Not between a letter and its marks, nor after a joiner."""
    while kept and rest and (unicodedata.combining(rest[0]) or rest[0] == "\u200d" or kept[-1] == "\u200d"):
        kept, rest = kept[:-1], kept[-1] + rest
    return kept.rstrip(" ,;:-")


def wrap(text: object, room_in: float, lines: int, size: float = 8.0, bold: bool = False) -> list[str]:
    """A text in at most so many lines of so many inches, about equally long; what does not fit is cut."""
    text = plain(text)
    wrapped = _fill(text, room_in, lines, size, bold)
    narrow = room_in
    for _ in range(40):
        narrow *= 0.97
        tried = _fill(text, narrow, lines + 1, size, bold)
        if len(wrapped) == 1 or len(tried) > len(wrapped) or any(width_in(line, size, bold) > narrow for line in tried):
            break
        wrapped = tried
    return [cut(line, room_in, size, bold) for line in wrapped]


def _fill(text: str, room_in: float, lines: int, size: float, bold: bool) -> list[str]:
    """Word after word, each line as full as it gets; the last line takes what is left."""
    words, wrapped = text.split(" "), [""]
    for i, word in enumerate(words):
        longer = f"{wrapped[-1]} {word}".strip()
        if width_in(longer, size, bold) <= room_in or not wrapped[-1]:
            wrapped[-1] = longer
        elif len(wrapped) < lines:
            wrapped.append(word)
        else:
            wrapped[-1] += " " + " ".join(words[i:])
            break
    return wrapped


# ---- numbers --------------------------------------------------------------------------------------------------------


def missing(amount: Any) -> bool:
    return amount is None or (isinstance(amount, float) and not math.isfinite(amount))


def musd(amount: Any) -> str:
    """`$412.3M`, `-$3.0M`; `none` where there is no number."""
    if missing(amount):
        return "none"
    return f"{'-' if amount < -0.05 else ''}${abs(amount):,.1f}M"


def signed_musd(amount: Any) -> str:
    """`+$14.2M`; zero has no sign."""
    return musd(amount) if missing(amount) or amount < 0.05 else f"+{musd(amount)}"


def tenths(amount: Any, sign: str = "") -> str:
    """`1,412.3`, where the column says $M; with the sign `+`, `+14.2`. Zero has no sign."""
    if missing(amount):
        return "none"
    return f"{amount:{sign},.1f}" if abs(amount) >= 0.05 else "0.0"


def number(amount: Any) -> str:
    """`47.25`, `1,250,000`: four digits of what is small, whole numbers of what is large."""
    if missing(amount):
        return "none"
    return f"{amount:,.0f}" if abs(amount) >= 1000 else f"{amount + 0.0:.4g}"


def with_unit(amount: Any, unit: object) -> str:
    """`$61.2 /PH/day` of a unit that begins with a currency, `24 MW` of any other."""
    unit = plain(unit)
    if missing(amount) or not unit:
        return number(amount)
    if unit.startswith("$"):
        return f"{'-' if amount < 0 else ''}${number(abs(amount))}{unit[1:]}"
    return f"{number(amount)}{'' if unit == '%' else ' '}{unit}"


def letters() -> Iterator[str]:
    """A, B, ... Z, AA, AB, ... without end."""
    for length in count(1):
        for letter in product(string.ascii_uppercase, repeat=length):
            yield "".join(letter)
