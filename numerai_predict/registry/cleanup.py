"""Removes old versions that nothing needs, and contents that no version has."""

from __future__ import annotations

import re

from numerai_predict.registry.registry import OBJECTS, Registry, object_name

# A younger content may belong to a version that is being added.
UNUSED_SECONDS = 24 * 3600.0
# The directory may be of another program, which has files of its own there.
_CONTENT = re.compile(rf"{OBJECTS}([0-9a-f]{{2}})/\1[0-9a-f]{{62}}")


def remove_old_versions(registry: Registry, name: str, keep: int) -> list[int]:
    """Remove the versions of a model that are neither among the newest nor needed by an alias.

    Returns their numbers.
    """
    numbers = list(registry.history(name).versions)[:-keep]
    reason = f"not among the newest {keep}"
    return [number for number in numbers if registry.remove(name, number, reason)]


def remove_unused_contents(registry: Registry, min_age: float = UNUSED_SECONDS) -> list[str]:
    """Remove stored contents that no version has and that are so many seconds old.

    Returns their names in the store.
    """
    versions = (registry.history(name).versions.values() for name in registry.models())
    needed = {
        object_name(file)
        for each in versions
        for version in each
        for file in version.added.files.values()
    }
    store = registry.store
    unused = [
        name
        for name in store.names(OBJECTS)
        if _CONTENT.fullmatch(name) and name not in needed and store.age(name) >= min_age
    ]
    for name in unused:
        store.remove(name)
    return unused
