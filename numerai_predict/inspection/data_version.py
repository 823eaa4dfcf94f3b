"""Estimate the version of the tournament's data from the features in a pickle."""

from __future__ import annotations

import re
from collections.abc import Collection

# The data version by its total number of features.
_VERSIONS = {
    310: "v2",
    1050: "v3",
    1191: "v4",
    1586: "v4.1",
    2132: "v4.2",
    2376: "v4.3 or v5.0",
    2562: "v5.1",
    2748: "v5.2",
}
# v5.3 adds about 807 features to those of v5.2.
_V5_3, _V5_3_FEATURES = range(3_450, 3_660), "v5.3, which has about 3,550 features"
_FIRST_NAMES = re.compile(
    r"feature_(intelligence|charisma|strength|dexterity|constitution|wisdom)\d+"
)
_MAX_NAMED = 3


def probable_version(features: Collection[str], named_versions: Collection[str]) -> str | None:
    """The data version that the model was probably made for, with the reason.

    `named_versions` are versions that the model's code mentions, as in `v4.3/live.parquet`.
    `None` if nothing indicates a version.
    """
    if named_versions:
        return f"{' and '.join(named_versions)}, which its code mentions"
    if any(_FIRST_NAMES.fullmatch(name) for name in features):
        return "v2, whose features have names like these"
    if len(features) in _V5_3:
        return _V5_3_FEATURES
    version = _VERSIONS.get(len(features))
    return f"{version}, which also has {len(features):,} features" if version else None


def describe_missing_features(
    features: Collection[str], named_versions: Collection[str], columns: Collection[str]
) -> str | None:
    """The warning about features that the data set lacks; `None` if it has all of them."""
    missing = [name for name in features if name not in columns]
    if not missing:
        return None
    shown = ", ".join(missing[:_MAX_NAMED]) + (", ..." if len(missing) > _MAX_NAMED else "")
    version = probable_version(features, named_versions)
    made_for = f"; it was probably made for data version {version}" if version else ""
    return (
        f"the data set lacks {len(missing):,} of {len(features):,} features that the model "
        f"names: {shown}{made_for}"
    )
