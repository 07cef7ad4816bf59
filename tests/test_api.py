"""The package in a script: what `import optimizer` shows, and the page that shows it."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT

import optimizer as opt


@pytest.fixture(autouse=True)
def docs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))


def test_dir_shows_the_public_names_and_nothing_else() -> None:
    import api_page

    listed = [name for names in api_page.GROUPS.values() for name in names]
    assert dir(opt) == sorted(opt.__all__) == sorted(listed)
    assert 10 <= len(listed) <= 15
    assert all(getattr(opt, name) is not None for name in dir(opt))
    with pytest.raises(AttributeError):
        opt.sovle  # noqa: B018


def test_no_room_hides_a_public_name() -> None:
    """Importing a room sets its name on the package, whatever stood there: a name is a room's or public, never both."""
    rooms = {path.name.removesuffix(".py") for path in (ROOT / "optimizer").iterdir()}
    assert {"auditors", "case", "cli"} <= rooms
    assert not rooms & set(opt.__all__)
    assert not [name for name in dir(opt) if isinstance(getattr(opt, name), ModuleType)]


def test_looking_imports_nothing() -> None:
    code = "import sys, optimizer; dir(optimizer); print([m for m in sys.modules if m.startswith('optimizer')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "['optimizer']\n"


def test_every_public_name_says_what_it_gives_and_has_an_example() -> None:
    import api_page

    examples = api_page.examples()
    assert set(examples) == {*dir(opt), "processes"}
    for name in dir(opt):
        item, uses = api_page.resolved(name), examples[name]
        assert inspect.getdoc(item), name
        assert f"opt.{name}" in uses or name in ("Case", "Plan"), name
        if inspect.isfunction(item) and name != "compare":
            assert "Raises" in inspect.getdoc(item) or "Never raises" in inspect.getdoc(item), name  # type: ignore[operator]


def test_the_examples_run(tmp_path: Path) -> None:
    """As a script of its own, since part of it is spread over processes, in a folder that looks like the project's."""
    (tmp_path / "optimizer").symlink_to(ROOT / "optimizer", target_is_directory=True)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "docs" / "api_examples.py")],
        cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dearer.xlsx").is_file() and (tmp_path / "results" / "mine" / "plan.json").is_file()
