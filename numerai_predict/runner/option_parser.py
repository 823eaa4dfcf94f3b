"""argparse with whole option names, suggestions for mistypes and deprecated spellings.

No error message shows the value of an unknown option: it may belong to a misspelt
`--post-data`.
"""

from __future__ import annotations

import argparse
import difflib
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numerai_predict
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.redaction import redact_text

_NEGATIVE_NUMBER = re.compile(r"-\d*\.?\d+")
_CANDIDATES, _PREFIX_WEIGHT, _LONGEST_PREFIX = 5, 0.05, 4
_SHOWN_WORD = re.compile(r"[\w.-]{1,40}")

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Spelling:
    """A deprecated spelling: `option` replaces it, `""` where the value alone does.

    `objection` returns an error message for a value that the option cannot mean.
    """

    option: str
    suggestion: str
    objection: Callable[[str], str | None] | None


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs; keeps indented lines of a description or an epilog as they are."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            line
            if line.startswith(" ") or not line
            else super(HelpFormatter, self)._fill_text(line, width, indent)
            for line in text.splitlines()
        )


class OptionParser(argparse.ArgumentParser):
    """The parser of a program or of one of its commands.

    `fill` adds the parser's arguments when it is used for the first time.
    """

    def __init__(
        self, *, fill: Callable[[OptionParser], None] | None = None, **settings: Any
    ) -> None:
        settings = {"formatter_class": HelpFormatter, "add_help": False, **settings}
        super().__init__(allow_abbrev=False, **settings)
        self._positionals.title = "arguments"
        self.commands: argparse._SubParsersAction[OptionParser] | None = None
        self._fill = fill
        self._spellings: dict[str, _Spelling] = {}
        self._warned: set[str] = set()
        self._hints: dict[str, str] = {}

    def fill(self) -> None:
        """Add the arguments, unless that is done."""
        fill, self._fill = self._fill, None
        if fill is not None:
            fill(self)

    def add_commands(self, dest: str) -> argparse._SubParsersAction[OptionParser]:
        """Make this the parser of commands; exactly one of them must be named."""
        self.commands = self.add_subparsers(
            title="commands",
            dest=dest,
            metavar="COMMAND",
            required=True,
            prog=self.prog,
            parser_class=OptionParser,
        )
        self.usage = "%(prog)s COMMAND [OPTIONS]"
        return self.commands

    def add_general_options(self) -> None:
        """Add `--help`, `--version` and, unless this is a parser of commands, `--debug`."""
        general = self.add_argument_group("general")
        general.add_argument("-h", "--help", action="help", help="show this help and exit")
        if self.commands is None:
            general.add_argument(
                "--debug", action="store_true", help="log details and show full tracebacks"
            )
        version = f"numerai-predict {numerai_predict.__version__}"
        general.add_argument(
            "--version", action="version", version=version, help="show the program's version"
        )

    def deprecate(
        self,
        spelling: str,
        option: str = "",
        *,
        suggestion: str | None = None,
        objection: Callable[[str], str | None] | None = None,
    ) -> None:
        """Let an old spelling mean `option`, with a warning; `""`: its value is a positional.

        A spelling that is also an option of this parser is the deprecated one only where a
        value follows.
        """
        self._spellings[spelling] = _Spelling(option, suggestion or f"use {option}", objection)

    @property
    def deprecated(self) -> dict[str, str]:
        """The deprecated spellings, each with what to type instead."""
        return {name: spelling.suggestion for name, spelling in self._spellings.items()}

    def hint(self, option: str, suggestion: str) -> None:
        """What to type instead of an option that this parser does not have."""
        self._hints[option] = suggestion

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse the command line; exits with 2 and a message that shows no secret.

        Attribute `parser` of the result is the parser of the command that was named.
        """
        options, surplus = self.parse_known_args(argv)
        if surplus:
            owner: OptionParser = options.parser
            owner.error(f"expected no further argument, found {len(surplus)} too many")
        assert isinstance(options, argparse.Namespace)
        return options

    def parse_known_args(
        self, args: Iterable[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse does, after a check of the names of all options and commands."""
        self.fill()
        if self.commands is None:
            self.set_defaults(parser=self)
        arguments = list(sys.argv[1:] if args is None else args)
        self._require_text(arguments)
        if self.commands is not None and not arguments:
            self.error(f"expected a command: choose from {', '.join(self.commands.choices)}")
        return super().parse_known_args(self._resolve(arguments), namespace)

    def _require_text(self, arguments: Iterable[str]) -> None:
        """Exit with 2 at bytes that are no UTF-8: libraries take no file of such a name."""
        for word in arguments:
            try:
                word.encode()
            except UnicodeEncodeError:
                self.error(f"expected an argument in UTF-8, found {word}: rename the file")

    def error(self, message: str) -> NoReturn:
        """Exit with 2; the message, which may repeat a value, shows no secret of a URL."""
        super().error(one_line(redact_text(message)))

    def _resolve(self, arguments: list[str]) -> list[str]:
        """The arguments with the current spellings; exits with 2 at an unknown name."""
        resolved: list[str] = []
        for index, word in enumerate(arguments):
            if word == "--" or (self.commands is not None and not word.startswith("-")):
                self._require_command(word)
                return resolved + arguments[index:]
            following = arguments[index + 1 : index + 2]
            resolved += self._resolve_option(word, following[0] if following else "")
        return resolved

    def _resolve_option(self, word: str, following: str) -> list[str]:
        if not word.startswith("-") or word == "-" or _NEGATIVE_NUMBER.fullmatch(word):
            return [word]
        name, equals, value = word.partition("=")
        if not equals:
            value = "" if following.startswith("-") else following
        known = name in self._option_string_actions
        if name in self._spellings and (value or not known):
            return self._replace(name, value, word[len(name) :])
        if not known:
            self._reject_option(name)
        return [word]

    def _replace(self, name: str, value: str, rest: str) -> list[str]:
        spelling = self._spellings[name]
        if spelling.objection and (message := spelling.objection(value)):
            self.error(message)
        if name not in self._warned:
            self._warned.add(name)
            warning = f"{self.prog}: warning: {name} is deprecated: {spelling.suggestion}\n"
            self._print_message(warning, sys.stderr)
        if spelling.option:
            return [spelling.option + rest]
        return [value] if rest else []

    def _reject_option(self, name: str) -> None:
        suggestion = self._hints.get(name) or _nearest(name, self._current_options())
        if suggestion is None and self.commands is not None:
            suggestion = "type options after the command"
        self.error(f"unknown option {name}" + (f": {suggestion}" if suggestion else ""))

    def _current_options(self) -> dict[str, str]:
        """Each spelling that is accepted, with the option to suggest for it."""
        actions = self._option_string_actions.items()
        current = {name: action.option_strings[0] for name, action in actions}
        deprecated = self._spellings.items()
        return {**current, **{name: each.option for name, each in deprecated if each.option}}

    def _require_command(self, word: str) -> None:
        if self.commands is None or word in self.commands.choices:
            return
        shown = f" {word!r}" if _SHOWN_WORD.fullmatch(word) else ""
        known_words = {name: name for name in self.commands.choices}
        suggestion = self._hints.get(word) or _nearest(word, known_words)
        if is_pickle_path(word) and (command := self._hints.get("PICKLE")):
            suggestion = command
        known = f"choose from {', '.join(self.commands.choices)}"
        self.error(f"unknown command{shown}: {suggestion or known}")


def _nearest(word: str, known: Mapping[str, str]) -> str | None:
    """Suggests a command or option for the known spelling that resembles the word.

    One that begins with the word goes before others; dashes do not count.
    """
    names = {name.lstrip("-"): suggested for name, suggested in known.items()}
    typed = word.lstrip("-")
    begun = [name for name in names if len(typed) > 1 and name.startswith(typed)]
    near = begun or difflib.get_close_matches(typed, list(names), _CANDIDATES)
    if not near:
        return None
    return f"did you mean {names[max(near, key=lambda name: _similarity(typed, name))]}?"


def _similarity(word: str, name: str) -> float:
    """The share of matching characters; a common beginning counts more, as in Jaro-Winkler."""
    pairs = zip(word, name, strict=False)
    common = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    ratio = difflib.SequenceMatcher(None, word, name).ratio()
    return ratio + _PREFIX_WEIGHT * min(common, _LONGEST_PREFIX)


def is_pickle_path(value: str) -> bool:
    """Whether the value looks like the path of a pickle, and not like a name."""
    suffixes = Path(value).suffixes[-2:]
    return "://" not in value and any(suffix in (".pkl", ".pickle") for suffix in suffixes)


def argparse_type(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """Adapt a parser for argparse; only its ValueError messages are shown to the user."""

    def value(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value


def validated_by(parse: Callable[[str], object]) -> Callable[[str], str]:
    """An argparse type that returns the text itself, provided that `parse` accepts it."""

    def text_of(text: str) -> str:
        parse(text)
        return text

    return argparse_type(text_of)
