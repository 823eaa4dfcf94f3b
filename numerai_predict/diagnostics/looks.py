"""Counts the models scored on a report's eras.

Selecting the best of several biases its score upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from numerai_predict.contract.dataset_name import data_version_of
from numerai_predict.contract.errors import SaveFailed
from numerai_predict.runner.run_log import log_step
from numerai_predict.storage.directories import NoHomeDirectory, state_directory
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.holdout_looks import Holdout, LookRecord, data_set_names
from numerai_predict.storage.snapshot_server import server_of_files


def count_look(validation: Path, target: str, eras: Sequence[str], model: str) -> int | None:
    """Record that a model's scores on the eras are shown; returns the number of such models.

    `model` is a hash of what determines the scores. `None` if the eras are not numbers, or the
    look cannot be recorded, which is logged: a diagnosis does not fail because of it.
    """
    if not eras or not all(era.isdecimal() for era in eras):
        return None
    numbers = sorted(int(era) for era in eras)
    try:
        holdout = Holdout(_names(validation), target, numbers[0], numbers[-1])
        return LookRecord(state_directory()).add(holdout, model)
    except (SaveFailed, NoHomeDirectory) as error:
        log_step("warning", f"this look at the eras is not counted: {error}")
        return None


def _names(validation: Path) -> list[str]:
    """The names of the data set; the file's hash only where no other is known: it takes time."""
    path = validation.absolute()
    server, version = server_of_files(path.parent, [path]), data_version_of(str(path))
    known = server and version
    return data_set_names(server, version, [] if known else [sha256_of(path)])
