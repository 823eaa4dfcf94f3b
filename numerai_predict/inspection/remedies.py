"""What to do about a pickle that does not run: the image to use, or how to make it anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numerai_predict.inspection.compatibility import (
    CompatibilityLevel,
    choose_image,
    unknown_modules,
)
from numerai_predict.inspection.images import Image, is_known, supported_pythons
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.python_versions import join_words


def next_steps(inspection: Inspection) -> list[str]:
    """What to do next, a line each: what to mend, and the line to run it with."""
    lines = [_capitalize(remedy_for_main())] if inspection.main_names else []
    lines += [
        f"Module {module} is in no image: {_remedy_for_unknown(module)}"
        for module in unknown_modules(inspection)
    ]
    chosen = choose_image(inspection)
    if chosen is None:
        return [*lines, f"No image runs it: {remedy_to_recreate(inspection)}"]
    if chosen.level >= CompatibilityLevel.LACKS:
        return [*lines, "Then run it with:", f"  {chosen.image.command(inspection.path)}"]
    return [*lines, "Run it with:", f"  {chosen.image.command(inspection.path)}"]


@dataclass(frozen=True)
class AttemptedRun:
    """A run that cannot be: its Python, its model's source, its options of data."""

    python: str
    model: str
    data: Mapping[str, str]

    def in_image(self, image: Image) -> str:
        """The name of the image, and the line that makes the same run in it."""
        return f"{image.name}: {image.command(self.model, self.data)}"


def remedy_for_python(inspection: Inspection, attempt: AttemptedRun) -> str:
    """What to do where this Python is not the pickle's: the image to use, with its line."""
    chosen = choose_image(inspection)
    if chosen is None:
        return remedy_to_recreate(inspection)
    return (
        f"make the pickle with Python {attempt.python}, or run it in the image of the Python that "
        f"made it, {attempt.in_image(chosen.image)}"
    )


def remedy_to_recreate(inspection: Inspection) -> str:
    """What to do about a pickle that no image runs."""
    wanted = join_words(supported_pythons(), "or")
    if inspection.pythons.corrupt:
        return (
            "write the file anew with cloudpickle.dump(predict, file), and make the pickle with "
            f"Python {wanted}"
        )
    return f"make the pickle with Python {wanted}"


def remedy_for_module(inspection: Inspection, module: str, attempt: AttemptedRun) -> str:
    """What to do about a module that is not here: the image that has it, or by value."""
    chosen = choose_image(inspection)
    if not is_known(module) or chosen is None:
        return _remedy_for_unknown(module)
    if chosen.image.has(module):
        return f"run it in the image that has {module}, {attempt.in_image(chosen.image)}"
    return f"use a library that the images of Python {attempt.python} have"


def remedy_for_main() -> str:
    """What to do about a pickle that only names a script's function."""
    return (
        "the pickle only names the function, as pickle.dump does for what a script defines: "
        "store it whole with cloudpickle.dump(predict, file)"
    )


def remedy_by_value(module: str) -> str:
    """How to store a module of one's own in the pickle."""
    return (
        "if the module is a file of your own, which cloudpickle stored by reference, store it in "
        f"the pickle: cloudpickle.register_pickle_by_value({module or 'module'}) before "
        "cloudpickle.dump"
    )


def _remedy_for_unknown(module: str) -> str:
    return f"use a library that the image has, or, {remedy_by_value(module)}"


def _capitalize(words: str) -> str:
    return words[:1].upper() + words[1:]
