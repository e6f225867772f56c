"""The page of the command line, written from the commands themselves."""

import inspect
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import typer.main

from imageplane.cli.main import app

PROGRAM = "imageplane"
_NOUNS = {int: "whole number", float: "number"}


def cli_page(note: str) -> str:
    """Give docs/cli.md, with a note at its head on who wrote it."""
    return "\n".join(_page(note))


def _page(note: str) -> Iterator[str]:
    commands = list(_commands(PROGRAM, typer.main.get_command(app)))
    yield f"# The command\n\n{note}"
    yield "In a checkout the command is `.venv/bin/imageplane`. `--help` says the same as this page.\n"
    yield " · ".join(f"[{name}](#{name.replace(' ', '-')})" for name, _ in commands) + "\n"
    for name, command in commands:
        yield f"## {name}\n\n{_escaped(inspect.cleandoc(command.help or ''))}\n"
        yield f"```text\n{_usage(name, command)}\n```\n"
        yield from _parameters(command)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
    else:
        for word, inner in command.commands.items():
            yield from _commands(f"{name} {word}", inner)


def _usage(name: str, command: Any) -> str:
    return " ".join([name, *command.collect_usage_pieces(command.make_context(name, [], resilient_parsing=True))])


def _parameters(command: Any) -> Iterator[str]:
    rows = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        yield "| | values | default | meaning |\n|---|---|---|---|"
        yield from (_row(parameter) for parameter in rows)
        yield ""


def _row(parameter: Any) -> str:
    name = " ".join(f"`{word}`" for word in [*parameter.opts, *getattr(parameter, "secondary_opts", [])])
    meaning = _escaped(parameter.help or "").replace("|", "\\|")
    return f"| {name} | {_values(parameter)} | {_default(parameter)} | {meaning} |"


def _escaped(text: str) -> str:
    return text.replace("<", "&lt;")


def _values(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    if kind is bool:
        return ""
    is_list = get_origin(kind) is list
    kind = get_args(kind)[0] if is_list else kind
    if get_origin(kind) is Literal:
        return " · ".join(f"`{choice}`" for choice in get_args(kind))
    bounds = [f"{sign} {bound:,}" for sign, bound in (("≥", parameter.min), ("≤", parameter.max)) if bound is not None]
    text = ", ".join([" ".join([_NOUNS.get(kind, "text"), *bounds[:1]]), *bounds[1:]])
    return f"{text}; several may be given" if is_list else text


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    if default is None or getattr(parameter, "is_flag", False) or callable(default):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"
