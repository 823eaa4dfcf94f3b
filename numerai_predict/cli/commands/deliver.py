"""`numerai-predict deliver`: upload again what a failed run saved."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from numerai_predict.cli.exit_codes import UsageError
from numerai_predict.contract.deadline import Deadline
from numerai_predict.runner.options import presigned_post
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.destinations import Destination, PostForm, deliver, destination_of
from numerai_predict.storage.files import sha256_of

_HEADER = b"id,prediction\n"
_LONGEST_RECORD_BYTES = 1024 * 1024


def run(options: argparse.Namespace) -> str:
    """Upload a saved file again; returns the message of success."""
    destinations = _destinations(options)
    try:
        path = predictions_in(options.file)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{options.file}: {reason}") from None
    policy = transfer_policy(Deadline.after(options.deadline), "deliver")
    return f"delivered to {deliver(path, destinations, policy)}"


def _destinations(options: argparse.Namespace) -> list[Destination]:
    destinations: list[Destination] = []
    if options.output_dir:
        destinations.append(destination_of(options.output_dir))
    if post := presigned_post(options.parser, options):
        destinations.append(PostForm(post))
    if not destinations:
        raise UsageError(
            "expected a destination: --post-url and --post-data, or --output-dir, or both"
        )
    return destinations


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
