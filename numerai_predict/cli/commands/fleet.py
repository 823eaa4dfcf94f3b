"""`numerai-predict fleet`: run many models with one command, and show their progress."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from numerai_predict.cli.exit_codes import Unfinished, UsageError
from numerai_predict.cli.registered_models import local_pickle
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.registry_errors import RegistryError
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.contract.verdicts import ProcessExit, Verdict
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import Environment, available_environments
from numerai_predict.fleet.errors import FleetError, InvalidManifest
from numerai_predict.fleet.ledger import FILE, FleetLedger
from numerai_predict.fleet.ledger_rows import Row
from numerai_predict.fleet.manifest import ManifestEntry, read_fleet_manifest
from numerai_predict.fleet.progress_display import FleetDisplay
from numerai_predict.fleet.report.html_report import write_report
from numerai_predict.fleet.summary import FleetSummary
from numerai_predict.runner.acceleration_option import allows_acceleration
from numerai_predict.runner.container.engine import Engine
from numerai_predict.runner.termination import raised_at_sigterm
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.named_data import absolute_source
from numerai_predict.terminal.screen import show


def run(options: argparse.Namespace) -> int:
    """Run `fleet run` or `fleet status`; returns 0 only if every model was delivered."""
    if options.subcommand == "status":
        return _status(options)
    engine = None if options.no_container else Engine.detect(os.environ)
    environments = available_environments(engine)
    config = _config(options, engine)
    entries = _entries(options, config, environments)
    reason = "as requested by --no-container" if options.no_container else "no container engine"
    try:
        with raised_at_sigterm():
            in_time = _run(config, entries, environments, reason)
    except (FleetError, ConnectionError) as error:
        raise Unfinished(str(error)) from error
    requested = config.only or {entry.id for entry in entries}
    return _conclude(config.output_dir, requested, in_time, as_json=options.json)


def _located(model: str) -> str:
    """The source of a row's model; a local copy of a registered one.

    Raises:
        ValueError: there is no such registered model.
    """
    try:
        return local_pickle(model)
    except RegistryError as error:
        raise ValueError(error.message) from None


def _config(options: argparse.Namespace, engine: Engine | None) -> FleetConfig:
    return FleetConfig(
        output_dir=options.output_dir.absolute(),
        dataset=absolute_source(options.dataset),
        benchmarks=absolute_source(options.benchmarks),
        dataset_folders=options.dataset_folders,
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        deadline=options.deadline,
        concurrency=options.concurrency,
        ray_address=options.ray_address,
        retry_failed=options.retry_failed,
        only=frozenset(options.only),
        models_per_worker=options.models_per_worker,
        engine=engine.command if engine else None,
        debug=options.debug,
        allow_version_mismatch=allows_version_mismatch(options.parser, options),
        hosted=options.hosted,
        acceleration=allows_acceleration(options),
        page=options.page,
    )


def _entries(
    options: argparse.Namespace, config: FleetConfig, environments: list[Environment]
) -> Sequence[ManifestEntry]:
    try:
        entries = read_fleet_manifest(options.manifest, config.limits, environments, _located)
    except InvalidManifest as error:
        raise UsageError(f"{error}; no model was run") from None
    if unknown := set(options.only) - {entry.id for entry in entries}:
        raise UsageError(f"--only: no model {', '.join(sorted(unknown))} in {options.manifest}")
    return entries


def _run(
    config: FleetConfig,
    entries: Sequence[ManifestEntry],
    environments: list[Environment],
    reason: str,
) -> bool:
    """Run the models; returns whether all ended before the deadline."""
    from numerai_predict.fleet.run import run_fleet  # it imports Ray, which `status` does not need

    with FleetDisplay() as display:
        images = ", ".join(each.image for each in environments if each.image is not None)
        if images:
            display.say(f"Images found: {images}")
        if config.engine is None:
            display.say(f"{reason}: models run in the local Python, without a container")
        else:
            others = "Models whose image is not built run" if images else "No image is built:"
            display.say(f"{others} in the local Python, if it fits")
        return run_fleet(config, entries, environments, display)


def _conclude(directory: Path, requested: Collection[str], in_time: bool, *, as_json: bool) -> int:
    ledger = FleetLedger(directory)
    summary = FleetSummary.of(ledger)
    report = write_report(directory, ledger)
    ledger.close()
    if as_json:
        _print_json(summary)
    else:
        where = f"Results: {directory}; report with the timeline of the workers: {report}"
        show(*summary.parts(), "", one_line(where))
    if not in_time:
        text = "The deadline passed: run the same command again for the rest"
        print(text, file=sys.stderr if as_json else sys.stdout)
        return Verdict.DEADLINE.exit_code
    return 0 if summary.delivered(requested) else ProcessExit.UNFINISHED.exit_code


def _status(options: argparse.Namespace) -> int:
    directory: Path = options.directory
    if not (directory / FILE).is_file():
        raise UsageError(
            f"expected the output directory of a fleet run, found no {FILE} in {directory}"
        )
    ledger = FleetLedger(directory)
    summary = FleetSummary.of(ledger)
    ledger.close()
    if options.json:
        _print_json(summary)
    else:
        show(*summary.status_parts())
    return 0 if summary.delivered() else ProcessExit.UNFINISHED.exit_code


def _print_json(summary: FleetSummary) -> None:
    for remark in summary.remarks:
        print(one_line(remark), file=sys.stderr)
    print(json.dumps([_as_json(row) for row in summary.rows], indent=2))


def _as_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state.value,
        "verdict": row.verdict,
        "message": row.message,
        "environment": row.environment,
        "worker": row.worker,
        "attempts": row.attempts,
        "seconds": row.seconds,
        "peak_memory_bytes": row.peak_bytes,
    }
