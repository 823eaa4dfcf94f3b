"""Faster evaluation of tree models of known libraries, with identical results.

`predict` is the function to call by hand; in a model process `interception` uses the same engine.
"""

from numerai_predict.acceleration.predict import predict

__all__ = ["predict"]
