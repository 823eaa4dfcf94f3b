"""`numerai-predict data`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from numerai_predict.data.sample import FILES, SampleShape, write_sample

_HELP = {
    "live_rows": "rows of live data",
    "rows": "rows an era of train and validation",
    "train_eras": "eras of train",
    "validation_eras": "eras of validation",
    "features": "features in all",
    "signal": "correlation of the best possible prediction with the target's score",
    "seed": "another seed, another sample",
}


def main(argv: Sequence[str]) -> int:
    """Run `data sample`; exit code 1 if it cannot be written."""
    parser = argparse.ArgumentParser(prog="numerai-predict data", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    sample = commands.add_parser(
        "sample",
        help="write a data set in the shape of v5.2",
        description="Write a made-up data set in the shape of v5.2 with a weak signal in it: "
        + ", ".join(FILES),
        allow_abbrev=False,
    )
    sample.add_argument("directory", type=Path, help="where the files go, like sample/")
    for field in fields(SampleShape):
        sample.add_argument(
            f"--{field.name}",
            type=type(field.default),
            default=field.default,
            help=f"{_HELP[field.name]} (default: %(default)s)",
        )
    options = vars(parser.parse_args(argv))
    del options["command"]
    directory = options.pop("directory")
    try:
        shape = SampleShape(**options)
    except ValueError as error:
        sample.error(str(error))
    try:
        write_sample(directory, shape)
    except OSError as error:
        print(f"numerai-predict data sample: {error}; choose another directory", file=sys.stderr)
        return 1
    print(f"wrote {', '.join(FILES)} to {directory}")
    return 0
