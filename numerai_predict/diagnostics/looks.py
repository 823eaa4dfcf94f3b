"""Counts the models scored on a report's eras.

Selecting the best of several biases its score upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.contract.errors import SaveFailed
from numerai_predict.data.era_marks import EraMark
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import NoHomeDirectory, state_directory
from numerai_predict.storage.holdout_looks import Holdout, LookRecord, data_set_names
from numerai_predict.storage.snapshot_server import server_of_files


def count_look(
    validation: Path, target: str, eras: Mapping[str, EraMark], model: str
) -> int | None:
    """Record that a model's scores on the eras are shown; returns the number of such models.

    `eras` has the marks of each era, `model` is a hash of what determines the scores. `None` if the
    eras are not numbers, or the look cannot be recorded, which is logged: a diagnosis does not fail
    because of it.
    """
    if not eras or not all(era.isdecimal() for era in eras):
        return None
    numbers = sorted(int(era) for era in eras)
    try:
        marks = {mark.rows: mark.target for mark in eras.values()}
        holdout = Holdout(_names(validation), target, numbers[0], numbers[-1], marks)
        return LookRecord(state_directory()).add(holdout, model)
    except (SaveFailed, NoHomeDirectory) as error:
        log_step("warning", f"this look at the eras is not counted: {error}")
        return None


def _names(validation: Path) -> list[str]:
    """The names of the data set; the marks of its eras identify a file without any."""
    path = validation.absolute()
    server, version = server_of_files(path.parent, [path]), data_version_of(str(path))
    return data_set_names(server, version, [])
