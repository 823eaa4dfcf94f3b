"""Adds a hint about a mismatched signature to a model's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from numerai_predict.contract.errors import ModelError
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.protocol import LoadedModel
from numerai_predict.runner.validation.hosted_signature import (
    misplaced_parameter_hint,
    wrapper_remedy,
)


@contextmanager
def signature_hints_in_errors(loaded: LoadedModel | None) -> Iterator[None]:
    """Add the likely cause to an error of the model in the block."""
    try:
        yield
    except ModelError as error:
        if loaded is None:
            raise
        if name := loaded.form.misplaced:
            title, *details = error.message.splitlines()
            title = f"{title}; {misplaced_parameter_hint(one_line(name))}"
            raise ModelError("\n".join([title, *details]), error.remedy) from error
        if loaded.form.wrapped:
            raise ModelError(error.message, wrapper_remedy(loaded)) from error
        raise
