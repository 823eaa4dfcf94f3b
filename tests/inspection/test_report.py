"""The report as JSON."""

import json

from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_json


def test_the_json_has_all_results(corpus_pickle):
    facts = json.loads(
        json.dumps(as_json(inspect_pickle(corpus_pickle("3.12", "model_of_xgboost"))))
    )
    assert facts["pythons"]["legal"] == ["3.12"]
    assert facts["image"] == "numerai_predict_py_3_12:latest-slim"
    assert facts["command"].startswith("docker run")
    assert {each["mark"] for each in facts["images"]} <= {"runs", "may_run", "wrong_python"}
