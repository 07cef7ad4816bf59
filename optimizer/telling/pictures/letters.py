"""Letters in order: A to Z, then AA, AB and so on."""

from __future__ import annotations

import string
from collections.abc import Iterator
from itertools import count, product


def letters() -> Iterator[str]:
    """A, B, ... Z, AA, AB, ... without end."""
    for length in count(1):
        for letter in product(string.ascii_uppercase, repeat=length):
            yield "".join(letter)
