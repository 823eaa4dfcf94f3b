"""`numerai-predict upload`: a pickle as hosted model."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from numerai_predict.cli.common import add_deadline, add_keys, exit_code_of
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.redaction import printable
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.model_upload import UploadChoice, upload
from numerai_predict.tournament.settings import read_account_settings


def main(argv: Sequence[str]) -> int:
    """Upload a pickle; the exit code is that of the verdict, 2 on bad options."""
    parser = argparse.ArgumentParser(
        prog="numerai-predict upload",
        description="Upload a pickle as the hosted model of a model's name, with the Python that "
        "its inspection finds, and wait until the tournament has validated it.",
        allow_abbrev=False,
    )
    parser.add_argument("pickle", type=Path, help="the pickle; its name ends in .pkl")
    parser.add_argument("--model", required=True, metavar="NAME", help="the model's name")
    parser.add_argument("--python", help="like 3.12 (default: as the inspection finds)")
    parser.add_argument(
        "--data-version", help="like v5.2 (default: as the pickle names, else v5.2)"
    )
    parser.add_argument(
        "--force", action="store_true", help="also a pickle that fails its inspection"
    )
    add_keys(parser)
    add_deadline(parser, 1800)
    options = parser.parse_args(argv)
    return exit_code_of(lambda: _upload(options))


def _upload(options: argparse.Namespace) -> str:
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys)
    api = Api(settings.api_url, transfer_policy(deadline, "upload"), settings.required_keys())
    tournament = Tournament(api)
    model = tournament.model(options.model)
    choice = UploadChoice(options.python, options.data_version, options.force)
    identity = upload(
        tournament,
        model,
        options.pickle,
        choice,
        deadline,
        lambda line: print(printable(line), flush=True),
    )
    return f"validated as hosted model of {model.name}: {identity}"
