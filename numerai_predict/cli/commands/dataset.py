"""`numerai-predict data`: snapshots of the tournament's data sets, and synthetic samples."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from numerai_predict.cli.api import api_url, listing_api, public_api
from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.cli.options import data_dir
from numerai_predict.cli.parsers.dataset import COMPARISON_FILES, DEFAULT_FILES
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DatasetUnavailable, SaveFailed
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.server_name import same_server, server_of
from numerai_predict.data.catalogue import Catalogue, resolve
from numerai_predict.data.sample_shape import FILES, SampleShape
from numerai_predict.data.snapshot import Snapshot
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.storage.snapshot_manifest import SnapshotEntry
from numerai_predict.storage.snapshot_server import servers_by_file
from numerai_predict.storage.transfer.transfer_progress import TransferProgress
from numerai_predict.terminal.screen import show
from numerai_predict.terminal.table import Column, TextTable

_NAME = Column("", wraps=True)


def run(options: argparse.Namespace) -> str | int:
    """Run a sub-command of `data`; returns the message of success or the exit code."""
    work: dict[str, Callable[[argparse.Namespace], str | int]] = {
        "get": _get,
        "list": _list,
        "verify": _verify,
        "sample": _sample,
    }
    return work[options.subcommand](options)


def _get(options: argparse.Namespace) -> str:
    deadline = Deadline.after(options.deadline)
    catalogue = Catalogue(public_api(deadline, "fetch"))
    known = Catalogue(listing_api(deadline, "fetch")).names()
    names = resolve(
        options.names or _default_files(options.data_version, known), options.data_version, known
    )
    policy = transfer_policy(deadline, "fetch")
    directory = data_dir(options)
    files = Snapshot(directory).get(names, catalogue, policy, options.refetch)
    for each in files:
        how = "unchanged" if each.reused else "fetched"
        size, number = format_size(each.entry.bytes), each.entry.round
        log_step("data", f"{each.name}: {how}, {size}, round {number or 'unknown'}")
        print(each.path)
    return f"{len(files)} file(s) of {server_of(api_url())} in {directory}"


def _default_files(version: str, known: Collection[str]) -> list[str]:
    """What training and its scores need, of the files that the version has."""
    missing = [name for name in COMPARISON_FILES if f"{version}/{name}.parquet" not in known]
    if missing:
        log_step("data", f"{version} has no {', '.join(missing)}: left out")
    return [name for name in DEFAULT_FILES if name not in missing]


def _list(options: argparse.Namespace) -> str:
    directory = data_dir(options)
    local, servers = Snapshot(directory).entries(), servers_by_file(directory)
    _log_servers(directory, servers)
    names = set(local)
    if not options.offline:
        names |= set(Catalogue(listing_api(Deadline.after(options.deadline), "ask")).names())
    shown = _of_version(names, options.data_version)
    if options.json:
        print(json.dumps([_as_json(name, local.get(name), servers) for name in shown], indent=2))
    else:
        _print_table(shown, local, servers)
    return f"{len(shown)} file(s), {sum(name in local for name in shown)} of them local"


def _of_version(names: set[str], version: str | None) -> list[str]:
    shown = sorted(name for name in names if version in (None, name.partition("/")[0]))
    if shown or version is None:
        return shown
    versions = ", ".join(sorted({name.partition("/")[0] for name in names}))
    raise DatasetUnavailable(
        f"expected a version of the data, found {version!r}; there are {versions or 'none'}",
        "choose one of them with --data-version",
    )


def _log_servers(directory: Path, servers: Mapping[str, str]) -> None:
    """Name the server that the local files came from, and that of the listed ones."""
    found, current = sorted(set(servers.values())), server_of(api_url())
    if not found:
        log_step("data", f"no local files in {directory}; the server is {current}")
        return
    log_step("data", f"files of {' and '.join(found)} in {directory}")
    if any(not same_server(each, current) for each in found):
        log_step(
            "warning", f"the server is {current}: files of another server are not used with it"
        )


def _print_table(
    names: list[str], local: Mapping[str, SnapshotEntry], servers: Mapping[str, str]
) -> None:
    rows = []
    for name in names:
        entry = local.get(name)
        details = ("", "", "", "")
        if entry:
            size = format_size(entry.bytes)
            details = (size, f"round {entry.round}", str(entry.fetched), servers[name])
        rows.append((name, *details))
    columns = (_NAME, Column("", right=True), Column(""), Column(""), Column("", wraps=True))
    if rows:
        show(TextTable(columns, rows))


def _as_json(name: str, entry: SnapshotEntry | None, servers: Mapping[str, str]) -> dict[str, Any]:
    """The file's name; `local` holds what the manifest says, or null."""
    if entry is None:
        return {"name": name, "local": None}
    keys = ("sha256", "bytes", "round", "fetched")
    local = {key: getattr(entry, key) for key in keys}
    return {"name": name, "local": {**local, "server": servers[name]}}


def _verify(options: argparse.Namespace) -> str:
    snapshot = Snapshot(data_dir(options))
    policy = transfer_policy(Deadline.after(None), "verify")
    progress = TransferProgress(f"files in {snapshot.folder}", policy)
    try:
        wrong = snapshot.verify(progress.update)
    finally:
        progress.end()
    problems = {name: problem.value for name, problem in wrong.items()}
    names = list(snapshot.entries())
    rows = [(problems.get(name, "ok"), name) for name in names]
    if options.json:
        print(json.dumps([{"name": name, "state": state} for state, name in rows], indent=2))
    elif rows:
        show(TextTable((Column("", state=True), _NAME), rows))
    if problems:
        lines = [f"  - {name}: {problem}" for name, problem in problems.items()]
        found = f"expected all files to match the manifest, found {len(problems)} that differ"
        raise DatasetUnavailable(
            "\n".join([found, *lines]), "fetch them again with `numerai-predict data get`"
        )
    return f"{len(names)} file(s) match the manifest"


def _sample(options: argparse.Namespace) -> int:
    from numerai_predict.data.synthetic import write_sample  # pandas takes 0.4 s to import

    try:
        shape = SampleShape(
            **{each.name: getattr(options, each.name) for each in fields(SampleShape)}
        )
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        write_sample(options.directory, shape)
    except FileExistsError as error:
        raise SaveFailed(str(error), "choose another directory") from error
    print(one_line(f"wrote {', '.join(FILES)} to {options.directory}"))
    return 0
