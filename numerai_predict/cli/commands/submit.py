"""`numerai-predict submit`: submit predictions to the current round at most once."""

from __future__ import annotations

import argparse
import codecs
import json
from pathlib import Path

from numerai_predict.cli.commands.deliver import predictions_in
from numerai_predict.cli.options import data_dir
from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.server_name import server_of
from numerai_predict.contract.tournament_errors import SubmissionRefused
from numerai_predict.runner.bundle_check import check_pickle
from numerai_predict.runner.bundle_data import ModelInput, check_data
from numerai_predict.runner.option_parser import is_pickle_path
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.directories import state_directory
from numerai_predict.storage.graphql import Api
from numerai_predict.tournament.client import Tournament
from numerai_predict.tournament.gate_limits import format_figures
from numerai_predict.tournament.gates import check_gates, expected_columns
from numerai_predict.tournament.round_ledger import RoundLedger
from numerai_predict.tournament.round_runner import snapshot_live
from numerai_predict.tournament.settings import read_account_settings
from numerai_predict.tournament.submissions import describe_submission, require_open, submit

_HEADERS = (b"id,prediction", b"id,probability")
_LONGEST_HEADER = 100


def run(options: argparse.Namespace) -> str:
    """Submit a file to the current round; returns the message of success."""
    deadline = Deadline.after(options.deadline)
    settings = read_account_settings(options.keys_file)
    policy = transfer_policy(deadline, "submit")
    tournament = Tournament(Api(settings.api_url, policy, settings.required_keys()))
    model = tournament.model(options.model_name)
    round_ = tournament.current_round()
    require_open(round_, options.allow_late, tournament.wait_for_opening)
    predictions = _predictions_file(options.file)
    if predictions != options.file.absolute():
        _check_bundle(options, server_of(settings.api_url))
    live, features = snapshot_live(
        data_dir(options, settings.api_url),
        options.data_version,
        Api(settings.api_url, policy),
        ("live.parquet", "features.json"),
    )
    expected = expected_columns((), features)
    limits = settings.limits.of_model(options.model_name)
    figures = check_gates(predictions, live, expected, limits)
    log_step("gates", f"passed: {format_figures(figures)}")
    ledger = RoundLedger.at(state_directory(), round_.number, model.id)
    with ledger.locked(deadline):
        done = submit(tournament, model, round_, predictions, ledger, options.replace)
    return describe_submission(done, model, round_)


def _predictions_file(path: Path) -> Path:
    """The CSV itself, under either of the tournament's headers, or the one that a record names."""
    try:
        with open(path, "rb") as handle:
            if _plain(handle.readline(_LONGEST_HEADER)) in _HEADERS:
                return path.absolute()
        return predictions_in(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SubmissionRefused(f"{path}: {reason}", _remedy(path)) from error


def _check_bundle(options: argparse.Namespace, server: str) -> None:
    """Compare the bundle that a record names with its manifest, and with the data of its run.

    Raises:
        ModelUnavailable: the predictions are those of another pickle than the bundle has.
        DatasetUnavailable: its model was trained on data of another version or server.
    """
    record = json.loads(options.file.read_bytes())
    model, dataset = (_texts(record.get(name)) for name in ("model", "dataset"))
    allowed = allows_version_mismatch(options.parser, options)
    live = ModelInput(dataset.get("source", ""), (), server, allowed)
    if {"source", "sha256"} <= model.keys():
        check_data(check_pickle(model["source"], model["sha256"]), live)


def _texts(section: object) -> dict[str, str]:
    """The texts of a section of a record, by their names."""
    items = section.items() if isinstance(section, dict) else ()
    return {name: value for name, value in items if isinstance(value, str)}


def _plain(header: bytes) -> bytes:
    """The header without a byte order mark and without quotes, which spreadsheets write."""
    names = header.removeprefix(codecs.BOM_UTF8).strip().split(b",")
    return b",".join(name.strip().strip(b'"') for name in names)


def _remedy(path: Path) -> str:
    if is_pickle_path(path.name):
        return f"run and submit a pickle: numerai-predict round {path} --model-name NAME"
    return "give the CSV of a run, or its result record"
