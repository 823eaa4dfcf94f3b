"""The options of `predict.py`, read once and validated into a job."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from numerai_predict.contract.dataset_name import KNOWN_DATA_VERSION
from numerai_predict.contract.job import (
    NO_FOLDERS,
    DatasetFolders,
    Job,
    PresignedPost,
    parse_presigned_post,
)
from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.contract.path_access import barred_by, is_directory, system_directory
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.runner.acceleration_option import add_acceleration, allows_acceleration
from numerai_predict.runner.option_parser import OptionParser, argparse_type, validated_by
from numerai_predict.runner.version_mismatch import (
    add_version_mismatch,
    allows_version_mismatch,
)
from numerai_predict.storage.destinations import destination_of
from numerai_predict.storage.directories import dataset_folders
from numerai_predict.storage.files import is_special
from numerai_predict.storage.named_data import data_source_of
from numerai_predict.storage.sources import source_of

MODEL_SOURCE = "file, http(s):// URL or s3://bucket/key"


@dataclass(frozen=True)
class Defaults:
    """Values of options that are left out; `data_shown` names those of the data in the help."""

    dataset: str
    benchmarks: str
    output_dir: Path
    dataset_folders: DatasetFolders = NO_FOLDERS
    data_shown: str = "%(default)s"

    @classmethod
    def hosted(cls, environment: Mapping[str, str]) -> Defaults:
        """The tournament's live data of `NUMERAI_DATASET_VERSION`, as in an image."""
        version = dataset_version(environment)
        return cls(
            dataset=f"{version}/live.parquet",
            benchmarks=f"{version}/live_benchmark_models.parquet",
            output_dir=Path("/tmp"),  # noqa: S108 - public: hosted compute looks there
            dataset_folders=dataset_folders(environment),
        )


def dataset_version(environment: Mapping[str, str]) -> str:
    """The data version of the tournament: `NUMERAI_DATASET_VERSION`, else the default."""
    return environment.get("NUMERAI_DATASET_VERSION") or KNOWN_DATA_VERSION


def parse_job(
    argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Job:
    """The job of a command line of `predict.py`; exits with 2 on invalid options."""
    parser = predict_parser(Defaults.hosted(environment))
    return job_from_options(parser, parser.parse(argv))


def predict_parser(defaults: Defaults) -> OptionParser:
    """The parser of `predict.py`."""
    parser = OptionParser(
        prog="predict.py",
        usage="%(prog)s --model MODEL [OPTIONS]",
        description="Run a pickled Numerai prediction function on live data and validate the "
        "predictions as the tournament does.",
        epilog="example:\n  python predict.py --model my.pkl --output_dir predictions",
    )
    data = parser.add_argument_group("model and data")
    data.add_argument(
        "--model", required=True, type=validated_by(source_of), help=f"the pickle: {MODEL_SOURCE}"
    )
    data.add_argument(
        "--model-source",
        metavar="NAME",
        help="name of the pickle in messages and in the record, where --model is a copy of it "
        "(default: the value of --model)",
    )
    add_run_options(parser, data, defaults)
    parser.add_general_options()
    return parser


def add_run_options(
    parser: OptionParser, data: argparse._ArgumentGroup, defaults: Defaults
) -> None:
    """Add the options of one run, except for the model: sources to `data`, then all others."""
    add_live_data(data, defaults)
    results = parser.add_argument_group("results")
    add_output_dir(
        results, str(defaults.output_dir), "existing directory, or s3://..., for the predictions"
    )
    add_post(results)
    results.add_argument(
        "--result", type=Path, metavar="FILE", help="write a JSON record of the run to this file"
    )
    results.add_argument(
        "--check",
        action="store_true",
        help="inspect the pickle without unpickling it, print what was found, and stop",
    )
    add_hosted(results)
    add_acceleration(results)
    add_version_mismatch(data)
    add_limits(parser)
    parser.set_defaults(dataset_folders=defaults.dataset_folders, model_source=None)


def add_live_data(data: argparse._ArgumentGroup, defaults: Defaults) -> None:
    """Add `--dataset` and `--benchmarks`."""
    data.add_argument(
        "--dataset",
        default=defaults.dataset,
        type=validated_by(data_source_of),
        metavar="SOURCE",
        help="live features: name of a Numerai data set, file (a path that starts with / or ./), "
        "URL or s3://... "
        f"(default: {defaults.data_shown})",
    )
    data.add_argument(
        "--benchmarks",
        default=defaults.benchmarks,
        type=validated_by(data_source_of),
        metavar="SOURCE",
        help="live benchmark models, for models with two parameters "
        f"(default: {defaults.data_shown})",
    )


def add_output_dir(
    group: argparse._ArgumentGroup,
    default: str | None,
    meaning: str,
    kind: Callable[[str], object] | None = None,
    required: bool = False,
) -> None:
    """Add `--output-dir`; without a default, the help names none."""
    shown = f" (default: {default})" if default else ""
    group.add_argument(
        "--output-dir",
        "--output_dir",
        default=default,
        required=required,
        type=kind or validated_by(destination_of),
        metavar="DIR",
        help=f"{meaning}{shown}",
    )


def add_post(group: argparse._ArgumentGroup) -> None:
    """Add the two options of an upload by presigned POST."""
    group.add_argument(
        "--post-url",
        "--post_url",
        metavar="URL",
        help="presigned S3 POST that receives the predictions",
    )
    group.add_argument(
        "--post-data", "--post_data", metavar="FIELDS", help="its form fields, urlencoded"
    )


def add_hosted(group: argparse._ArgumentGroup) -> None:
    """Add `--hosted`."""
    group.add_argument(
        "--hosted",
        action="store_true",
        help="fail if hosted compute would refuse the model or its predictions",
    )


def add_limits(parser: OptionParser, deadline: float | None = None) -> None:
    """Add the limits and the isolation of the model, and the deadline of the command."""
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--memory",
        default=Limits().memory_bytes,
        type=argparse_type(parse_size),
        metavar="SIZE",
        help="memory limit of the model, like 512m or 4g, or none (default: 4g)",
    )
    limits.add_argument(
        "--timeout",
        default=Limits().seconds,
        type=argparse_type(parse_seconds),
        metavar="SECONDS",
        help="time limit of the model in seconds, or none (default: 600)",
    )
    _add_deadline(limits, deadline)
    parser.add_argument_group("isolation").add_argument(
        "--sandbox",
        default=Sandbox.AUTO.value,
        choices=[mode.value for mode in Sandbox],
        help="isolation of the model: auto uses every layer that the machine supports, require "
        "fails where one is missing, off uses none (default: %(default)s)",
    )


def add_deadline(parser: OptionParser, default: float | None = None) -> None:
    """Add `--deadline` under "limits"; `default` is in seconds, `None` for no deadline."""
    _add_deadline(parser.add_argument_group("limits"), default)


def _add_deadline(group: argparse._ArgumentGroup, default: float | None) -> None:
    shown = "none" if default is None else f"{default:g}"
    group.add_argument(
        "--deadline",
        default=default,
        type=argparse_type(parse_seconds),
        metavar="SECONDS",
        help=f"time limit for the whole command in seconds, or none (default: {shown})",
    )


def job_from_options(parser: OptionParser, options: argparse.Namespace, model: str = "") -> Job:
    """The job of the options, of `model` if given; exits with 2 if they contradict each other."""
    if options.result is not None and not is_directory(options.result.absolute().parent):
        if barred := barred_by(options.result.absolute()):
            parser.error(f"--result: {barred.found}: {barred.remedy}")
        parser.error(f"--result: expected an existing directory, found {options.result.parent}")
    if options.result is not None and is_special(options.result):
        parser.error(
            f"--result: expected a file, found a device, pipe or socket at {options.result}"
        )
    if options.result is not None and (system := system_directory(options.result)):
        parser.error(f"--result: expected a file in a directory of files, found one in {system}")
    remote = "://" in options.output_dir
    return Job(
        model=model or options.model,
        dataset=options.dataset,
        benchmarks=options.benchmarks,
        output_dir=_before_upload() if remote else Path(options.output_dir).absolute(),
        output_url=options.output_dir if remote else None,
        dataset_folders=options.dataset_folders,
        post=presigned_post(parser, options),
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        deadline=options.deadline,
        result=options.result,
        debug=options.debug,
        check=options.check,
        hosted=options.hosted,
        acceleration=allows_acceleration(options),
        allow_version_mismatch=allows_version_mismatch(parser, options),
        model_source=options.model_source,
    )


def _before_upload() -> Path:
    """Where a file is saved that is uploaded next; that it is writable is required by the run."""
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path("/tmp")  # noqa: S108


def job_to_argv(job: Job) -> list[str]:
    """The arguments of `predict.py` that describe this job."""
    argv = ["--model", job.model, "--dataset", job.dataset, "--benchmarks", job.benchmarks]
    argv += ["--output_dir", job.output_url or str(job.output_dir)]
    argv += ["--memory", str(job.limits.memory_bytes or "none")]
    argv += ["--timeout", str(job.limits.seconds or "none")]
    argv += ["--sandbox", job.sandbox.value]
    if job.post is not None:
        argv += ["--post_url", job.post.url, "--post_data", urlencode(job.post.fields)]
    optional = {
        "--deadline": job.deadline,
        "--result": job.result,
        "--model-source": job.model_source,
    }
    for option, value in optional.items():
        if value is not None:
            argv += [option, str(value)]
    argv += ["--no-acceleration"] * (not job.acceleration)
    argv += ["--allow-version-mismatch"] * job.allow_version_mismatch
    return argv + ["--debug"] * job.debug + ["--check"] * job.check + ["--hosted"] * job.hosted


def presigned_post(parser: OptionParser, options: argparse.Namespace) -> PresignedPost | None:
    """The upload that the options describe; exits with 2 if one is missing or invalid."""
    names = ("--post-url", "--post-data")
    try:
        return parse_presigned_post(options.post_url, options.post_data, names)
    except ValueError as error:
        parser.error(str(error))
