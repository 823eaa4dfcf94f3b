"""What hosted compute would refuse of a model's signature that is accepted here.

It counts the parameters with `len(inspect.signature(model).parameters)` and passes as many
frames, one or two.
"""

from __future__ import annotations

from numerai_predict.contract.errors import InvalidModel
from numerai_predict.contract.foreign_text import one_line
from numerai_predict.runner.protocol import LoadedModel

_MAX_ARITY = 2


def as_warning(reason: str) -> str:
    """The warning of a run that goes on although hosted compute would refuse it."""
    return f"hosted compute would refuse this: {reason}"


def signature_warnings(loaded: LoadedModel) -> list[str]:
    """The warnings about the model's signature."""
    warnings = [as_warning(reason) for reason in signature_reasons(loaded)]
    if loaded.form.only_args and loaded.arity == 1:
        warnings.append(
            "the model takes any number of frames (*args): it gets one, the live features, as in "
            "hosted compute"
        )
    return warnings


def signature_reasons(loaded: LoadedModel) -> list[str]:
    """Why hosted compute would refuse the model's signature; empty if it would not."""
    form = loaded.form
    if not 1 <= form.parameters <= _MAX_ARITY:
        return [
            f"the model has {form.parameters} parameters, not 1 or 2: those with defaults count"
        ]
    if not form.positional:
        return [
            f"the model has {form.parameters} parameters, so that hosted compute passes two "
            "frames, and one of them cannot be passed by position"
        ]
    if form.parameters != loaded.arity:
        return [f"the model needs {loaded.arity} frames, and hosted compute passes one to *args"]
    return []


def require_hosted_signature(loaded: LoadedModel) -> None:
    """Refuse what hosted compute refuses.

    Raises:
        InvalidModel: the signature.
    """
    for reason in signature_reasons(loaded):
        raise InvalidModel(
            f"expected a model that hosted compute accepts, found that {reason}",
            "give the function the parameters (live_features) or "
            "(live_features, live_benchmark_models), and no others",
        )


def wrapper_remedy(loaded: LoadedModel) -> str:
    """The line to write in a decorator that hides that its function takes one frame."""
    wrapper, function = one_line(loaded.name), one_line(loaded.form.wrapped)
    return (
        f"{wrapper} takes any arguments, so that it gets two frames, as in hosted compute, and "
        f"passes them to a function of one: write the line @functools.wraps({function}) above "
        f"`def {wrapper}` in the decorator, and pickle the model again"
    )


def misplaced_parameter_hint(name: str) -> str:
    """The hint about a first parameter that does not look like the live features."""
    return (
        f"the first parameter, {name}, received the live features: is this a method without its "
        "object, or are the parameters swapped?"
    )
