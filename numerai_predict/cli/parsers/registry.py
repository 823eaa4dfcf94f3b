"""Options of the sub-commands of `registry`."""

from __future__ import annotations

import os
from pathlib import Path

from numerai_predict.cli.options import add_json, add_no_container, add_snapshot, positive_integer
from numerai_predict.registry.reference import (
    NAME_RULE,
    PRODUCTION,
    is_alias,
    is_name,
    parse_reference,
)
from numerai_predict.runner.option_parser import OptionParser, argparse_type
from numerai_predict.runner.options import add_deadline

_COMMANDS = {
    "add": ("PATH NAME", "add a bundle or a pickle as the next version of a model"),
    "list": ("", "list the models and their versions"),
    "show": ("MODEL", "show a model's versions and history, or the files of one version"),
    "promote": ("MODEL", "make a version the production version, if no gate blocks it"),
    "rollback": ("NAME", "restore the previous production version"),
    "alias": ("MODEL ALIAS", "point an alias at a version"),
    "tag": ("MODEL TAG", "set tags of a version"),
    "verify": ("", "compare all files with their hashes"),
    "gc": ("", "remove old versions that no alias needs, and files that no version uses"),
    "export": ("MODEL DIR", "write the files of a version into a new directory"),
}
_EXAMPLES = {
    "add": "numerai-predict registry add model mine --alias candidate",
    "list": "numerai-predict registry list",
    "show": "numerai-predict registry show mine",
    "promote": "numerai-predict registry promote mine@candidate",
    "rollback": "numerai-predict registry rollback mine",
    "alias": "numerai-predict registry alias mine@3 candidate",
    "tag": "numerai-predict registry tag mine@3 author=me",
    "verify": "numerai-predict registry verify",
    "gc": "numerai-predict registry gc --keep 10",
    "export": "numerai-predict registry export mine@production exported",
}
_KEPT = 10


def add_options(parser: OptionParser) -> None:
    """Add the sub-commands of `registry`."""
    parser.description = (
        "Manage versions of models by name. Other commands take registry:NAME@ALIAS or "
        "registry:NAME@7 in place of a pickle; registry:NAME is the production version."
    )
    commands = parser.add_commands("subcommand")
    parsers = {}
    for name, (positionals, summary) in _COMMANDS.items():
        parsers[name] = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            usage=f"%(prog)s {positionals} [OPTIONS]".replace("  ", " "),
            epilog=f"example:\n  {_EXAMPLES[name]}",
        )
        _add_registry(parsers[name])
    _add_add(parsers["add"])
    add_json(parsers["list"])
    parsers["show"].add_argument(
        "model",
        metavar="MODEL",
        help="NAME for all versions and the history, NAME@ALIAS or NAME@NUMBER for one version",
    )
    add_json(parsers["show"])
    _add_promote(parsers["promote"])
    _add_rollback(parsers["rollback"])
    _add_alias(parsers["alias"])
    _add_tag(parsers["tag"])
    _add_gc(parsers["gc"])
    _add_model(parsers["export"])
    parsers["export"].add_argument("directory", type=Path, metavar="DIR", help="new directory")


def model_name(text: str) -> str:
    """The name of a model in the registry.

    Raises:
        ValueError: it can be none.
    """
    if not is_name(text):
        raise ValueError(f"expected a name of {NAME_RULE}, found {text!r}")
    return text


def _add_registry(parser: OptionParser) -> None:
    parser.add_argument_group("registry").add_argument(
        "--registry",
        metavar="DIR",
        help="directory of the registry, or s3://BUCKET/PREFIX "
        "(default: NUMERAI_REGISTRY or ~/.local/share/numerai-predict/registry)",
    )


def _add_model(parser: OptionParser) -> None:
    parser.add_argument(
        "reference",
        type=argparse_type(parse_reference),
        metavar="MODEL",
        help=f"NAME@ALIAS or NAME@NUMBER; NAME alone is NAME@{PRODUCTION}",
    )


def _add_name(parser: OptionParser) -> None:
    parser.add_argument(
        "name", type=argparse_type(model_name), metavar="NAME", help="name in the registry"
    )


def _add_reason(parser: OptionParser) -> None:
    parser.add_argument_group("history").add_argument(
        "--reason", metavar="TEXT", help="reason to keep in the history"
    )


def _add_add(parser: OptionParser) -> None:
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a pickle, or the directory that `train` wrote"
    )
    _add_name(parser)
    parser.add_argument_group("version").add_argument(
        "--alias",
        type=argparse_type(_alias),
        metavar="ALIAS",
        help=f"point this alias at the version; {PRODUCTION} is for `registry promote`",
    )
    _add_reason(parser)


def _add_promote(parser: OptionParser) -> None:
    _add_model(parser)
    _add_reason(parser)
    gates = parser.add_argument_group("gates")
    gates.add_argument(
        "--force",
        metavar="REASON",
        help="promote even if a gate blocks it; the reason is kept in the history",
    )
    gates.add_argument(
        "--require",
        choices=("better", "not-worse"),
        default=os.environ.get("NUMERAI_PROMOTION_REQUIRE") or "better",
        help="what the comparison with the version in production must show "
        "(default: NUMERAI_PROMOTION_REQUIRE or better)",
    )
    gates.add_argument(
        "--confidence",
        type=argparse_type(_confidence),
        default=os.environ.get("NUMERAI_PROMOTION_CONFIDENCE") or "0.95",
        metavar="SHARE",
        help="confidence of that interval (default: NUMERAI_PROMOTION_CONFIDENCE or 0.95)",
    )
    gates.add_argument(
        "--approved-by", metavar="NAME", help="who approved the version; kept in the history"
    )
    add_snapshot(parser)
    add_no_container(parser.add_argument_group("environment"))
    add_deadline(parser)


def _add_rollback(parser: OptionParser) -> None:
    _add_name(parser)
    parser.add_argument_group("version").add_argument(
        "--alias",
        default=PRODUCTION,
        metavar="ALIAS",
        help="alias to roll back (default: %(default)s)",
    )
    _add_reason(parser)


def _add_alias(parser: OptionParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "alias",
        type=argparse_type(_alias),
        metavar="ALIAS",
        help=f"a name such as candidate; {PRODUCTION} is for `registry promote`",
    )
    _add_reason(parser)


def _add_tag(parser: OptionParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "tags", nargs="+", type=argparse_type(_tag), metavar="TAG", help="KEY=VALUE, like author=me"
    )


def _add_gc(parser: OptionParser) -> None:
    parser.add_argument_group("versions").add_argument(
        "--keep",
        type=argparse_type(positive_integer),
        default=_KEPT,
        metavar="COUNT",
        help="number of newest versions to keep for each model (default: %(default)s)",
    )


def _alias(text: str) -> str:
    if not is_alias(text) or text == PRODUCTION:
        raise ValueError(
            f"expected an alias other than {PRODUCTION}, of {NAME_RULE}, and not of digits alone, "
            f"found {text!r}"
        )
    return text


def _confidence(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.5 <= value <= 0.999:
        raise ValueError(f"expected a confidence from 0.5 to 0.999, like 0.95, found {text!r}")
    return value


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not is_name(key):
        raise ValueError(f"expected KEY=VALUE, found {text!r}")
    return key, value
