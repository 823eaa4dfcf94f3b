"""`numerai-predict train`: train models on a snapshot and bundle them as one pickle."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from numerai_predict.cli.api import api_url
from numerai_predict.cli.blend_table import blend_table
from numerai_predict.cli.registered_models import open_registry
from numerai_predict.cli.score_table import describe_largest_exposure, score_table
from numerai_predict.cli.training_plan import show_plan
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.server_name import server_of
from numerai_predict.contract.trained_eras import PICKLE
from numerai_predict.data.era_selection import era_name
from numerai_predict.registry.bundle_files import bundle_files
from numerai_predict.registry.reference import Reference
from numerai_predict.runner.options import dataset_version
from numerai_predict.runner.run_log import log_step
from numerai_predict.scoring.score_summary import ScoreSummary, beside_best_of
from numerai_predict.storage.directories import data_directory
from numerai_predict.storage.holdout_looks import describe_looks
from numerai_predict.storage.snapshot_server import require_server
from numerai_predict.terminal.screen import Part, show
from numerai_predict.tournament.gate_limits import GateLimits
from numerai_predict.tournament.settings import read_account_settings
from numerai_predict.training.bundle_verification import Trial
from numerai_predict.training.config_file import read_training_config
from numerai_predict.training.config_reference import defaults_as_yaml
from numerai_predict.training.evaluation import EXPOSURE
from numerai_predict.training.holdout import HoldoutFacts
from numerai_predict.training.pipeline import TrainingResult, plan_training, train
from numerai_predict.training.training_page import PAGE

_SHORTEST = 0.001  # seconds; 0 would switch the timer off
_REPEAT = 5.0  # seconds between alarms: the exception of the first may be lost in a callback


def run(options: argparse.Namespace) -> str | int:
    """Train as the configuration says; returns the message of success."""
    if options.print_defaults:
        print(defaults_as_yaml(), end="")
        return 0
    settings = read_training_config(options.config)
    if options.python:
        settings = settings.model_copy(update={"python": options.python})
    directory = settings.data.directory or _default_directory()
    if options.plan:
        return show_plan(plan_training(settings, directory, force=options.force), options.json)
    if options.register:
        open_registry().store.require_writable()
    with _interrupted_at(Deadline.after(options.deadline)):
        result = train(
            settings,
            directory,
            reveal_holdout=options.reveal_holdout,
            force=options.force,
        )
    if options.json:
        print(json.dumps(_as_json(result), indent=2))
    else:
        show(*_parts(result.scores, result.holdout), f"intervals: {result.overlap}")
        if result.search is not None:
            show(*blend_table(result.search))
    for sentence in result.absent:
        log_step("score", sentence)
    log_step("report", str(result.output / PAGE))
    for warning in blocking_gates(result.trial, gate_limits()):
        log_step("warning", warning)
    if options.register:
        files, facts = bundle_files(result.output / PICKLE)
        version = open_registry().add(options.register, files, facts, None)
        log_step("register", f"{Reference(options.register, version.number, None)}")
    return f"the bundle is ready; try it: {_run_command(result.output / PICKLE, directory)}"


def _as_json(result: TrainingResult) -> dict[str, Any]:
    """The bundle, the summaries of scores as in its manifest, and what is known of the holdout."""
    return {
        "bundle": str(result.output / PICKLE),
        "scores": result.scores,
        "holdout": asdict(result.holdout),
        "absent": list(result.absent),
        "overlap": result.overlap.as_entry(),
    }


def blocking_gates(trial: Trial, limits: GateLimits) -> list[str]:
    """Why `round` would not submit predictions like these, with the settings to change."""
    found = []
    exposure, limit = trial.exposure, limits.exposure_limit(trial.exposure_by_chance)
    if exposure is not None and exposure.correlation > limit:
        found.append(
            f"a submission would be blocked: the predictions' correlation with {exposure.feature} "
            f"is {exposure.correlation:.3f}, and the gate allows {limits.max_abs_exposure:g}: set "
            f"max_exposure: {limits.max_abs_exposure:g} in the configuration and train again, or "
            "change the limit with MAX_ABS_EXPOSURE"
        )
    if not trial.spread >= limits.min_pred_std:
        found.append(
            f"a submission would be blocked: the predictions' standard deviation is "
            f"{trial.spread:.3g}, and the gate requires {limits.min_pred_std:g}: train more rounds "
            "(rounds, learning_rate), or change the limit with MIN_PRED_STD"
        )
    return found


def gate_limits() -> GateLimits:
    """The limits of the account's settings; the defaults if those cannot be read."""
    try:
        return read_account_settings().limits
    except RunError:  # a training needs no account: `round` reports what is wrong with it
        return GateLimits()


def _run_command(pickle: Path, directory: Path) -> str:
    """A command that runs the pickle on the data of the training."""
    validation = directory / "validation.parquet"
    if not (directory / "live.parquet").is_file() and validation.is_file():
        source = str(validation.absolute())
        return shlex.join(["numerai-predict", "diagnose", str(pickle), "--validation", source])
    arguments = ["numerai-predict", "run", str(pickle)]
    for option, name in (
        ("--dataset", "live.parquet"),
        ("--benchmarks", "live_benchmark_models.parquet"),
    ):
        if (file := directory / name).is_file():
            arguments += [option, str(file.absolute())]
    return shlex.join(arguments)


def _default_directory() -> Path:
    """The snapshots of the server's data version.

    Raises:
        DatasetUnavailable: the snapshots are those of another server.
    """
    store = data_directory()
    require_server(store, server_of(api_url()))
    return store / dataset_version(os.environ)


@contextmanager
def _interrupted_at(deadline: Deadline) -> Iterator[None]:
    """Raise `DeadlinePassed` in the block when the deadline passes; what is finished is kept."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        deadline.check("train")

    if deadline.left() is None:
        yield
        return
    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, max(deadline.remaining(), _SHORTEST), _REPEAT)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _parts(scores: dict[str, Any], holdout: HoldoutFacts) -> list[Part]:
    """The scores of all windows together and of a revealed holdout, and their exposures."""
    summaries: dict[str, ScoreSummary] = {}
    exposures = []
    for part in ("windows", "holdout"):
        for name, facts in (scores[part] or {}).items():
            if name == EXPOSURE:
                exposures.append(
                    f"{part}: {describe_largest_exposure(facts['mean'], facts['largest'])}"
                )
            else:
                summaries[f"{part} {name}"] = ScoreSummary(**facts)
    left = (scores["holdout_best_of"] or {}).items()
    best_of = {f"holdout {name}": ScoreSummary(**facts) for name, facts in left}
    summaries = beside_best_of(summaries, best_of, holdout.models_shown)
    parts = score_table(summaries)
    parts += exposures
    corrected = any(each.mean is not None for each in best_of.values())
    return [*parts, *_holdout_lines(holdout, corrected)]


def _holdout_lines(holdout: HoldoutFacts, corrected: bool) -> Iterator[str]:
    """What is known of the holdout, and what its scores are of."""
    eras = f"eras {era_name(holdout.first)} to {era_name(holdout.last)}"
    if holdout.is_revealed:
        yield f"holdout: {describe_looks(holdout.models_shown, eras, corrected=corrected)}"
    else:
        yield (
            f"holdout: {eras} are not scored; --reveal-holdout scores them and counts the look "
            f"(models so far: {holdout.models_shown})"
        )
    if not holdout.is_bundled:
        yield (
            "use_holdout: the bundled models were also trained on the holdout and have no scores; "
            "the scores of the holdout are those of models trained without it"
        )
