"""Which version of the tournament's data the features in a pickle are probably of."""

from __future__ import annotations

import re
from collections.abc import Collection

# The versions by the number of features that the whole set has.
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
_FIRST_NAMES = re.compile(
    r"feature_(intelligence|charisma|strength|dexterity|constitution|wisdom)\d+"
)
_MOST_NAMED = 3


def probable_version(features: Collection[str], named: Collection[str]) -> str | None:
    """The version that the model was probably made for, in words; `None` if nothing tells.

    `named` are the versions that the model's own code names, like `v4.3/live.parquet`.
    """
    if named:
        return f"{' and '.join(named)}, which its own code names"
    if any(_FIRST_NAMES.fullmatch(name) for name in features):
        return "v2, whose features have such names"
    version = _VERSIONS.get(len(features))
    return f"{version}, which has as many features ({len(features):,})" if version else None


def describe_missing_features(
    features: Collection[str], named: Collection[str], columns: Collection[str]
) -> str | None:
    """What to say of features that the data set does not have; `None` if it has all."""
    missing = [name for name in features if name not in columns]
    if not missing:
        return None
    shown = ", ".join(missing[:_MOST_NAMED]) + (", ..." if len(missing) > _MOST_NAMED else "")
    version = probable_version(features, named)
    made_for = f"; it was probably made for the data of {version}" if version else ""
    return (
        f"the model names {len(missing):,} of {len(features):,} features that the data set "
        f"does not have: {shown}{made_for}"
    )
