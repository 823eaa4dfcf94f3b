"""`numerai-predict data`: the tournament's files on this machine, and made-up ones."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from numerai_predict.cli.common import add_deadline, api_url, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable
from numerai_predict.contract.limits import format_size
from numerai_predict.data.catalogue import DEFAULT_NAMES, Catalogue, resolve
from numerai_predict.data.sample_shape import FILES, SampleShape
from numerai_predict.data.snapshot import Snapshot
from numerai_predict.data.synthetic import write_sample
from numerai_predict.runner.options import dataset_version
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.graphql import Api

_HELP = {
    "live_rows": "rows of live data",
    "rows": "rows an era of train and validation",
    "train_eras": "eras of train",
    "validation_eras": "eras of validation",
    "features": "features in all",
    "signal": "correlation of the best possible prediction with the target's score",
    "seed": "another seed, another sample",
    "quantum": "features in the set `quantum` of v5.3",
}


def main(argv: Sequence[str]) -> int:
    """Run a command of `data`; the exit code of its verdict."""
    parser = argparse.ArgumentParser(prog="numerai-predict data", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_get(commands)
    _add_list(commands)
    _add_verify(commands)
    sample = _add_sample(commands)
    options = parser.parse_args(argv)
    if options.command == "sample":
        return _sample(sample, options)
    work = {"get": _get, "list": _list, "verify": _verify}[options.command]
    return exit_code_of(lambda: work(options))


def _add_get(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "get",
        help="take a snapshot of the tournament's files",
        description="Fetch files of the tournament, each whole and hashed, and record them with "
        "round and time in a manifest. What is unchanged is not fetched again.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "names",
        nargs="*",
        default=list(DEFAULT_NAMES),
        metavar="FILE",
        help=f"names as `data list` has them, less the ending (default: {' '.join(DEFAULT_NAMES)})",
    )
    parser.add_argument("--force", action="store_true", help="fetch also what is unchanged")
    _add_place(parser)
    add_deadline(parser, 7200)


def _add_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "list", help="list the tournament's files and those here", allow_abbrev=False
    )
    parser.add_argument("--local", action="store_true", help="those here alone: asks nobody")
    _add_place(parser, version=None)
    add_deadline(parser, 60)


def _add_verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "verify", help="hash what is here and compare it with the manifest", allow_abbrev=False
    )
    _add_directory(parser)


def _add_place(parser: argparse.ArgumentParser, version: str | None = "") -> None:
    default = version
    if version == "":
        default = dataset_version(os.environ)
    told = default or "every one"
    parser.add_argument("--version", default=default, help=f"of the data (default: {told})")
    _add_directory(parser)


def _add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--directory",
        type=Path,
        default=data_directory(),
        help="where the files are (default: %(default)s)",
    )


def _add_sample(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    sample = commands.add_parser(
        "sample",
        help="write a data set in the shape of v5.2",
        description="Write a made-up data set in the shape of v5.2 with a weak signal in it: "
        + ", ".join(FILES),
        allow_abbrev=False,
    )
    sample.add_argument("directory", type=Path, help="where the files go, like sample/")
    for field in fields(SampleShape):
        sample.add_argument(
            f"--{field.name}",
            type=type(field.default),
            default=field.default,
            help=f"{_HELP[field.name]} (default: %(default)s)",
        )
    return sample


def _get(options: argparse.Namespace) -> str:
    terms = transfer_policy(Deadline.after(options.deadline), "fetch")
    catalogue = Catalogue(Api(api_url(), terms))
    names = resolve(options.names, options.version, catalogue.names())
    taken = Snapshot(options.directory).get(names, catalogue, terms, options.force)
    for each in taken:
        how = "unchanged" if each.reused else "fetched"
        size, number = format_size(each.entry.bytes), each.entry.round
        log_step("data", f"{each.name}: {how}, {size}, round {number or 'unknown'}")
        print(each.path)
    return f"{len(taken)} file(s) in {options.directory}"


def _list(options: argparse.Namespace) -> str:
    entries = Snapshot(options.directory).entries()
    names = set(entries)
    if not options.local:
        terms = transfer_policy(Deadline.after(options.deadline), "ask")
        names |= set(Catalogue(Api(api_url(), terms)).names())
    shown = sorted(name for name in names if options.version in (None, name.partition("/")[0]))
    if not shown and options.version:
        versions = sorted({name.partition("/")[0] for name in names})
        raise DatasetUnavailable(
            f"expected a version of the data, found {options.version!r}; "
            f"there are {', '.join(versions) or 'none'}",
            "choose one of them",
        )
    width = max(map(len, shown), default=0)
    for name in shown:
        entry = entries.get(name)
        facts = (
            f"{format_size(entry.bytes):>10}  round {entry.round}  {entry.fetched}" if entry else ""
        )
        print(f"{name:{width}}  {facts}".rstrip())
    return f"{len(shown)} file(s), {sum(name in entries for name in shown)} of them here"


def _verify(options: argparse.Namespace) -> str:
    snapshot = Snapshot(options.directory)
    wrong = snapshot.verify()
    for name in snapshot.entries():
        print(f"{wrong.get(name, 'ok'):8} {name}")
    if wrong:
        lines = [f"  - {name}: {problem.value}" for name, problem in wrong.items()]
        raise DatasetUnavailable(
            "\n".join(
                [f"expected what the manifest tells, found {len(wrong)} file(s) else", *lines]
            ),
            "get them again with `numerai-predict data get`",
        )
    return f"{len(snapshot.entries())} file(s) are what they were"


def _sample(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    try:
        shape = SampleShape(
            **{each.name: getattr(options, each.name) for each in fields(SampleShape)}
        )
    except ValueError as error:
        parser.error(str(error))
    try:
        write_sample(options.directory, shape)
    except OSError as error:
        print(f"numerai-predict data sample: {error}; choose another directory", file=sys.stderr)
        return 1
    print(f"wrote {', '.join(FILES)} to {options.directory}")
    return 0
