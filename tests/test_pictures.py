"""Pictures: of every kind of study and of a plan, whole for usual and for nasty tables, the same bytes each time."""

from __future__ import annotations

import pytest
from pictured_studies import USUAL

from optimizer.pictures import picture_of, save_picture


@pytest.mark.parametrize("kind", USUAL)
def test_every_kind_is_drawn_the_same_each_time(kind, tmp_path) -> None:
    study = USUAL[kind]()
    for name in ("one", "two"):
        save_picture(picture_of(study), tmp_path / name)
    for suffix in ("svg", "png"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    assert "<text" in (tmp_path / "one.svg").read_text("utf-8")
