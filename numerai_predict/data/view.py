"""Views: selected columns and eras of a data set, read in bounded memory.

pyarrow decodes int8 features through int32, and pandas would copy them two or three times. A
view is one array that is allocated once; small batches of columns and rows are decoded into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from numerai_predict.data import feature_sets as feature_sets
from numerai_predict.data.columns import (
    open_parquet,
    read_into,
    read_row_ids,
    read_texts,
    require_columns,
)
from numerai_predict.data.era_selection import Eras
from numerai_predict.data.feature_sets import FeatureSets

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class View:
    """Selected rows and columns of a data set.

    `ids` and `eras` have one string per row. `features` is int8 with shape (rows, features),
    `targets` float32 with shape (rows, targets), NaN in live data. Both are in column-major
    order: each column is contiguous.
    """

    ids: pa.Array
    eras: NDArray[np.str_]
    features: NDArray[np.int8]
    feature_names: list[str]
    targets: NDArray[np.float32]
    target_names: list[str]

    def frame(self) -> pd.DataFrame:
        """A DataFrame with the index `id` and the columns era, features and targets.

        Features and targets are not copied.
        """
        import pandas as pd

        index = pd.Index(self.ids.to_numpy(zero_copy_only=False), name="id")
        frame = pd.DataFrame(self.features, index, self.feature_names, copy=False)
        targets = pd.DataFrame(self.targets, index, self.target_names, copy=False)
        era = pd.Series(self.eras, index, name="era").to_frame()
        return pd.concat([era, frame, targets], axis=1, copy=False)


def read_view(
    path: Path,
    features: str | Sequence[str] = "small",
    targets: Sequence[str] = ("target",),
    eras: Eras | str = "all",
) -> View:
    """Read columns and eras of a parquet file of the tournament.

    `features` is a list of names, or the name of a set in the features.json of the same directory.

    Raises:
        DatasetUnavailable: there is no such file, set, column or era.
    """
    selection = Eras.of(eras) if isinstance(eras, str) else eras
    names = _feature_names(path, features)
    with open_parquet(path) as parquet:
        require_columns(parquet, path, [*names, *targets])
        all_eras = read_texts(parquet, "era", path)
        mask = selection.mask(all_eras)
        rows = int(mask.sum())
        view = View(
            ids=read_row_ids(parquet, mask),
            eras=all_eras if mask.all() else all_eras[mask],
            features=np.empty((rows, len(names)), np.int8, order="F"),
            feature_names=names,
            targets=np.empty((rows, len(targets)), np.float32, order="F"),
            target_names=list(targets),
        )
        read_into(parquet, names, mask, view.features, path)
        read_into(parquet, list(targets), mask, view.targets, path)
    return view


def _feature_names(path: Path, features: str | Sequence[str]) -> list[str]:
    if isinstance(features, str):
        return FeatureSets.read(path.parent / feature_sets.NAME).choose(features)
    return list(dict.fromkeys(features))
