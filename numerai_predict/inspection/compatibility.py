"""Whether an image can run a pickle, and why not."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from numerai_predict.inspection.images import (
    FULL,
    Image,
    hosted_package,
    is_known,
    supported_images,
)
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.library_metadata import unreadable_kinds


class CompatibilityLevel(enum.IntEnum):
    """How well an image can run a pickle, from best to worst."""

    RUNS = 0
    MAY_RUN = 1
    LACKS = 2
    WRONG_PYTHON = 3

    @property
    def label(self) -> str:
        """The word shown in the table of images."""
        return {0: "yes", 1: "maybe", 2: "no", 3: "no"}[self.value]


@dataclass(frozen=True)
class Compatibility:
    """How well one image can run a pickle, and the reasons; no reasons if it runs."""

    image: Image
    level: CompatibilityLevel
    reasons: tuple[str, ...]


def compatibilities(inspection: Inspection) -> list[Compatibility]:
    """The compatibility with every supported image."""
    return [compatibility_with(inspection, image) for image in supported_images()]


def compatibility_with(inspection: Inspection, image: Image) -> Compatibility:
    """The compatibility of a pickle with an image: the worst level of all rules."""
    results = [result for rule in _RULES for result in rule(inspection, image)]
    level = max((level for level, _ in results), default=CompatibilityLevel.RUNS)
    return Compatibility(image, level, tuple(reason for _, reason in results))


def choose_image(inspection: Inspection) -> Compatibility | None:
    """The image to run the pickle in; `None` if no image can.

    The order is: best level, fewest reasons, smaller flavour, newest Python. If all images
    lack a module, the best of them is still returned: the module may be the user's own. If the
    pickle was not fully inspected, the larger flavour comes first: it may import more.
    """
    return next(iter(ranked_images(inspection)), None)


def ranked_images(inspection: Inspection) -> list[Compatibility]:
    """The images that are not of another Python than the pickle's, in the order of the choice."""
    fitting = [
        each for each in compatibilities(inspection) if each.level < CompatibilityLevel.WRONG_PYTHON
    ]
    return sorted(
        fitting,
        key=lambda each: (
            each.level,
            len(each.reasons),
            flavour_rank(inspection, each.image),
            _python_age(each),
        ),
    )


def flavour_rank(inspection: Inspection, image: Image) -> bool:
    """False for the flavour to prefer of two images that are equally compatible."""
    return (image.flavour == FULL) != bool(inspection.partial)


def unknown_modules(inspection: Inspection) -> list[str]:
    """Top-level modules in no image and no standard library: probably the user's own files."""
    top_level = dict.fromkeys(module.partition(".")[0] for module in inspection.references)
    return [module for module in top_level if not is_known(module)]


def _python_age(each: Compatibility) -> int:
    return -int(each.image.python.rpartition(".")[2])


def _check_python(inspection: Inspection, image: Image) -> Iterator[tuple[CompatibilityLevel, str]]:
    if inspection.pythons.exclude(image.python):
        yield CompatibilityLevel.WRONG_PYTHON, f"made by another Python ({inspection.pythons})"


def _check_references(
    inspection: Inspection, image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    top_level = dict.fromkeys(module.partition(".")[0] for module in inspection.references)
    missing = [_described(module, image) for module in top_level if not image.has(module)]
    if missing:
        yield CompatibilityLevel.LACKS, f"lacks {', '.join(missing)}"


def _described(module: str, image: Image) -> str:
    """The module, with the package that has it in the hosted environment alone."""
    package = hosted_package(image.python, module)
    return f"{module} (hosted has {package} here)" if package else module


def _check_main_names(
    inspection: Inspection, _image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    if inspection.main_names:
        yield (
            CompatibilityLevel.LACKS,
            f"lacks {', '.join(inspection.main_names)} from the script that made the pickle",
        )


def _check_imports(
    inspection: Inspection, image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    """An import in a function may be inside a `try` block, or never run."""
    missing = {
        module.partition(".")[0]: function
        for module, function in inspection.imports.items()
        if not image.has(module)
    }
    for module, function in missing.items():
        yield (
            CompatibilityLevel.MAY_RUN,
            f"lacks {_described(module, image)}, which {function} imports",
        )


def _check_versions(
    inspection: Inspection, image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    for module, made_with in inspection.versions.items():
        available = image.version(module)
        if available and _versions_differ(made_with, available):
            yield (
                CompatibilityLevel.MAY_RUN,
                f"different version of {module}: pickled with {made_with}, image has {available}",
            )


def _versions_differ(made_with: str, available: str) -> bool:
    """Whether major or minor version differ, as far as both are known."""
    pairs = zip(made_with.split(".")[:2], available.split(".")[:2], strict=False)
    return any(one != other for one, other in pairs)


def _check_pandas_objects(
    inspection: Inspection, image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    version = image.version("pandas")
    kinds = unreadable_kinds(inspection.pandas_kinds, version) if version else []
    if kinds:
        reason = f"has pandas {version}, which cannot read {' and '.join(kinds)}"
        yield CompatibilityLevel.LACKS, reason


def _check_extent(
    inspection: Inspection, _image: Image
) -> Iterator[tuple[CompatibilityLevel, str]]:
    """What was not inspected may need anything."""
    if inspection.partial:
        yield CompatibilityLevel.MAY_RUN, "not fully inspected"


_RULES: tuple[Callable[[Inspection, Image], Iterator[tuple[CompatibilityLevel, str]]], ...] = (
    _check_python,
    _check_references,
    _check_main_names,
    _check_imports,
    _check_versions,
    _check_pandas_objects,
    _check_extent,
)
