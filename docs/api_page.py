"""The page on the package in a script, from docstrings and from `api_examples.py`; `generate.py` writes it."""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import optimizer

HERE = Path(__file__).parent
GROUPS = {
    "Cases": ("load_case", "Case", "save_case"),
    "Plans": ("solve", "Plan", "save_plan", "load_plan", "audit"),
    "Questions": ("compare", "regret", "explain"),
    "Errors": ("InputError", "Infeasible", "NoPlan", "PlanError"),
}
"""The public names in the order in which a script meets them."""
STUDIES = ("alternatives", "breakevens", "frontier", "prices", "regret", "switching_map", "tornado")
HEAD = """# The package in a script

`import optimizer as opt` gives the names below and no others (`dir(opt)`); a name is imported when it is first used.
Money is $M, power MW, quarters are written `2027Q1`, shares and rates are decimals. The examples are one script,
[api_examples.py](api_examples.py), which a test runs from the project's folder."""
STUDIES_HEAD = """## Studies

Each is a function in a module of its name, `from optimizer.questions.studies.tornado import tornado`, and returns a
`Study`: `title` (the answer in a sentence), `words`, `tables` (DataFrames by name), `unsolved`. What it takes and what
its tables hold stands in its docstring; worked pages are in [studies/](studies/)."""
PROCESSES = """## Several processes

A study solves in the calling process unless its `sweep` has an executor: the processes of this machine (`workers`), any
other `concurrent.futures.Executor`, or a Dask cluster (`Client(address).get_executor()`, with
`pip install .[cluster]`). Processes import the script that starts them, so what it does has to stand under
`if __name__ == "__main__":`, with only imports and functions above; a script without that guard is refused with its
name and line (`WorkerLost`, as where a process dies at its work). `Sweep(executor=pool, folder=Path("answers"))` keeps
every answer on the disk as it lands: killed, the same script goes on with what is missing. This is the example, whole
but for the `case` and the `plan` made above it under the guard."""


def api() -> str:
    """Every public name: its signature, its docstring, and its part of `api_examples.py`."""
    shown = examples()
    parts = [HEAD]
    for group, names in GROUPS.items():
        parts += [f"## {group}", *(_public(name, shown[name]) for name in names)]
    parts += [STUDIES_HEAD, *map(_study, STUDIES), PROCESSES, _script(shown["processes"])]
    return "\n\n".join(parts) + "\n"


def examples() -> dict[str, str]:
    """The parts of `api_examples.py` by the name that each shows."""
    text = (HERE / "api_examples.py").read_text(encoding="utf-8")
    _, *parts = re.split(r"^    # ==== (\w+)\n", text, flags=re.MULTILINE)
    return {name: inspect.cleandoc("\n" + body) for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _public(name: str, example: str) -> str:
    item = resolved(name)
    if inspect.isclass(item):
        members = "\n".join(filter(None, (_member(key, value) for key, value in vars(item).items())))
        told = [_script(f"opt.{name}"), inspect.getdoc(item) or "", members]
    else:
        told = [_script(f"opt.{_signature(item)}"), inspect.getdoc(item) or ""]
    return "\n\n".join(part for part in (f"### `{name}`", *told, _script(example)) if part)


def resolved(name: str) -> Any:
    """A public name's own object: `compare` and `audit` are also modules that can be called."""
    return getattr(import_module(optimizer._PUBLIC[name]), name)


def _member(name: str, value: object) -> str:
    """A method or a property of a class, with the first paragraph of its docstring; fields have none."""
    function: Any = value.func if isinstance(value, cached_property) else getattr(value, "fget", value)
    text = inspect.getdoc(function) if inspect.isfunction(function) else None
    if name.startswith("_") or not text:
        return ""
    told = name if function is not value else _signature(function).partition(" -> ")[0].replace("self, ", "")
    return f"- `{told.replace('(self)', '()')}`: {' '.join(text.partition(PARAGRAPH)[0].split())}"


PARAGRAPH = "\n\n"


def _study(name: str) -> str:
    function = getattr(import_module(f"optimizer.questions.studies.{name}"), name)
    first = (inspect.getdoc(function) or "").partition(PARAGRAPH)[0]
    return PARAGRAPH.join(
        [f"### `optimizer.questions.studies.{name}`", _script(_signature(function)), " ".join(first.split())]
    )


def _signature(function: Any) -> str:
    """`name(...) -> ...` as it is written, a parameter a line where that is long."""
    told = inspect.signature(function)
    parameters = [_parameter(parameter) for parameter in told.parameters.values()]
    kinds = [parameter.kind for parameter in told.parameters.values()]
    if inspect.Parameter.KEYWORD_ONLY in kinds and inspect.Parameter.VAR_POSITIONAL not in kinds:
        parameters.insert(kinds.index(inspect.Parameter.KEYWORD_ONLY), "*")
    gives = str(told.return_annotation).replace("'", "")
    line = f"{function.__name__}({', '.join(parameters)}) -> {gives}"
    if len(line) < 110:
        return line
    return f"{function.__name__}(\n" + "".join(f"    {parameter},\n" for parameter in parameters) + f") -> {gives}"


def _parameter(parameter: inspect.Parameter) -> str:
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    kind = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
    default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
    return f"{stars}{parameter.name}{kind}{default}"


def _script(text: str) -> str:
    return f"```python\n{text}\n```"
