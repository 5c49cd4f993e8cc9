"""`royalty policies`: the shipped policies, and their files to start from."""

from __future__ import annotations

from typing import Annotated

import typer

from royaltycli.cli import completion

EXAMPLES = """[b]Examples[/b]

[cyan]royalty policies[/cyan]  # what there is

[cyan]royalty policies flat-plus-percentage > mine.toml[/cyan]  # a copy to change"""


def policies(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="The policy to print.", show_default="a list", autocompletion=completion.policies
        ),
    ] = None,
) -> None:
    """List the policies that are shipped, each with its source and date; or print the file of one.

    A policy is a small TOML file: see docs/policies.md.
    """
    from royaltycli.cli import console
    from royaltycli.cli.results import deliver_written
    from royaltycli.policies import shipped, text_of

    if name is not None:
        data = text_of(name).encode()
        deliver_written(lambda file: file.write(data), "toml", None)
        return
    console.show_policies(shipped())
