"""The root of the command line: what stands before a command, and which commands there are."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from optimizer.commands import boards, cases, choosing, comparing, loosening, moving, solving


class Commands(TyperGroup):
    """All commands; a list of them tells the first sentence of each, whole."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(limit=1000)) for name, one in self.commands.items()])


app = typer.Typer(
    name="optimizer",
    cls=Commands,
    help="How many megawatts at each site keep mining, and how many become AI capacity, quarter by quarter.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for subject in (cases, solving, comparing, moving, loosening, choosing, boards):
    app.add_typer(subject.app)


def _tell_version(asked: bool) -> None:
    if asked:
        from optimizer.questions.planner import optimizer_version
        from optimizer.solver import solver_version

        print(f"optimizer {optimizer_version()}, {solver_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Tell the versions and end.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """What stands before a command."""


def help_page() -> str:
    """What `optimizer --help` prints, for a terminal of the usual width."""
    command = typer.main.get_command(app)
    return command.make_context("optimizer", [], resilient_parsing=True, terminal_width=80).get_help() + "\n"
