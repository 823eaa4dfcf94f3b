"""Options that several commands share, one function each."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.registry.reference import Reference, is_reference, parse_reference
from numerai_predict.runner.option_parser import (
    OptionParser,
    argparse_type,
    is_pickle_path,
    validated_by,
)
from numerai_predict.runner.options import MODEL_SOURCE, dataset_version
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.sources import Source, source_of


def add_pickle_source(parser: OptionParser) -> argparse._ArgumentGroup:
    """Add positional PICKLE and its alias `--model`; returns their group, for more sources."""
    group = parser.add_argument_group("model and data")
    source = validated_by(pickle_of)
    group.add_argument(
        "pickle", nargs="?", type=source, metavar="PICKLE", help=f"the model: {MODEL_SOURCE}"
    )
    group.add_argument(
        "--model", type=source, metavar="PICKLE", help="the same as the argument PICKLE"
    )
    return group


def pickle_source(options: argparse.Namespace) -> str:
    """The pickle, given as argument or as `--model`.

    Raises:
        UsageError: none is given, or two are.
    """
    return _one_pickle(options.parser, options.pickle, options.model)


def _one_pickle(parser: OptionParser, argument: str | None, option: str | None) -> str:
    given = [source for source in (argument, option) if source is not None]
    if not given:
        prog = parser.prog
        raise UsageError(
            f"expected a pickle, found none: type {prog} PICKLE ({prog} --help shows an example)"
        )
    if len(given) > 1:
        raise UsageError("expected one pickle, found one as argument and another as --model")
    return given[0]


def add_pickle_sources(parser: OptionParser, at_most: int) -> None:
    """Add positional PICKLE, one or several, and its alias `--model`."""
    group = parser.add_argument_group("model and data")
    source = validated_by(pickle_of)
    group.add_argument(
        "pickles",
        nargs="*",
        type=source,
        metavar="PICKLE",
        help=f"the model, or up to {at_most}: {MODEL_SOURCE}",
    )
    group.add_argument(
        "--model", type=source, metavar="PICKLE", help="the same as the argument PICKLE"
    )


def pickle_sources(options: argparse.Namespace, at_most: int) -> list[str]:
    """The pickles, given as arguments or one as `--model`.

    Raises:
        UsageError: none is given, one is given twice, or too many are.
    """
    if len(options.pickles) <= 1:
        argument = next(iter(options.pickles), None)
        return [_one_pickle(options.parser, argument, options.model)]
    if options.model is not None:
        raise UsageError("expected pickles as arguments alone, found one as --model too")
    if len(options.pickles) > at_most:
        raise UsageError(f"expected at most {at_most} pickles, found {len(options.pickles)}")
    sources: list[str] = options.pickles
    return sources


def pickle_of(text: str) -> Source | Reference:
    """The source of a pickle, or the version of a registered model.

    Raises:
        ValueError: it is neither.
    """
    return parse_reference(text) if is_reference(text) else source_of(text)


def add_pickle_file(parser: OptionParser, meaning: str = "the model: a file") -> None:
    """Add positional PICKLE for commands that read a local file."""
    parser.add_argument("pickle", type=validated_by(pickle_of), metavar="PICKLE", help=meaning)


def add_pickle_from_anywhere(parser: OptionParser) -> None:
    """Add positional PICKLE for commands that fetch it."""
    source = validated_by(pickle_of)
    parser.add_argument("pickle", type=source, metavar="PICKLE", help=f"the model: {MODEL_SOURCE}")


def add_model_name(parser: OptionParser, usage: str, required: bool = True) -> None:
    """Add `--model-name`; `usage` says how to type the command where `--model` names a pickle."""
    group = parser.add_argument_group("account")
    group.add_argument(
        "--model-name",
        required=required,
        metavar="NAME",
        help="name of the model in your account" + ("" if required else " (default: all models)"),
    )
    add_keys_file(group)
    parser.deprecate("--keys", "--keys-file")
    parser.deprecate("--model", "--model-name", objection=no_pickle(usage))


def no_pickle(usage: str) -> Callable[[str], str | None]:
    """An objection to the path of a pickle where a model's name is expected."""

    def objection(value: str) -> str | None:
        if not is_pickle_path(value):
            return None
        typed = usage.replace("PICKLE", value)
        return f"--model is the model's name in your account here; type: {typed}"

    return objection


def add_keys_file(group: argparse._ArgumentGroup) -> None:
    """Add `--keys-file`."""
    group.add_argument(
        "--keys-file",
        type=Path,
        metavar="FILE",
        help="file with NUMERAI_PUBLIC_ID and NUMERAI_SECRET_KEY, outside of any repository "
        "(default: the environment, NUMERAI_KEYS_FILE, or ~/.config/numerai-predict/keys.env)",
    )


def add_round_overrides(parser: OptionParser) -> argparse._ArgumentGroup:
    """Add `--replace` and `--allow-late`; returns their group, so that callers can add to it."""
    group = parser.add_argument_group("submission")
    group.add_argument(
        "--replace", action="store_true", help="replace a different submission of the same round"
    )
    group.add_argument(
        "--allow-late", action="store_true", help="submit even if the round is closed"
    )
    parser.deprecate("--late", "--allow-late")
    return group


def add_snapshot(parser: OptionParser, version: str | None = "") -> argparse._ArgumentGroup:
    """Add `--data-version` and `--data-dir`; returns their group.

    `version` is the default: `""` for that of the environment, `None` for all versions.
    """
    group = parser.add_argument_group("data")
    default = dataset_version(os.environ) if version == "" else version
    group.add_argument(
        "--data-version",
        default=default,
        metavar="VERSION",
        help=f"version of the data, like v5.2 (default: {default or 'all'})",
    )
    add_data_dir(group)
    parser.deprecate("--version", "--data-version")
    parser.deprecate("--directory", "--data-dir")
    return group


def add_data_dir(group: argparse._ArgumentGroup) -> None:
    """Add `--data-dir`."""
    group.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="directory of the data snapshots "
        "(default: NUMERAI_DATA_DIR or ~/.local/share/numerai-predict/data; the practice "
        "tournament has its own)",
    )


def data_dir(options: argparse.Namespace, api_url: str | None = None) -> Path:
    """The directory of the data snapshots: the option, else that of the server.

    `api_url` is the API that the command uses, by default that of the environment.
    """
    return options.data_dir or data_directory(os.environ, api_url)


def add_json(parser: OptionParser, group: argparse._ArgumentGroup | None = None) -> None:
    """Add `--json`, by default to a group of its own."""
    (group or parser.add_argument_group("output")).add_argument(
        "--json",
        action="store_true",
        help="print JSON on standard output instead of text; messages go to standard error",
    )


def add_limit(parser: OptionParser) -> argparse._ArgumentGroup:
    """Add `--limit`, a number of rounds; returns its group."""
    group = parser.add_argument_group("selection")
    group.add_argument(
        "--limit",
        type=argparse_type(positive_integer),
        default=5,
        metavar="COUNT",
        help="number of rounds (default: %(default)s)",
    )
    return group


def add_no_container(group: argparse._ArgumentGroup) -> None:
    """Add `--no-container`."""
    group.add_argument(
        "--no-container",
        action="store_true",
        help="run models in the local Python, even if a container image is available",
    )


def positive_integer(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        ValueError: it is not.
    """
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"expected a whole number from 1 on, found {text!r}")
    return int(text)
