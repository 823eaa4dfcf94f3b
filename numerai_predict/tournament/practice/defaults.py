"""Defaults of a practice server. Imports no pandas, so that the command line starts quickly."""

from __future__ import annotations

from numerai_predict.data.sample_shape import SampleShape

DEFAULT_MODELS = ("practice_one", "practice_two")
DEFAULT_PORT = 8765
DEFAULT_SHAPE = SampleShape(live_rows=1000, rows=100, train_eras=24, validation_eras=12)
