"""`numerai-predict upload`: make a pickle the hosted model of an account's model."""

from __future__ import annotations

import argparse
from pathlib import Path

from numerai_predict.cli.registered_models import local_pickle
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.model_upload import UploadChoice, upload
from numerai_predict.tournament.settings import read_account_settings


def run(options: argparse.Namespace) -> str:
    """Upload a pickle and wait for its validation; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys_file)
    api = Api(settings.api_url, transfer_policy(deadline, "upload"), settings.required_keys())
    tournament = Tournament(api)
    model = tournament.model(options.model_name)
    allowed = allows_version_mismatch(options.parser, options)
    choice = UploadChoice(options.python, options.data_version, options.ignore_inspection, allowed)
    identity = upload(
        tournament,
        model,
        Path(local_pickle(options.pickle)),
        choice,
        deadline,
        lambda line: print(one_line(line), flush=True),
    )
    return f"validated as hosted model of {model.name}: {identity}"
