"""The configuration of a diagnosis from the options of `diagnose` and `compare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from numerai_predict.cli.options import data_dir
from numerai_predict.cli.registered_models import local_pickle, registered_name
from numerai_predict.contract.dataset_name import is_dataset_name
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.data.era_selection import Eras
from numerai_predict.diagnostics.config import DiagnosisConfig
from numerai_predict.diagnostics.data_files import DiagnosisFiles, find_data_files
from numerai_predict.runner.acceleration_option import allows_acceleration
from numerai_predict.runner.run_log import log_step
from numerai_predict.runner.version_mismatch import allows_version_mismatch
from numerai_predict.storage.named_data import describe_unused_file


def diagnosis_config(options: argparse.Namespace, pickle: str) -> DiagnosisConfig:
    """The configuration for a pickle, which may be a registered model."""
    return DiagnosisConfig(
        model=local_pickle(pickle),
        files=_files(options),
        output_dir=options.output_dir.absolute(),
        eras=Eras.of(options.eras),
        target=options.target,
        benchmark=options.benchmark_model,
        neutral_to=None if options.fnc_features == "none" else options.fnc_features,
        limits=Limits(options.memory, options.timeout),
        sandbox=Sandbox(options.sandbox),
        local=options.no_container,
        debug=options.debug,
        acceleration=allows_acceleration(options),
        allow_version_mismatch=allows_version_mismatch(options.parser, options),
        name=registered_name(pickle),
    )


def _files(options: argparse.Namespace) -> DiagnosisFiles:
    """The data files that the options name; a data set by name is that of the snapshots."""

    def path(text: str | None) -> Path | None:
        if text is None or not is_dataset_name(text):
            return Path(text) if text else None
        if unused := describe_unused_file(text):
            log_step("warning", unused)
        return data_dir(options) / text

    return find_data_files(
        path(options.validation) or data_dir(options) / options.data_version,
        path(options.features_file),
        path(options.benchmarks),
        path(options.meta_model),
    )
