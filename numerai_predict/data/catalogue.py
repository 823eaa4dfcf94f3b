"""Which files the tournament has, by the names that people type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from numerai_predict.contract.errors import (
    DatasetUnavailable,
    DatasetUnreachable,
    FetchFailed,
    FetchInterrupted,
)
from numerai_predict.contract.tournament_errors import TournamentUnavailable
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
query ($tournament: Int!) { rounds(tournament: $tournament number: 0) { number } }
"""


@dataclass(frozen=True)
class Catalogue:
    """The tournament's files of today."""

    api: Api

    def names(self) -> list[str]:
        """All files, like `v5.2/train.parquet`.

        Raises:
            DatasetUnreachable: the tournament gives no answer.
        """
        try:
            return sorted(map(str, self.api.query_with_retry(_LIST, tournament=TOURNAMENT)))
        except (TournamentUnavailable, RequestRefused) as error:
            raise DatasetUnreachable(
                f"expected the tournament's list of files, found: {error}",
                "try again later; `numerai-predict data sample` makes data up",
            ) from error

    def url(self, name: str) -> str:
        """Where a file lies, for one try to fetch it; its query is a secret.

        Raises:
            FetchFailed: there is none; `FetchInterrupted` where another try may succeed.
        """
        try:
            return str(self.api.query_with_retry(_URL, filename=name, tournament=TOURNAMENT))
        except RequestRefused as refused:
            raise FetchFailed(
                f"expected the tournament to have {name}, found that it says: {refused}",
                "`numerai-predict data list` tells what it has",
            ) from refused
        except TournamentUnavailable as error:
            raise FetchInterrupted(error.message, error.remedy) from error

    def round(self) -> int | None:
        """The number of the current round; `None` where the tournament says that there is none.

        Raises:
            DatasetUnreachable: the tournament gives no answer.
        """
        try:
            rounds = self.api.query_with_retry(_ROUND, tournament=TOURNAMENT)
        except RequestRefused as refused:
            if refused.reason is RefusalReason.NO_OPEN_ROUND:
                return None
            raise DatasetUnreachable(
                f"expected the current round, found that the tournament says: {refused}",
                "try again later",
            ) from refused
        except TournamentUnavailable as error:
            raise DatasetUnreachable(error.message, error.remedy) from error
        return int(rounds[0]["number"]) if rounds and rounds[0] else None


def resolve(wanted: Iterable[str], version: str, available: Iterable[str]) -> list[str]:
    """The exact names of what is wanted: `train` is `v5.2/train.parquet` of version v5.2.

    Raises:
        DatasetUnavailable: there is no such version, or there are no such files in it.
    """
    available = list(available)
    of_version = _files_of(version, available)
    found: list[str] = []
    unknown: list[str] = []
    for word in dict.fromkeys(wanted):
        name = word if "/" in word else _match(word, of_version, version)
        if name is not None and name in available:
            found.append(name)
        else:
            unknown.append(word)
    if unknown:
        others = ", ".join(sorted(of_version))
        raise DatasetUnavailable(
            f"expected files of {version}, found none called {', '.join(map(repr, unknown))}; "
            f"it has {others}",
            "name them as they are listed; the ending may be left out",
        )
    return list(dict.fromkeys(found))


def _files_of(version: str, available: list[str]) -> list[str]:
    versions = sorted({name.partition("/")[0] for name in available})
    if version not in versions:
        raise DatasetUnavailable(
            f"expected a version of the data, found {version!r}; "
            f"there are {', '.join(versions) or 'none'}",
            "choose one with --data-version, like --data-version v5.2",
        )
    return [name.partition("/")[2] for name in available if name.startswith(f"{version}/")]


def _match(word: str, files: list[str], version: str) -> str | None:
    """The file called so, or the only one called so but for its ending."""
    if word in files:
        return f"{version}/{word}"
    stems = [name for name in files if name.rpartition(".")[0] == word]
    return f"{version}/{stems[0]}" if len(stems) == 1 else None
