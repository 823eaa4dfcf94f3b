"""Commands and their options, from the parsers."""

from __future__ import annotations

import argparse
import os
import re
import textwrap
from collections.abc import Callable, Iterator
from itertools import groupby
from unittest import mock

from generate.reference.markdown import code, fence, page, table
from numerai_predict.cli.command_table import COMMANDS
from numerai_predict.cli.main import build_parser
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.runner.options import Defaults, predict_parser

_GENERAL = "general"
_OURS = ("NUMERAI_", "XDG_")
_OPTION = re.compile(r"(?<![\w-])--[\w-]+")


def commands_page() -> str:
    """The page of `numerai-predict` and all its commands."""
    root = _without_environment(build_parser)
    blocks = [
        "One program with a command for each task. `numerai-predict COMMAND --help` shows the "
        "same text in a terminal. Options can be written as `--option value` or "
        "`--option=value`, but not shortened.",
        "Every command has these options:",
        table(("option", "meaning"), _rows(root, _general_group(_first_leaf(root)))),
    ]
    for group, commands in groupby(COMMANDS, key=lambda command: command.group):
        blocks.append(f"## {group.capitalize()}")
        for command in commands:
            blocks += _command(_choices(root)[command.name])
    return page("the parsers", "Commands", *blocks)


def predict_page() -> str:
    """The page of `predict.py`."""
    parser = _without_environment(lambda: predict_parser(Defaults.hosted({})))
    blocks = [
        "The program that every image starts. `numerai-predict run` has the same options with "
        "other defaults.",
        *_options(parser),
        "**General**",
        table(("option", "meaning"), _rows(parser, _general_group(parser))),
    ]
    return page("the parser", "predict.py", *blocks)


def _without_environment(build: Callable[[], OptionParser]) -> OptionParser:
    """The parser as a user without settings of their own sees it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    with mock.patch.dict(os.environ, kept, clear=True):
        return build()


def _command(parser: OptionParser) -> Iterator[str]:
    """The blocks of a command, or of each of its sub-commands."""
    if parser.commands is not None:
        for leaf in _choices(parser).values():
            yield from _command(leaf)
        return
    yield f"### {parser.prog.removeprefix('numerai-predict ')}"
    yield _text(parser.description or "")
    yield from _options(parser)
    if parser.deprecated:
        yield "Deprecated: " + "; ".join(
            f"{code(old)}, {_mark(suggestion)}" for old, suggestion in parser.deprecated.items()
        )


def _options(parser: OptionParser) -> Iterator[str]:
    """The usage, and a table for each group of options but the general one."""
    yield fence(" ".join(parser.format_usage().removeprefix("usage: ").split()))
    for group in parser._action_groups:
        if group.title != _GENERAL and (rows := _rows(parser, group)):
            yield f"**{(group.title or 'options').capitalize()}**"
            yield table(("option", "meaning"), rows)
    if parser.epilog:
        title, _, examples = parser.epilog.partition("\n")
        yield title.capitalize()
        yield fence(textwrap.dedent(examples), "sh")


def _rows(parser: OptionParser, group: argparse._ArgumentGroup) -> list[tuple[str, str]]:
    formatter = parser._get_formatter()
    return [
        (_name(action), _text(formatter._expand_help(action)))
        for action in group._group_actions
        if action.help not in (None, argparse.SUPPRESS)
    ]


def _name(action: argparse.Action) -> str:
    """Every spelling of the option, and its value."""
    if not action.option_strings:
        return code(action.metavar or action.dest)
    spellings = ", ".join(map(code, action.option_strings))
    if action.nargs == 0:
        return spellings
    value = action.metavar or (
        "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
    )
    return f"{spellings} {code(value)}"


def _text(text: str) -> str:
    """Help text as Markdown: a `<` of its own must not begin a tag."""
    return text.replace("<", "&lt;")


def _mark(text: str) -> str:
    """The text with its options as code."""
    return _OPTION.sub(lambda found: code(found[0]), text)


def _choices(parser: OptionParser) -> dict[str, OptionParser]:
    assert parser.commands is not None
    return dict(parser.commands.choices)


def _first_leaf(parser: OptionParser) -> OptionParser:
    while parser.commands is not None:
        parser = next(iter(_choices(parser).values()))
    return parser


def _general_group(parser: OptionParser) -> argparse._ArgumentGroup:
    return next(group for group in parser._action_groups if group.title == _GENERAL)
