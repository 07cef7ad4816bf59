"""Who is who: rows there, keys once, names told apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from optimizer.case import schema
from optimizer.case.checks.telling import at
from optimizer.ground.findings import Finding
from optimizer.ground.power import USES

if TYPE_CHECKING:
    from optimizer.case.case import Case

_LATIN = str.maketrans("авекмнорстухіѕјαβεικνορτυχ", "abekmhopctyxisjabeikvoptux")
"""Small Cyrillic and Greek letters that look like Latin ones."""


def required_tables_have_rows(case: Case) -> Iterator[Finding]:
    for row_type in schema.TABLES:
        if row_type.required and not getattr(case, row_type.table):
            yield Finding(f"{row_type.table}.csv", "has no rows", "write at least one")


def keys_are_unique(case: Case) -> Iterator[Finding]:
    for rows in case.every_table:
        seen: dict[tuple[object, ...], schema.Row] = {}
        for row in rows:
            earlier = seen.get(row.identity())
            seen.setdefault(row.identity(), row)
            if earlier is not None:
                where = f"stands already in line {earlier.file_line}" if earlier.file_line else "stands twice"
                yield at(row, where, "keep one", ", ".join(row.key), ", ".join(map(str, row.identity())))


def names_do_not_look_alike(case: Case) -> Iterator[Finding]:
    for rows in case.every_table:
        if not rows or len(rows[0].key) != 1:
            continue
        seen: dict[str, schema.Row] = {}
        for row in rows:
            name = str(row.identity()[0])
            folded = " ".join(unicodedata.normalize("NFKC", name).casefold().translate(_LATIN).split())
            earlier = seen.setdefault(folded, row)
            if earlier is not row and earlier.identity() != row.identity():
                why = f"differs from {str(earlier.identity()[0])!r} only in case, spacing or look-alike letters"
                yield at(row, why, "use one spelling", row.key[0], name)


def one_name_is_one_thing(case: Case) -> Iterator[Finding]:
    """Statements tell flows by the name of what pays them."""
    named = ("asics", "products", "options", "offers", "facilities", "obligations")
    owner: dict[str, str] = {}
    for table in named:
        for row in case.rows(table):
            name = row.name if table == "obligations" else row.identity()[0]
            if owner.setdefault(name, table) != table:
                column = "name" if table == "obligations" else row.key[0]
                yield at(row, f"is a name in {owner[name]}.csv too", "call one of them otherwise", column, name)


RESERVED = ("corporate", *(use.name for use in USES))
"""Names of business lines and of uses of power, which no product may have."""


def product_names_are_free(case: Case) -> Iterator[Finding]:
    for row in case.products:
        if row.product in RESERVED:
            yield at(row, "is a reserved word", "choose another name", "product", row.product)
