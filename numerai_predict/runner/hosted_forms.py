"""What the model process reports of a model's signature and of its DataFrame.

Hosted compute is stricter than this runner in both; `hosted_rules` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from numerai_predict.runner.frame_schema import (
    MalformedFrame,
    read_integer,
    read_string,
    require_keys,
)

_Form = TypeVar("_Form", "SignatureForm", "ReturnedForm")


@dataclass(frozen=True)
class SignatureForm:
    """The signature of a model, as Python counts parameters.

    `parameters` is their number, `positional` whether that many arguments can be passed by
    position. `only_args` is true for a signature of `*args` alone. `misplaced` is the name of
    the first of two parameters if it does not look like the live features, else empty. `wrapped`
    is the variable of the function of one frame that a wrapper of `*args, **kwargs` calls with two,
    else empty.
    """

    parameters: int = 1
    positional: bool = True
    only_args: bool = False
    misplaced: str = ""
    wrapped: str = ""

    @classmethod
    def parse(cls, content: Any) -> SignatureForm:
        """The form in a frame; the default if it has none.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        return _parse(cls, content)


@dataclass(frozen=True)
class ReturnedForm:
    """How a returned DataFrame is made.

    Attributes:
        subclass: name of its type, if that is not DataFrame itself.
        index_type: the type of the index's values, such as `string`, or `MultiIndex`.
        index_name: name of the index, empty if it has none.
        column: name of the prediction column; `column_is_text` is false for other names than
            strings.
        position: position of the prediction column.
        dtype: dtype of the prediction column; of objects also the type of the first.
        is_arrow: whether the prediction column is stored by PyArrow.
        nan_elsewhere: whether another column has NaN.
        columns: number of columns, of which a response names the first alone.
        misplaced: as `SignatureForm.misplaced`.
    """

    subclass: str = ""
    index_type: str = "string"
    index_name: str = "id"
    column: str = "prediction"
    column_is_text: bool = True
    position: int = 0
    dtype: str = "float64"
    is_arrow: bool = False
    nan_elsewhere: bool = False
    columns: int = 0
    misplaced: str = ""

    @classmethod
    def parse(cls, content: Any) -> ReturnedForm:
        """The form in a frame; the default if it has none.

        Raises:
            MalformedFrame: it breaks the schema.
        """
        return _parse(cls, content)


def _parse(kind: type[_Form], content: Any) -> _Form:
    """The form; the default if the frame has none.

    Raises:
        MalformedFrame: it breaks the schema.
    """
    if content is None:
        return kind()
    defaults = vars(kind())
    if type(content) is not dict:
        raise MalformedFrame("a form that is not an object")
    require_keys(content, frozenset(defaults), "a form")
    return kind(
        **{name: _READERS[type(default)](content[name], name) for name, default in defaults.items()}
    )


def _read_bool(value: Any, name: str) -> bool:
    if type(value) is not bool:
        raise MalformedFrame(f"{name} that is neither true nor false")
    return value


_READERS: dict[type, Callable[[Any, str], Any]] = {
    str: read_string,
    int: read_integer,
    bool: _read_bool,
}
