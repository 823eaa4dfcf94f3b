"""Attempts of a model to reach what it must not, to exceed its limits, or to lie.

An attempt of `REACHES` returns what it reached, if anything; one that raises or returns nothing was
blocked. An attempt of `ENDS` is a whole model, and the run must end with one of its verdicts. The
stage of `stage.py` also looks for traces outside the run.
"""

# The order of the imports is that of the tables.
# isort: off
from attempts import runner_process  # noqa: F401
from attempts import same_user  # noqa: F401
from attempts import files  # noqa: F401
from attempts import network  # noqa: F401
from attempts import kernel  # noqa: F401
from attempts import namespaces  # noqa: F401
from attempts import machine_wide  # noqa: F401
from attempts import misbehaviour  # noqa: F401

# isort: on
from attempts.registry import ENDS, REACHES, ranks

__all__ = ["ENDS", "REACHES", "ranks"]
