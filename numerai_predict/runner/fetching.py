"""Fetches the model and the data of a run; a failure gets the verdict of what was fetched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
    ModelUnavailable,
    ModelUnreachable,
    RunError,
)
from numerai_predict.contract.job import NO_FOLDERS, DatasetFolders
from numerai_predict.contract.limits import format_size
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.redaction import redact
from numerai_predict.contract.temporary_files import temporary_directory
from numerai_predict.runner.run_log import log_step, transfer_policy
from numerai_predict.storage.files import sha256_of
from numerai_predict.storage.named_data import describe_unused_file
from numerai_predict.storage.sources import LocalFile, source_of

if TYPE_CHECKING:
    from numerai_predict.runner.live_data import Shape


@dataclass(frozen=True)
class FetchedFile:
    """A file on this machine; `source` is where it came from, redacted, `size` its bytes."""

    source: str
    path: Path
    sha256: str
    size: int
    warnings: tuple[str, ...] = ()

    def as_data(self, shape: Shape | None = None) -> DataFacts:
        """The record's entry for a data set; rows and columns once its shape is known."""
        rows, columns = (None, None) if shape is None else (shape.rows, shape.columns)
        return DataFacts(self.source, self.sha256, rows, columns)


def fetch_model(
    source: str, deadline: Deadline, directory: Path, shown: str | None = None
) -> FetchedFile:
    """Fetch the model into a subdirectory of `directory`; a local file stays where it is.

    `shown` is its display name, by default the redacted source.

    Raises:
        ModelUnavailable: it cannot be fetched.
        DeadlinePassed: the deadline is over.
    """
    with _fetch_errors(ModelUnavailable, ModelUnreachable, "the model"):
        fetched = _fetch(source, deadline, _subdirectory(directory, "model"))
    fetched = replace(fetched, source=shown or fetched.source)
    log_step("fetch", f"model {fetched.source}, {format_size(fetched.size)}")
    return fetched


@contextmanager
def fetched_pickle(source: str, deadline: Deadline) -> Iterator[Path]:
    """The pickle as a local file; one from a URL or bucket is removed after the block.

    Raises:
        ModelUnavailable: it cannot be fetched.
        DeadlinePassed: the deadline is over.
    """
    located = source_of(source)
    if isinstance(located, LocalFile):
        yield located.path
        return
    with temporary_directory("numerai-fetch-") as folder:
        yield fetch_model(source, deadline, Path(folder)).path


def fetch_data(
    source: str, folders: DatasetFolders, deadline: Deadline, directory: Path, name: str
) -> FetchedFile:
    """Fetch a data set into the subdirectory `name`; a local file stays where it is.

    A local file that has the name of the data set is not used: the result's warning says so.

    Raises:
        DatasetUnavailable: it cannot be fetched.
        DeadlinePassed: the deadline is over.
    """
    unused = describe_unused_file(source)
    if unused:
        log_step("warning", unused)
    with _fetch_errors(DatasetUnavailable, DatasetUnreachable, "the data"):
        fetched = _fetch(source, deadline, _subdirectory(directory, name), folders)
    return replace(fetched, warnings=(unused,) if unused else ())


def _fetch(
    source: str, deadline: Deadline, directory: Path, folders: DatasetFolders = NO_FOLDERS
) -> FetchedFile:
    path = source_of(source, folders).fetch(directory, transfer_policy(deadline, "fetch"))
    return FetchedFile(redact(source), path, sha256_of(path), path.stat().st_size)


def _subdirectory(directory: Path, name: str) -> Path:
    """A new subdirectory: two sources may end in the same file name."""
    (directory / name).mkdir()
    return directory / name


@contextmanager
def _fetch_errors(
    unavailable: type[RunError], unreachable: type[RunError], what: str
) -> Iterator[None]:
    """Give a failed fetch the verdict of what was fetched."""
    try:
        yield
    except FetchInterrupted as error:
        raise unreachable(error.message, error.remedy) from error
    except FetchFailed as error:
        raise unavailable(error.message, error.remedy) from error
    except OSError as error:
        raise unavailable(
            f"expected to fetch {what}, found: {error.strerror}",
            "check the disk that holds the temporary files (TMPDIR), then try again",
        ) from error
