"""The options of `predict.py`, read once and validated into a job."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import numerai_predict
from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders, Job, PresignedPost
from numerai_predict.contract.limits import Limits, parse_seconds, parse_size
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.storage.destinations import destination_of
from numerai_predict.storage.directories import dataset_folders
from numerai_predict.storage.sources import source_of

_DATASET_VERSION = "v5.2"

_T = TypeVar("_T")


@dataclass(frozen=True)
class Defaults:
    """What the options mean where they are left out, and what the environment says."""

    dataset: str
    benchmarks: str
    output_dir: Path
    dataset_folders: DatasetFolders = NO_FOLDERS

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
    """The version of the tournament's data: `NUMERAI_DATASET_VERSION`, else the usual."""
    return environment.get("NUMERAI_DATASET_VERSION") or _DATASET_VERSION


def parse_job(
    argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Job:
    """The job that the command line of `predict.py` asks for; exits with 2 on bad options."""
    parser = argument_parser("predict.py", Defaults.hosted(environment))
    return job_from_options(parser, parse_options(parser, argv))


def argument_parser(program: str, defaults: Defaults) -> argparse.ArgumentParser:
    """The parser of the runner's options."""
    parser = argparse.ArgumentParser(
        prog=program,
        description="Run a pickled Numerai prediction function on live data and check what it "
        "returns as the tournament does.",
        allow_abbrev=False,
    )
    _add_sources(parser, defaults)
    _add_targets(parser, defaults)
    add_limits(parser)
    add_deadline(parser)
    parser.add_argument(
        "--check",
        action="store_true",
        help="examine the pickle without unpickling it, print what was found, stop",
    )
    parser.add_argument("--debug", action="store_true", help="log more, show full tracebacks")
    parser.set_defaults(dataset_folders=defaults.dataset_folders)
    version = f"numerai-predict {numerai_predict.__version__}"
    parser.add_argument("--version", action="version", version=version)
    return parser


def _add_sources(parser: argparse.ArgumentParser, defaults: Defaults) -> None:
    parser.add_argument(
        "--model",
        required=True,
        type=validated_by(source_of),
        help="pickle of predict(live_features[, live_benchmark_models]): file, http(s):// URL or "
        "s3://bucket/key",
    )
    parser.add_argument(
        "--dataset",
        default=defaults.dataset,
        type=validated_by(source_of),
        help="live features: file, URL, s3://... or Numerai data set (default: %(default)s)",
    )
    parser.add_argument(
        "--benchmarks",
        default=defaults.benchmarks,
        type=validated_by(source_of),
        help="live benchmark models, for models with two arguments (default: %(default)s)",
    )


def _add_targets(parser: argparse.ArgumentParser, defaults: Defaults) -> None:
    parser.add_argument(
        "--output_dir",
        default=str(defaults.output_dir),
        type=validated_by(destination_of),
        help="existing directory for the predictions, or s3://bucket/prefix (default: %(default)s)",
    )
    add_post_options(parser)
    parser.add_argument("--result", type=Path, help="write a JSON record of the run to this file")


def add_post_options(parser: argparse.ArgumentParser) -> None:
    """The two options of an upload."""
    parser.add_argument("--post_url", help="presigned S3 POST that takes the predictions")
    parser.add_argument("--post_data", help="its form fields, urlencoded")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The options of memory, time and isolation."""
    parser.add_argument(
        "--memory",
        default=Limits().memory_bytes,
        type=argparse_type(parse_size),
        help="memory limit of the model, like 4g, or none (default: 4g)",
    )
    parser.add_argument(
        "--timeout",
        default=Limits().seconds,
        type=argparse_type(parse_seconds),
        help="seconds that the model may run, or none (default: 600)",
    )
    parser.add_argument(
        "--sandbox",
        default=Sandbox.AUTO.value,
        choices=[mode.value for mode in Sandbox],
        help="isolation of the model: every layer that the machine allows, every layer or no run, "
        "or none (default: auto)",
    )


def add_deadline(parser: argparse.ArgumentParser) -> None:
    """The option that bounds the whole run; left out, nothing does."""
    parser.add_argument(
        "--deadline",
        type=argparse_type(parse_seconds),
        help="seconds for the whole run (default: none)",
    )


def parse_options(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> argparse.Namespace:
    """The options in the words; exits with 2 and a message that shows no secret."""
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        # Values are not shown: one may belong to a misspelt --post_data.
        names = [word.partition("=")[0] for word in unknown if word.startswith("-")]
        parser.error(f"unknown options: {' '.join(names) or 'a value without an option'}")
    return options


def job_from_options(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Job:
    """The job that the options ask for; exits with 2 where they contradict each other."""
    if options.result is not None and not options.result.absolute().parent.is_dir():
        parser.error(f"--result: expected an existing directory, found {options.result.parent}")
    remote = "://" in options.output_dir
    return Job(
        model=options.model,
        dataset=options.dataset,
        benchmarks=options.benchmarks,
        output_dir=Path(tempfile.gettempdir() if remote else options.output_dir).absolute(),
        output_url=options.output_dir if remote else None,
        dataset_folders=options.dataset_folders,
        post=presigned_post(parser, options),
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        deadline=options.deadline,
        result=options.result,
        debug=options.debug,
        check=options.check,
    )


def job_to_argv(job: Job) -> list[str]:
    """The words on a command line of `predict.py` that ask for this job."""
    words = ["--model", job.model, "--dataset", job.dataset, "--benchmarks", job.benchmarks]
    words += ["--output_dir", job.output_url or str(job.output_dir)]
    words += ["--memory", str(job.limits.memory_bytes or "none")]
    words += ["--timeout", str(job.limits.seconds or "none")]
    words += ["--sandbox", job.sandbox.value]
    if job.post is not None:
        words += ["--post_url", job.post.url, "--post_data", urlencode(job.post.fields)]
    for option, value in (("--deadline", job.deadline), ("--result", job.result)):
        if value is not None:
            words += [option, str(value)]
    return words + ["--debug"] * job.debug + ["--check"] * job.check


def presigned_post(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> PresignedPost | None:
    """The upload that the options ask for; exits with 2 on half of one, or a bad one."""
    url, data = options.post_url, options.post_data
    if (url is None) != (data is None):
        parser.error("--post_url and --post_data: expected both or neither")
    if url is None or data is None:
        return None
    try:
        is_url = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        is_url = False
    if not is_url:
        parser.error("--post_url: expected an http(s):// URL")
    try:
        fields = parse_qsl(data, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        parser.error("--post_data: expected urlencoded fields, like key=...&policy=...")
    return PresignedPost(url, tuple(fields))


def argparse_type(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """The parser as argparse wants it, which repeats the words of no other kind of error."""

    def value(text: str) -> _T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return value


def validated_by(parse: Callable[[str], object]) -> Callable[[str], str]:
    """The text itself, once it is known that it can be parsed: that is done where it is used."""

    def text_of(text: str) -> str:
        parse(text)
        return text

    return argparse_type(text_of)
