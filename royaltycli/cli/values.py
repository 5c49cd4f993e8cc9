"""Values of options that cannot be, told in the words of this program where typer's are those of its libraries."""

from __future__ import annotations

import difflib
import re
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

CHOICES = re.compile(r"(?:Value error, )?(?P<value>(['\"]).*\2) is not one of (?P<known>'.*')\.?", re.DOTALL)
INTEGER = re.compile(r"Input should be a valid integer.*|Unable to parse input string as an integer.*")

TOKENS = ("--tokens", "-t")
BASIS = ("--basis", "--blend")


class Commands(TyperGroup):
    """The commands, which end with our own words for a value that cannot be."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was typed. Raises typer's own errors."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = in_our_words(error.message)
            raise
        except Exception as error:
            if getattr(error, "option_name", None) in TOKENS:
                _tell_the_place_of_tokens(error)
            elif getattr(error, "option_name", None) in BASIS:
                _tell_the_place_of_a_basis(error)
            raise


class OneCommand(TyperCommand):
    """A command that takes no empty text for a value: a path of it would be the folder here."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read what was typed. Raises typer's own errors."""
        typed, _, _ = self.make_parser(ctx).parse_args(list(args))
        parameters: list[Any] = self.get_params(ctx)
        for one in parameters:
            value = typed.get(one.name)
            is_empty = value == "" or (isinstance(value, list | tuple) and "" in value)
            if is_empty and not ctx.resilient_parsing:
                raise typer.BadParameter("it is empty; write what you mean, or leave it out", ctx, one)
        return super().parse_args(ctx, args)


def _tell_the_place_of_tokens(error: Any) -> None:
    """Some commands have the token table as an option, others as their argument: those say so, not what looks alike."""
    if any(one.name == "tokens" and one.param_type_name == "argument" for one in error.ctx.command.params):
        error.message = f"No such option: {error.option_name}; name the token table without it, as TOKENS"
        error.possibilities = None


def _tell_the_place_of_a_basis(error: Any) -> None:
    """Some commands take what shares go by from a policy alone: those say so, not what looks alike."""
    if any(one.name in ("policy", "policies") for one in error.ctx.command.params):
        lines = '[basis], seen_tokens = "50%" and usage = "50%"'
        error.message = f"No such option: {error.option_name}; name a policy, such as a file of the lines {lines}"
        error.possibilities = None


def in_our_words(message: str) -> str:
    """What a message of typer says of a value; of one that it may say in whatever version, itself."""
    if INTEGER.fullmatch(message):
        return "it must be a whole number"
    found = CHOICES.fullmatch(message)
    if found is None:
        return message
    known = re.findall(r"'([^']*)'", found["known"])
    near = difflib.get_close_matches(found["value"][1:-1].lower(), known, n=1)
    mend = f"; did you mean {near[0]}?" if near else ""
    return f"{found['value']} is none of {', '.join(known)}{mend}"
