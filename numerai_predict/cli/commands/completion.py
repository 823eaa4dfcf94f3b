"""`numerai-predict completion`: a script for a shell, made from the tree of parsers."""

from __future__ import annotations

import argparse
from typing import Any

import shtab

from numerai_predict.cli.main import build_parser
from numerai_predict.runner.option_parser import OptionParser

# What a shell completes for an argument, by its metavar; a model's data are files as well.
_COMPLETERS: dict[str, Any] = {
    "PICKLE": shtab.glob("*.pkl", "*.pkl.*", "*.pickle"),
    "CONFIG": shtab.FILE,
    "FILE": shtab.FILE,
    "MANIFEST": shtab.FILE,
    "PATH": shtab.FILE,
    "SOURCE": shtab.FILE,
    "DIR": shtab.DIRECTORY,
}


def run(options: argparse.Namespace) -> int:
    """Print the completion script of a shell."""
    print(completion_script(options.shell))
    return 0


def completion_script(shell: str) -> str:
    """The script that completes `numerai-predict` in this shell."""
    parser = build_parser()
    _add_completers(parser)
    return shtab.complete(parser, shell)


def _add_completers(parser: OptionParser) -> None:
    for action in parser._actions:
        if isinstance(action.metavar, str) and action.metavar in _COMPLETERS:
            action.complete = _COMPLETERS[action.metavar]  # type: ignore[attr-defined]
    if parser.commands is not None:
        for command in parser.commands.choices.values():
            _add_completers(command)
