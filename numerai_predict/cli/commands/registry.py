"""`numerai-predict registry`: manage versions of models: promotion, rollback and more."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import Any

from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.cli.registered_models import open_registry
from numerai_predict.contract.errors import SaveFailed
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.registry_errors import CorruptVersion, RegistryUnavailable
from numerai_predict.registry.bundle_files import bundle_files, find_pickle
from numerai_predict.registry.cleanup import remove_old_versions, remove_unused_contents
from numerai_predict.registry.events import RegistryEvent
from numerai_predict.registry.history import ModelHistory, ModelVersion
from numerai_predict.registry.reference import Reference, parse_reference
from numerai_predict.registry.registry import Registry
from numerai_predict.terminal.screen import Part, show
from numerai_predict.terminal.table import Column, TextTable

_COLUMNS = (
    Column("model"),
    Column("version", right=True),
    Column("aliases", wraps=True),
    Column("corr", right=True),
    Column("mmc", right=True),
    Column("size", right=True),
    Column("python"),
    Column("data"),
    Column("added"),
)
_FILE_COLUMNS = (Column("file"), Column("size", right=True), Column("sha256"))


def run(options: argparse.Namespace) -> str | int:
    """Run a sub-command of `registry`; returns the message of success or the exit code."""
    work: dict[str, Callable[[Registry, argparse.Namespace], str | int]] = {
        "add": _add,
        "list": _list,
        "show": _show,
        "promote": _promote,
        "rollback": _roll_back,
        "alias": _set_alias,
        "tag": _tag,
        "verify": _verify,
        "gc": _collect,
        "export": _export,
    }
    return work[options.subcommand](open_registry(options.registry), options)


def _add(registry: Registry, options: argparse.Namespace) -> str:
    files, facts = bundle_files(find_pickle(options.path))
    version = registry.add(options.name, files, facts, options.reason)
    reference = Reference(options.name, version.number, None)
    if options.alias is None:
        return f"added as {reference}"
    registry.set_alias(reference, options.alias, options.reason)
    return f"added as {reference}, which is {options.name}@{options.alias}"


def _list(registry: Registry, options: argparse.Namespace) -> int:
    histories, unreadable = _histories(registry)
    versions = [(history, each) for history in histories for each in history.versions.values()]
    if options.json:
        print(json.dumps([version_as_json(*each) for each in versions], indent=2))
    elif versions:
        show(TextTable(_COLUMNS, [_row(*each) for each in versions]))
    elif not unreadable:
        print("no models: `numerai-predict registry add PATH NAME` adds one")
    if unreadable:
        raise unreadable[0]
    return 0


def _histories(registry: Registry) -> tuple[list[ModelHistory], list[RegistryUnavailable]]:
    """The histories of all models, and the errors of those that cannot be read.

    One model whose events are damaged hides no other.
    """
    found: list[ModelHistory] = []
    unreadable: list[RegistryUnavailable] = []
    for name in registry.models():
        try:
            found.append(registry.history(name))
        except RegistryUnavailable as error:
            unreadable.append(error)
    return found, unreadable


def _show(registry: Registry, options: argparse.Namespace) -> int:
    try:
        reference = parse_reference(options.model)
    except ValueError as error:
        raise UsageError(str(error)) from None
    history = registry.known_history(reference.name)
    if "@" in options.model:
        return _show_version(history, registry.version(reference), options.json)
    events = [event.as_dict() for event in history.events]
    if options.json:
        shown = [version_as_json(history, each) for each in history.versions.values()]
        print(json.dumps({"versions": shown, "history": events}, indent=2))
        return 0
    show(*model_parts(history))
    return 0


def model_parts(history: ModelHistory) -> list[Part]:
    """What a terminal shows of a model: its versions and its history."""
    rows = [_row(history, each) for each in history.versions.values()]
    lines = [f"  {one_line(_described(event))}" for event in history.events]
    return [TextTable(_COLUMNS, rows), "", "history", *lines]


def _show_version(history: ModelHistory, version: ModelVersion, as_json: bool) -> int:
    if as_json:
        print(json.dumps(version_as_json(history, version), indent=2))
        return 0
    files = version.added.files.items()
    rows = [(name, format_size(file.bytes), file.sha256) for name, file in files]
    show(TextTable(_COLUMNS, [_row(history, version)]), "", TextTable(_FILE_COLUMNS, rows))
    if version.tags:
        print(one_line(f"tags: {_described_tags(version.tags)}"))
    return 0


def _promote(registry: Registry, options: argparse.Namespace) -> str:
    from numerai_predict.cli.promotion import promote  # pandas takes 0.4 s to import

    return promote(registry, options)


def _roll_back(registry: Registry, options: argparse.Namespace) -> str:
    event = registry.roll_back(options.name, options.alias, options.reason)
    return f"{options.name}@{options.alias} is version {event.version} again"


def _set_alias(registry: Registry, options: argparse.Namespace) -> str:
    event = registry.set_alias(options.reference, options.alias, options.reason)
    return f"{options.reference.name}@{options.alias} is version {event.version}"


def _tag(registry: Registry, options: argparse.Namespace) -> str:
    event = registry.tag(options.reference, dict(options.tags))
    tags = _described_tags(event.tags)
    return f"version {event.version} of {options.reference.name} has the tags {tags}"


def _verify(registry: Registry, _options: argparse.Namespace) -> str:
    histories, unreadable = _histories(registry)
    versions = [(history, each) for history in histories for each in history.versions.values()]
    faults = [error.message for error in unreadable]
    faults += [
        f"{history.name}@{version.number}: {fault}"
        for history, version in versions
        for fault in registry.faults(version)
    ]
    if faults:
        raise CorruptVersion(
            "\n".join([f"expected all files as they were added, found {len(faults)} not", *faults]),
            "add those bundles again",
        )
    return f"{len(versions)} version(s) of {len(histories)} model(s) match their hashes"


def _collect(registry: Registry, options: argparse.Namespace) -> str:
    old = [remove_old_versions(registry, name, options.keep) for name in registry.models()]
    contents = remove_unused_contents(registry)
    return f"removed {sum(map(len, old))} version(s) and {len(contents)} stored content(s)"


def _export(registry: Registry, options: argparse.Namespace) -> str:
    try:
        options.directory.mkdir()
    except OSError as error:
        raise SaveFailed(
            f"expected to create the directory {options.directory}, found: {error.strerror}",
            "name a directory that does not exist yet, in one that does",
        ) from error
    version = registry.write_files(options.reference, options.directory)
    return f"version {version.number} of {options.reference.name} is in {options.directory}"


def version_as_json(history: ModelHistory, version: ModelVersion) -> dict[str, Any]:
    """A version as values of JSON."""
    event = version.added
    return {
        "model": history.name,
        "version": version.number,
        "aliases": history.aliases_of(version.number),
        "tags": version.tags,
        "added": event.time,
        "user": event.user,
        "reason": event.reason,
        "facts": dict(event.facts),
        "files": event.as_dict()["files"],
    }


def _row(history: ModelHistory, version: ModelVersion) -> tuple[str, ...]:
    facts = version.added.facts
    scores = facts.get("scores", {})
    return (
        history.name,
        str(version.number),
        ", ".join(history.aliases_of(version.number)) or "-",
        _score(scores.get("corr")),
        _score(scores.get("mmc")),
        format_size(version.bytes),
        ", ".join(facts.get("python", [])) or "-",
        facts.get("data_version") or "-",
        version.added.time,
    )


def _score(mean: float | None) -> str:
    return "-" if mean is None else f"{mean:.4f}"


def _described(event: RegistryEvent) -> str:
    what = f"version {event.version} {event.kind.value}"
    if event.alias:
        what += f" {event.alias}"
    if event.tags:
        what += f" {_described_tags(event.tags)}"
    reason = f": {event.reason}" if event.reason else ""
    return f"{event.time}  {event.user}  {what}{reason}"


def _described_tags(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())
