"""Why an unpickled object is not a model: one vocabulary for supervisor and model process."""

from __future__ import annotations

from enum import Enum

from numerai_predict.inspection.model_files import function_of


class ModelDefect(str, Enum):
    """The kind of an object that cannot be called as a model."""

    OTHER = "other"
    ASYNC = "async"
    GENERATOR = "generator"
    CLASS = "class"
    METHOD = "method"
    HAS_PREDICT = "has predict"
    COLLECTION = "collection"
    PICKLED_TWICE = "pickled twice"

    @property
    def remedy(self) -> str:
        """What to do next."""
        return _REMEDIES[self]


_REMEDIES = {
    ModelDefect.OTHER: "pickle the function itself: cloudpickle.dump(predict, file)",
    ModelDefect.ASYNC: "write `def` instead of `async def`, and return the DataFrame",
    ModelDefect.GENERATOR: "write `return` instead of `yield`",
    ModelDefect.CLASS: "pickle an instance that can be called, or its method: "
    "cloudpickle.dump(Model().predict, file)",
    ModelDefect.METHOD: "pickle the method of an instance: cloudpickle.dump(Model().predict, file)",
    ModelDefect.HAS_PREDICT: "pickle a function that calls it: "
    + function_of("model.predict(live[features])"),
    ModelDefect.COLLECTION: "pickle one function that uses what is in it: "
    + function_of("models[0].predict(live[features])"),
    ModelDefect.PICKLED_TWICE: "it was pickled twice: write the bytes with file.write(data), or "
    "unpickle them once, cloudpickle.dump(pickle.loads(data), file)",
}
