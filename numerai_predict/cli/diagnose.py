"""`numerai-predict diagnose`: a pickle over past eras, and a page about it."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.cli.common import add_data, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits, format_size
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.data_files import find_data_files
from numerai_predict.diagnostics.diagnose import Diagnosis, diagnose
from numerai_predict.diagnostics.html_page import format_number, score_names
from numerai_predict.diagnostics.progress import EraProgress
from numerai_predict.runner.options import add_deadline, add_limits, validated_by
from numerai_predict.runner.run_log import log_step, stderr_terminal
from numerai_predict.storage.sources import source_of


def main(argv: Sequence[str]) -> int:
    """Diagnose a model; the exit code is that of the verdict, 2 on bad options."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict diagnose",
        description="Run a pickle, isolated and within the hosted limits, over past eras, each as "
        "if it were a round, and write a page (diagnose.html, diagnose.json) on its scores, "
        "exposures and turnover.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model", required=True, type=validated_by(source_of), help="pickle: file, URL or s3://..."
    )
    parser.add_argument(
        "--validation",
        type=Path,
        help="file of past eras, or a folder with validation.parquet (default: that of --version "
        "in --directory); what lies beside it is taken by its name",
    )
    _add_files(parser)
    parser.add_argument("--eras", default="all", help="like every:4 or 0600-0700 (default: all)")
    parser.add_argument("--target", default="target", help="column (default: %(default)s)")
    parser.add_argument("--benchmark", help="benchmark model of BMC (default: the file's first)")
    parser.add_argument(
        "--fnc", default="medium", help="feature set of FNC, or none (default: %(default)s)"
    )
    parser.add_argument(
        "--output_dir", type=Path, default=Path(), help="existing folder (default: this one)"
    )
    parser.add_argument(
        "--local", action="store_true", help="run in this Python, also where an image could be used"
    )
    add_data(parser)
    add_limits(parser)
    add_deadline(parser)
    parser.add_argument("--debug", action="store_true", help="log more")
    options = parser.parse_args(argv)
    return exit_code_of(lambda: _diagnose(options), options.debug)


def _add_files(parser: argparse.ArgumentParser) -> None:
    for option, usual in (
        ("features", "features.json"),
        ("benchmarks", "<validation>_benchmark_models.parquet"),
        ("meta_model", "meta_model.parquet"),
    ):
        parser.add_argument(
            f"--{option}", type=Path, help=f"file (default: {usual} beside the validation file)"
        )


def _diagnose(options: argparse.Namespace) -> str:
    deadline = Deadline.after(options.deadline)
    validation = options.validation or options.directory / options.version
    plan = DiagnosisConfig(
        model=options.model,
        files=find_data_files(validation, options.features, options.benchmarks, options.meta_model),
        output_dir=options.output_dir.absolute(),
        eras=Eras.of(options.eras),
        target=options.target,
        benchmark=options.benchmark,
        neutral_to=None if options.fnc == "none" else options.fnc,
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        local=options.local,
        debug=options.debug,
    )
    progress = EraProgress(functools.partial(log_step, "predict"), stderr_terminal())
    try:
        done = diagnose(plan, deadline, progress.update)
    finally:
        progress.end()
    _show(done)
    return f"the page is {done.page}"


def _show(done: Diagnosis) -> None:
    report = done.report
    names = score_names(report)
    width = max(map(len, names.values()))
    print(f"{'':{width}}     mean      std   sharpe  drawdown  eras")
    for name, each in report.scores.items():
        print(
            f"{names[name]:{width}} {format_number(each.mean):>8} {format_number(each.std):>8} "
            f"{format_number(each.sharpe, 2):>8} {format_number(each.max_drawdown):>9} "
            f"{each.eras:>5}"
        )
    exposure = format_number(report.max_exposure.mean, 3)
    print(f"largest exposure of an era, mean: {exposure}")
    print(f"{report.turnover_kind.title.lower()}, mean: {format_number(report.turnover.mean, 2)}")
    usage = done.usage
    print(
        f"the model took {format_size(usage.peak_bytes)} at its peak, {usage.load_seconds:.2f} s "
        f"to load, {usage.slowest_seconds:.2f} s for its slowest era"
    )
