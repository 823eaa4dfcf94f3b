"""`numerai-predict`: one parser, one parse, one exit code for all commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from itertools import groupby

from numerai_predict.cli.command_table import COMMANDS, Command
from numerai_predict.cli.exit_codes import UsageError, exit_code_of, exit_on_closed_output
from numerai_predict.runner.option_parser import OptionParser
from numerai_predict.terminal.standard_streams import open_standard_streams


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the first word names; returns its exit code.

    Raises:
        SystemExit: after `--help` and `--version`, and with 2 after a bad command line.
    """
    open_standard_streams()
    return exit_on_closed_output(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    arguments = list(argv)
    if arguments[:1] == ["help"]:  # as git and others have it
        arguments = [*arguments[1:], "--help"]
    parser = build_parser(lazy=True)
    if not arguments:
        parser.print_help()
        return 0
    options = parser.parse(arguments)
    command: Command = options.command
    leaf: OptionParser = options.parser
    try:
        return exit_code_of(
            lambda: command.run(options), leaf.prog, options.debug, command.logs_steps
        )
    except UsageError as error:
        leaf.error(str(error))


def build_parser(lazy: bool = False) -> OptionParser:
    """The whole tree of parsers; if `lazy`, each command's options are added on first use."""
    root = RootParser(
        prog="numerai-predict",
        description="Run, check and ship pickled Numerai prediction functions.",
    )
    root.hint("PICKLE", "to run a model: numerai-predict run PICKLE")
    commands = root.add_commands("command_name")
    root.add_general_options()
    for command in COMMANDS:
        commands.add_parser(
            command.name,
            help=command.summary,
            description=f"{command.summary[0].upper()}{command.summary[1:]}.",
            fill=partial(_add_options, command),
        )
    if not lazy:
        for parser in commands.choices.values():
            parser.fill()
    return root


def _add_options(command: Command, parser: OptionParser) -> None:
    command.add_options(parser)
    _add_general_options(parser)


def _add_general_options(parser: OptionParser) -> None:
    """Add the options of every command to this parser and to those of its sub-commands."""
    parser.add_general_options()
    if parser.commands is not None:
        for leaf in parser.commands.choices.values():
            _add_general_options(leaf)


class RootParser(OptionParser):
    """The parser of the program; its help shows the commands in groups."""

    def format_help(self) -> str:
        """The help: usage, commands by group, and where to find more."""
        lines = ["usage: numerai-predict COMMAND [OPTIONS]", "", self.description or ""]
        for group, commands in groupby(COMMANDS, key=lambda command: command.group):
            lines += ["", f"{group}:"]
            lines += [f"  {command.name:12}{command.summary}" for command in commands]
        lines += ["", "Show the options of a command: numerai-predict COMMAND --help"]
        lines += ["Show the version: numerai-predict --version"]
        return "\n".join(lines) + "\n"
