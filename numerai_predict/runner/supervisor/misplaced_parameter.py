"""Adds to a model's error that its first parameter is not the live features."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from numerai_predict.contract.errors import ModelError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.hosted_signature import misplaced_parameter_hint
from numerai_predict.runner.protocol import LoadedModel


@contextmanager
def misplaced_parameter_in_errors(loaded: LoadedModel | None) -> Iterator[None]:
    """Add the likely cause to an error of the model in the block."""
    try:
        yield
    except ModelError as error:
        name = "" if loaded is None else loaded.form.misplaced
        if not name:
            raise
        title, *details = error.message.splitlines()
        title = f"{title}; {misplaced_parameter_hint(one_line(name))}"
        raise ModelError("\n".join([title, *details]), error.remedy) from error
