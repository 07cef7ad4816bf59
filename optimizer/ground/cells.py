"""The grammar of one cell: text in, typed value out, or a sentence that says what was expected."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, datetime
from numbers import Real
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from optimizer.ground.quarters import Quarter

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a cell begins with that a spreadsheet takes for a formula, full-width forms included."""
_MONTH = "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_MANGLED = re.compile(
    rf"\d{{1,2}}-{_MONTH}(-\d{{2,4}})?|{_MONTH}-\d{{2}}|\d{{1,2}}/\d{{1,2}}/\d{{4}}"
    r"|\d{4}-\d{2}-\d{2}( 00:00:00)?|\d\.\d+E[+-]\d+",
    re.ASCII,
)
"""A name that a spreadsheet has turned into a date or a number: `MAR-1`, `1E5`."""
_FOLDER_NAME = re.compile(r"[\w .-]{1,80}")
LONGEST_NAME = 100
LARGEST_NUMBER = 1e13


def _filled(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value):
        raise ValueError("is blank, and a blank is not a value; write one")
    for character in value if isinstance(value, str) else "":
        if unicodedata.category(character) in _INVISIBLE or _is_noncharacter(character):
            raise ValueError(f"holds the invisible character U+{ord(character):04X}; retype the cell")
    return value


def _is_noncharacter(character: str) -> bool:
    """Code points that Unicode keeps out of text, and XML with it."""
    return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF


def parse_number(value: Any) -> float:
    """A plain or exponent decimal with a point; no thousands separators, signs of currency, percent, nan or inf."""
    _filled(value)
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise ValueError(f"is not a number; write it plainly, like 1250 or 0.12{_number_hint(value)}")
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError("is not a number; write it plainly, like 1250 or 0.12")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or abs(number) > LARGEST_NUMBER:
        raise ValueError("is not a finite number of sensible size; write it plainly, like 1250 or 0.12")
    return number


def _number_hint(text: str) -> str:
    if any(ch.isdigit() and not ch.isascii() for ch in text) or "−" in text:
        return " (it holds digits or a minus sign that are not ASCII)"
    if text.endswith("%"):
        return " (a percentage is written as a share: 12% is 0.12)"
    if re.fullmatch(r"-?\d+,\d{1,2}", text):
        return " (it looks like a decimal comma)"
    if "," in text or " " in text:
        return " (without thousands separators)"
    return ""


def parse_whole(value: Any) -> int:
    """A whole number; 3.0 counts, 2.5 does not."""
    number = parse_number(value)
    if not number.is_integer():
        raise ValueError("is not a whole number; write one, like 3")
    return int(number)


def parse_yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("yes", "no"):
        raise ValueError("is neither yes nor no; write yes or no")
    return bool(value == "yes")


def parse_quarter(value: Any) -> Quarter:
    if isinstance(value, Quarter):
        return value
    _filled(value)
    if not isinstance(value, str):
        raise ValueError("is not a quarter; write it like 2027Q1")
    return Quarter.parse(value)


def parse_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    _filled(value)
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError("is not a date; write it like 2028-04-12")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("is no day of the calendar; write it like 2028-04-12") from None


def parse_text(value: Any) -> str:
    text = _filled(value.strip() if isinstance(value, str) else value)
    if not isinstance(text, str):
        raise ValueError("is not text; put it in quotes")
    if text.startswith(_FORMULA):
        raise ValueError(f"begins with {text[0]!r}, which a spreadsheet takes for a formula; begin with a letter")
    return unicodedata.normalize("NFC", text)


def parse_name(value: Any) -> str:
    name = parse_text(value)
    if len(name) > LONGEST_NAME:
        raise ValueError(f"is longer than {LONGEST_NAME} characters; shorten it")
    if _MANGLED.fullmatch(name):
        raise ValueError("looks like a name that a spreadsheet made a date or a number of; write the name as text")
    if name == "*":
        raise ValueError("is reserved (it means all); choose another name")
    return name


def parse_folder_name(value: Any) -> str:
    name = parse_name(value)
    if not _FOLDER_NAME.fullmatch(name) or not name.strip("."):
        raise ValueError("names a folder; write letters, digits, spaces, points, _ and -, at most 80 of them")
    return name


def _blank_to_none(value: Any) -> Any:
    return None if value == "" else value


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"


Number = Annotated[float, BeforeValidator(parse_number)]
Whole = Annotated[int, BeforeValidator(parse_whole)]
YesNo = Annotated[bool, BeforeValidator(parse_yes_no), PlainSerializer(_yes_no)]
QuarterCell = Annotated[Quarter, BeforeValidator(parse_quarter), PlainSerializer(str)]
DateCell = Annotated[date, BeforeValidator(parse_date), PlainSerializer(str)]
Name = Annotated[str, BeforeValidator(parse_name)]
FolderName = Annotated[str, BeforeValidator(parse_folder_name)]
Text = Annotated[str, BeforeValidator(parse_text)]
Maybe = BeforeValidator(_blank_to_none)
