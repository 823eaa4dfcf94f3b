"""features.json: the names in each feature set, and the targets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from numerai_predict.contract.errors import DatasetUnavailable

NAME = "features.json"


@dataclass(frozen=True)
class FeatureSets:
    """Feature names by the name of the set, like `small`, and the names of the targets."""

    sets: dict[str, list[str]]
    targets: list[str]

    @classmethod
    def read(cls, path: Path) -> FeatureSets:
        """Read a features.json.

        Raises:
            DatasetUnavailable: it is missing or invalid.
        """
        try:
            document = json.loads(path.read_bytes())
            return cls(
                {
                    str(name): list(map(str, names))
                    for name, names in document["feature_sets"].items()
                },
                list(map(str, document["targets"])),
            )
        except OSError as error:
            raise DatasetUnavailable(
                f"expected {path}, found: {error.strerror}",
                "fetch it with `numerai-predict data get features`, or list the features",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetUnavailable(
                f"expected feature_sets and targets in {path}, found something else",
                "get it again with `numerai-predict data get features --refetch`",
            ) from error

    def choose(self, features: str | Sequence[str]) -> list[str]:
        """The features of the set of that name, or of a list without duplicates.

        Raises:
            DatasetUnavailable: there is no set of that name.
        """
        if not isinstance(features, str):
            return list(dict.fromkeys(features))
        if features not in self.sets:
            raise DatasetUnavailable(
                f"expected a feature set, found {features!r}; there are {', '.join(self.sets)}",
                "choose one of them, or list the features",
            )
        return self.sets[features]
