"""`numerai-predict deliver`: upload again what a failed run saved."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import RunError
from numerai_predict.contract.limits import parse_seconds
from numerai_predict.contract.verdicts import Verdict
from numerai_predict.runner.options import (
    add_post_options,
    argparse_type,
    parse_options,
    presigned_post,
    validated_by,
)
from numerai_predict.runner.run_log import log_verdict, start_logging, transfer_policy
from numerai_predict.storage.destinations import Destination, PostForm, deliver, destination_of
from numerai_predict.storage.files import sha256_of

_HEADER = b"id,prediction\n"
_LONGEST_RECORD_BYTES = 1024 * 1024


def main(argv: Sequence[str]) -> int:
    """Deliver a saved file; the exit code is that of the verdict, 2 on bad options."""
    parser = _parser()
    options = parse_options(parser, argv)
    deadline = Deadline.after(options.deadline)
    sinks: list[Destination] = [destination_of(options.output_dir)] if options.output_dir else []
    post = presigned_post(parser, options)
    sinks += [PostForm(post)] if post else []
    if not sinks:
        parser.error("expected where to: --post_url and --post_data, or --output_dir, or both")
    try:
        path = predictions_in(options.file)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        parser.error(f"{options.file}: {words}")
    return _deliver(path, sinks, deadline)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="numerai-predict deliver",
        description="Upload predictions that were saved and not delivered. The bytes and the "
        "form's key are the same at each try, so that one too many does no harm.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file",
        type=Path,
        help="the CSV of a run, or its result record (--result of predict.py)",
    )
    add_post_options(parser)
    parser.add_argument(
        "--output_dir",
        type=validated_by(destination_of),
        help="a directory or s3://bucket/prefix that shall have the file too, or alone",
    )
    parser.add_argument(
        "--deadline",
        type=argparse_type(parse_seconds),
        help="seconds for all tries (default: none)",
    )
    return parser


def predictions_in(file: Path) -> Path:
    """The CSV itself, or the one that a record names, if its bytes are still the same.

    Raises:
        OSError: a file cannot be read.
        ValueError: it is neither, or its predictions are not what they were.
    """
    with open(file, "rb") as handle:
        start = handle.read(_LONGEST_RECORD_BYTES)
    if start.startswith(_HEADER):
        return file.absolute()
    try:
        predictions = json.loads(start)["predictions"]
        named, sha256 = predictions["path"], predictions["sha256"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            "expected a CSV that begins with id,prediction, or the record of a run, found neither"
        ) from None
    if named is None:
        raise ValueError("expected the record of a run that saved predictions, found none in it")
    return _unchanged(_find(Path(named), file), sha256)


def _find(named: Path, record: Path) -> Path:
    """The file where the record says, or beside the record: a container has paths of its own."""
    beside = record.absolute().parent / named.name
    for path in (named, beside):
        if path.is_file():
            return path
    raise ValueError(f"expected the predictions at {named} or beside the record, found none")


def _unchanged(path: Path, sha256: Any) -> Path:
    if sha256_of(path) != sha256:
        raise ValueError(f"expected the bytes that the run saved in {path}, found others")
    return path


def _deliver(path: Path, sinks: list[Destination], deadline: Deadline) -> int:
    start_logging(debug=False)
    terms = transfer_policy(deadline, "deliver")
    try:
        message = f"delivered to {deliver(path, sinks, terms)}"
    except RunError as error:
        log_verdict(error.verdict.word, error.verdict.exit_code, error.message, error.remedy)
        return error.verdict.exit_code
    log_verdict(Verdict.OK.word, Verdict.OK.exit_code, message, None)
    return Verdict.OK.exit_code
