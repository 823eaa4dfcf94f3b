"""`numerai-predict train`: from a snapshot to a pickle that the runner runs."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numerai_predict.cli.common import exit_code_of
from numerai_predict.runner.options import dataset_version
from numerai_predict.storage.directories import data_directory


def main(argv: Sequence[str]) -> int:
    """Train as a file of configuration says; the exit code of the verdict."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict train",
        description="Train models on the tournament's data, validate them on windows that walk "
        "forward over the eras, and bundle them as one pickle that proved itself in the runner. "
        "A training that was broken off goes on when the same command is given again.",
        epilog="Each key can be set in the environment too: NUMERAI_TRAIN_ROUNDS=100, "
        "NUMERAI_TRAIN_LIGHTGBM__NUM_LEAVES=31, NUMERAI_TRAIN_SEEDS='[42]'.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "config", nargs="?", type=Path, help="YAML file (default: all keys at their defaults)"
    )
    parser.add_argument("--python", help="make the bundle for this Python, like 3.12, in its image")
    parser.add_argument(
        "--defaults", action="store_true", help="print all keys, explained, as YAML"
    )
    parser.add_argument("--debug", action="store_true", help="log more, show full tracebacks")
    options = parser.parse_args(argv)
    if options.defaults:
        from numerai_predict.training.config_reference import defaults_as_yaml

        print(defaults_as_yaml(), end="")
        return 0
    return exit_code_of(lambda: _train(options), options.debug)


def _train(options: argparse.Namespace) -> str:
    from numerai_predict.training.config import read_training_config
    from numerai_predict.training.pipeline import train

    settings = read_training_config(options.config)
    if options.python:
        settings = settings.model_copy(update={"python": options.python})
    version = dataset_version(os.environ)
    result = train(settings, settings.data.directory or data_directory() / version)
    print(_table(result.scores))
    return f"the bundle is made; try it: numerai-predict run --model {result.output / 'model.pkl'}"


def _table(scores: dict[str, Any]) -> str:
    """The scores of all windows together and of the holdout, a line each."""
    lines = [f"{'':16}{'mean':>9}{'std':>9}{'sharpe':>9}{'drawdown':>10}{'eras':>6}"]
    for part in ("windows", "holdout"):
        for name, facts in scores[part].items():
            numbers = (facts[key] for key in ("mean", "std", "sharpe", "max_drawdown"))
            mean, std, sharpe, fall = (
                "-" if value is None else f"{value:.4f}" for value in numbers
            )
            if name == "exposure":
                sharpe = fall = "-"
            lines.append(
                f"{part + ' ' + name:16}{mean:>9}{std:>9}{sharpe:>9}{fall:>10}{facts['eras']:>6}"
            )
    return "\n".join(lines)
