"""The catalogue of the tournament's files, and how their short names are resolved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
)
from numerai_predict.contract.tournament_errors import LocalServerStopped, TournamentUnavailable
from numerai_predict.storage.graphql import Api, RefusalReason, RequestRefused

TOURNAMENT = 8
_LIST = """
query ($tournament: Int) { listDatasets(tournament: $tournament) }
"""
_URL = """
query ($filename: String! $tournament: Int) {
  dataset(filename: $filename tournament: $tournament)
}
"""
_ROUND = """
query ($tournament: Int!) {
  rounds(tournament: $tournament number: 0) { number closeStakingTime }
}
"""


@dataclass(frozen=True)
class CurrentRound:
    """The round that opened last; `is_open` while submissions to it are in time."""

    number: int | None
    is_open: bool


NO_ROUND = CurrentRound(None, is_open=False)


@dataclass(frozen=True)
class Catalogue:
    """The tournament's files, by its API."""

    api: Api

    def names(self) -> list[str]:
        """All files, like `v5.2/train.parquet`.

        Raises:
            DatasetUnreachable: the tournament API does not respond.
        """
        try:
            return sorted(map(str, self.api.query_with_retry(_LIST, tournament=TOURNAMENT)))
        except (TournamentUnavailable, RequestRefused) as error:
            next_step = "try again later"
            if isinstance(error, TournamentUnavailable) and error.remedy:
                next_step = error.remedy
            raise DatasetUnreachable(
                f"expected the tournament's list of files, found: {error}",
                f"{next_step}; `numerai-predict data sample` writes synthetic data",
            ) from error

    def url(self, name: str) -> str:
        """The presigned URL of a file, for one attempt; its query is a secret.

        Raises:
            FetchFailed: there is no such file; `FetchInterrupted` where another attempt may
                succeed.
        """
        try:
            return str(self.api.query_with_retry(_URL, filename=name, tournament=TOURNAMENT))
        except RequestRefused as refused:
            raise FetchFailed(
                f"expected the tournament to have {name}, found that it responds: {refused}",
                "`numerai-predict data list` lists its files",
            ) from refused
        except LocalServerStopped as error:
            raise FetchFailed(error.message, error.remedy) from error
        except TournamentUnavailable as error:
            raise FetchInterrupted(error.message, error.remedy) from error

    def round(self) -> CurrentRound:
        """The current round; `NO_ROUND` if the tournament has none.

        Raises:
            DatasetUnreachable: the tournament API does not respond.
        """
        try:
            rounds = self.api.query_with_retry(_ROUND, tournament=TOURNAMENT)
        except RequestRefused as refused:
            if refused.reason is RefusalReason.NO_OPEN_ROUND:
                return NO_ROUND
            raise DatasetUnreachable(
                f"expected the current round, found that the tournament responds: {refused}",
                "try again later",
            ) from refused
        except TournamentUnavailable as error:
            raise DatasetUnreachable(error.message, error.remedy) from error
        if not rounds or not rounds[0]:
            return NO_ROUND
        row = rounds[0]
        return CurrentRound(int(row["number"]), _is_ahead(row.get("closeStakingTime")))


def _is_ahead(moment: Any) -> bool:
    """Whether a time of the API is in the future; not, if it cannot be read."""
    try:
        closes = datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
        return datetime.now(timezone.utc) < closes
    except (ValueError, TypeError):
        return False


def resolve(names: Iterable[str], version: str, available: Iterable[str]) -> list[str]:
    """The exact names of files: `train` is `v5.2/train.parquet` of the version v5.2.

    Raises:
        DatasetUnavailable: there is no such version, or it has no such files.
    """
    available = list(available)
    files = _files_of(version, available)
    resolved: list[str] = []
    unknown: list[str] = []
    for short in dict.fromkeys(names):
        name = short if "/" in short else _match(short, files, version)
        if name is not None and name in available:
            resolved.append(name)
        else:
            unknown.append(short)
    if unknown:
        existing = ", ".join(sorted(files))
        raise DatasetUnavailable(
            f"expected files of {version}, found none called {', '.join(map(repr, unknown))}; "
            f"it has {existing}",
            "use the listed names; the suffix may be omitted",
        )
    return list(dict.fromkeys(resolved))


def _files_of(version: str, available: list[str]) -> list[str]:
    versions = sorted({name.partition("/")[0] for name in available})
    if version not in versions:
        raise DatasetUnavailable(
            f"expected a version of the data, found {version!r}; "
            f"there are {', '.join(versions) or 'none'}",
            "choose one with --data-version, like --data-version v5.2",
        )
    return [name.partition("/")[2] for name in available if name.startswith(f"{version}/")]


def _match(short: str, files: list[str], version: str) -> str | None:
    """The file of that name, or the only one whose name without suffix it is."""
    if short in files:
        return f"{version}/{short}"
    matches = [name for name in files if name.rpartition(".")[0] == short]
    return f"{version}/{matches[0]}" if len(matches) == 1 else None
