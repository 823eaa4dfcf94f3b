"""`numerai-predict round`: a whole round in one command, which is safe to repeat."""

from __future__ import annotations

import argparse
from pathlib import Path

from numerai_predict.cli.options import data_dir
from numerai_predict.cli.registered_models import local_pickle
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.registry.reference import is_reference
from numerai_predict.runner.acceleration_option import allows_acceleration
from numerai_predict.runner.fetching import fetched_pickle
from numerai_predict.runner.run_log import transfer_policy
from numerai_predict.runner.termination import raised_at_sigterm
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.directories import state_directory
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.round_predictions import RoundConfig
from numerai_predict.tournament.round_runner import run_round
from numerai_predict.tournament.settings import AccountSettings, read_account_settings


def run(options: argparse.Namespace) -> str:
    """Run the current round; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys_file)
    api = Api(settings.api_url, transfer_policy(deadline, "submit"), settings.required_keys())
    source = local_pickle(options.pickle)
    with raised_at_sigterm(), fetched_pickle(source, deadline) as pickle:
        return run_round(_config(options, pickle, settings), Tournament(api), deadline)


def _shown_source(pickle: str) -> str | None:
    """How the record names a pickle that is fetched, or a registered one."""
    is_named = "://" in pickle or is_reference(pickle)
    return redact(pickle) if is_named else None


def _config(options: argparse.Namespace, pickle: Path, settings: AccountSettings) -> RoundConfig:
    return RoundConfig(
        pickle=pickle,
        source=_shown_source(options.pickle),
        model=options.model_name,
        version=options.data_version,
        data=data_dir(options, settings.api_url),
        state=state_directory(),
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        gates=settings.limits.of_model(options.model_name),
        wait=options.wait if options.wait is not None else float("inf"),
        replace=options.replace,
        late=options.allow_late,
        allow_version_mismatch=allows_version_mismatch(options.parser, options),
        no_container=options.no_container,
        acceleration=allows_acceleration(options),
    )
