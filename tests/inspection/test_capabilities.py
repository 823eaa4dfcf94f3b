"""What the code of a pickle may access."""

import sys

from numerai_predict.inspection.compatibility import CompatibilityLevel, compatibilities
from numerai_predict.inspection.inspect import inspect_pickle
from numerai_predict.inspection.report import as_text

PYTHON = "{}.{}".format(*sys.version_info)
FULL = f"numerai_predict_py_{PYTHON.replace('.', '_')}:latest"


def by_image(inspection):
    return {each.image.name: each for each in compatibilities(inspection)}


def test_abilities_are_information_and_change_no_compatibility(inspected):
    def predict(live_features):
        import subprocess

        import requests

        return requests.get(open("file").read(), subprocess)

    inspection = inspected(predict)
    assert inspection.abilities["network"] == ["requests"]
    assert inspection.abilities["processes"] == ["subprocess"]
    assert inspection.abilities["files"] == ["open"]
    assert by_image(inspection)[FULL].level == CompatibilityLevel.RUNS
    assert "for information only; most models do" in as_text(inspection)


def test_a_plain_model_has_no_abilities(corpus_pickle):
    assert inspect_pickle(corpus_pickle("3.12", "model_of_lightgbm")).abilities == {}
    assert "may use" not in as_text(inspect_pickle(corpus_pickle("3.12", "loops")))
