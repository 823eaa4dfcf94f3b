"""`predict.py --check`: inspects a model and rejects it as a run would, without unpickling it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from numerai_predict.contract.running_python import RUNNING_PYTHON
from numerai_predict.inspection.report import as_json, as_text
from numerai_predict.runner.bundle_check import check_features, check_pickle, check_python
from numerai_predict.runner.fetching import fetch_model
from numerai_predict.runner.preflight import check_compatibility, inspect_model
from numerai_predict.runner.recorded_run import RecordedRun
from numerai_predict.sandbox.layers import Layers


class ModelCheck(RecordedRun):
    """Fetches the model, prints its inspection, and compares it with this environment."""

    def _perform(self, directory: Path, _supervisor_layers: Layers) -> str:
        job, record = self._job, self._record
        record.set_model_source(job.shown_model)
        fetched = fetch_model(job.model, self._deadline, directory, job.shown_model)
        record.set_model_file(fetched)
        bundle = check_pickle(job.model, fetched.sha256)
        inspection = inspect_model(fetched.path)
        shown = replace(inspection, path=fetched.source)
        record.set_inspection(as_json(shown, bundle))
        sys.stdout.write(as_text(shown, bundle))
        record.set_pythons(inspection.pythons.legal)
        record.add_warnings(check_compatibility(inspection, job.model_call.labels))
        check_python(bundle, RUNNING_PYTHON)
        check_features(bundle, inspection.features)
        return "no problems found: the model can run in this environment"
