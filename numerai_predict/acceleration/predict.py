"""The engine by hand: predict a booster, or say why it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def predict(booster: Any, frame: Any) -> NDArray[Any]:
    """Predictions of a tree model, equal to the last bit to those of its own library.

    Args:
        booster: a booster of LightGBM or XGBoost, a model of their scikit-learn interfaces, or a
            model of CatBoost; its library predicts a sample of the rows as well, and whatever
            the engine does not support.
        frame: the features, shape (rows, features): a DataFrame or an array of numbers, as
            the library takes it; int8 is fastest.

    Returns:
        Shape (rows,), or (rows, classes) for several classes; float64, from
        XGBoost float32; raw values from CatBoost.

    Raises:
        TypeError: the library of the model is not known.
        Exception: whatever the library raises for this input.
    """
    from numerai_predict.acceleration.interception import library_of, shared_accelerator

    module = library_of(booster)
    if module is None:
        expected = "expected a model of a known tree library"
        raise TypeError(f"{expected}, found {type(booster).__name__}")
    return module.predict_with(shared_accelerator(), booster, frame)  # type: ignore[no-any-return]
