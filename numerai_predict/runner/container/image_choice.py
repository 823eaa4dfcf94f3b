"""Which of the available images runs a model: one decision for `run`, `round` and fleets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numerai_predict.inspection.compatibility import ranked_images
from numerai_predict.inspection.images import Image
from numerai_predict.inspection.inspect import Inspection


@dataclass(frozen=True)
class ImageChoice:
    """Where a model runs: in `image`, or, for the `reason`, in the local Python.

    `missing` is the image that would fit and is not available.
    """

    image: Image | None
    reason: str = ""
    missing: Image | None = None


def choose_available_image(
    inspection: Inspection,
    is_available: Callable[[Image], bool],
    is_allowed: Callable[[Image], bool] = lambda _: True,
) -> ImageChoice:
    """The image that fits best, or an available one that fits as well; else the local Python.

    An available image that fits worse is no replacement: it lacks something that the model needs.
    Whether the local Python fits is checked by what runs the model there.
    """
    if inspection.partial and inspection.pythons.legal is None:
        reason = "the model was not fully inspected, and its Python is unknown"
        return ImageChoice(None, reason)
    ranked = [each for each in ranked_images(inspection) if is_allowed(each.image)]
    if not ranked:
        return ImageChoice(None, "no image fits the model")
    best = ranked[0]
    fitting = [
        each.image
        for each in ranked
        if (each.level, len(each.reasons)) == (best.level, len(best.reasons))
    ]
    found = next(filter(is_available, fitting), None)
    if found is not None:
        return ImageChoice(found)
    reason = f"the image {best.image.name} is not built (`{best.image.build_command}` builds it)"
    return ImageChoice(None, reason, best.image)
