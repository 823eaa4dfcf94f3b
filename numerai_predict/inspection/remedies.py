"""Remedies for a pickle that does not run: the image to use, or how to recreate it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from numerai_predict.inspection.compatibility import (
    CompatibilityLevel,
    choose_image,
    unknown_modules,
)
from numerai_predict.inspection.images import (
    Image,
    hosted_package,
    is_known,
    newest_python_with,
    supported_pythons,
)
from numerai_predict.inspection.inspect import Inspection
from numerai_predict.inspection.python_versions import join_words


def next_steps(inspection: Inspection, command: Callable[[Image, str], str]) -> list[str]:
    """Remedies as lines of text, then the command that runs the pickle."""
    lines = [_capitalize(remedy_for_main())] if inspection.main_names else []
    lines += [
        f"Module {module} is not in any image: {remedy_for_unknown(module)}"
        for module in unknown_modules(inspection)
    ]
    chosen = choose_image(inspection)
    if chosen is None:
        return [*lines, f"No image can run it: {remedy_to_recreate(inspection)}"]
    title = "Then run it with:" if chosen.level >= CompatibilityLevel.LACKS else "Run it with:"
    return [*lines, title, f"  {command(chosen.image, inspection.path)}"]


@dataclass(frozen=True)
class AttemptedRun:
    """A run that this Python cannot do.

    `python` is the Python that was tried, `model` the model's source, `data` the data options
    of the command with their sources.
    """

    python: str
    model: str
    data: Mapping[str, str]

    def in_image(self, image: Image) -> str:
        """The image's name and the command that does the same run in it."""
        return f"{image.name}: {image.command(self.model, self.data)}"


def remedy_for_python(inspection: Inspection, run: AttemptedRun) -> str:
    """The remedy if another Python made the pickle: the image to use, with its command."""
    chosen = choose_image(inspection)
    if chosen is None:
        return remedy_to_recreate(inspection)
    return (
        f"make the pickle with Python {run.python}, or run it in the image of the Python that "
        f"made it (build it with `{chosen.image.build_command}`, or pull it), "
        f"{run.in_image(chosen.image)}"
    )


def remedy_to_recreate(inspection: Inspection) -> str:
    """The remedy for a pickle that no image can run."""
    supported = join_words(supported_pythons(), "or")
    if inspection.pythons.corrupt:
        return (
            "write the file again with cloudpickle.dump(predict, file), and make the pickle with "
            f"Python {supported}"
        )
    return f"make the pickle with Python {supported}"


def remedy_for_module(inspection: Inspection, module: str, run: AttemptedRun) -> str:
    """The remedy for a missing module: an image that has it, or pickling it by value."""
    chosen = choose_image(inspection)
    if not is_known(module) or chosen is None:
        return remedy_for_unknown(module)
    if chosen.image.has(module):
        return f"run it in the image that has {module}, {run.in_image(chosen.image)}"
    python = chosen.image.python
    return remedy_for_left_out(python, module) or (
        f"use a library that the images of Python {python} have, or make the pickle with Python "
        f"{newest_python_with(module)}, whose image has {module}"
    )


def remedy_for_left_out(python: str, module: str) -> str | None:
    """The remedy for a module that only the hosted environment of the Python has.

    `None` if it is not such a module.
    """
    package, other = hosted_package(python, module), newest_python_with(module)
    if package is None or other is None:
        return None
    return (
        f"hosted has {package} here; use {other}: make the pickle with Python {other}, whose "
        f"image has {module}"
    )


def remedy_for_import(python: str, module: str) -> str:
    """The remedy for a module whose import failed in this Python, when the model ran."""
    return remedy_for_left_out(python, module) or remedy_for_unknown(module)


def remedy_for_pandas(inspection: Inspection, version: str, run: AttemptedRun) -> str:
    """The remedy for objects that this version of pandas cannot read."""
    own = f"make the pickle with pandas {version} (pip install pandas=={version})"
    chosen = choose_image(inspection)
    if chosen is None or chosen.level >= CompatibilityLevel.LACKS:
        return own
    return f"{own}, or run it in {run.in_image(chosen.image)}"


def remedy_for_main() -> str:
    """The remedy for a pickle that contains only the name of a script's function."""
    return (
        "the pickle contains only the function's name, because pickle.dump stores what a script "
        "defines by reference: store the function with cloudpickle.dump(predict, file)"
    )


def remedy_by_value(module: str) -> str:
    """How to store a module of the user in the pickle."""
    return (
        "if the module is your own file, which cloudpickle stored by reference, store it in "
        f"the pickle: cloudpickle.register_pickle_by_value({module or 'module'}) before "
        "cloudpickle.dump"
    )


def remedy_for_unknown(module: str) -> str:
    """The remedy for a module that no image has."""
    if module == "dill":
        return "dill.dump wrote the pickle: write it with cloudpickle.dump(predict, file)"
    return f"use a library that the image has, or, {remedy_by_value(module)}"


def _capitalize(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
