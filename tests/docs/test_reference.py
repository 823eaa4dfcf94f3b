"""The reference is what the code says now, and is right about its defaults."""

import json
from pathlib import Path

import jsonschema
import pytest

from generate.reference import reference_files
from numerai_predict.contract.environment_variables import VARIABLES
from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.server_name import API_URL
from numerai_predict.runner.options import dataset_version
from numerai_predict.tournament.gate_limits import GateLimits

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs/reference/result-record.schema.json").read_text())
RECORD = Record(environment=EnvironmentFacts("3.12.1", None, "0.1.0"))


def test_every_page_is_as_generated():
    stale = [path.name for path, text in reference_files(ROOT).items() if path.read_text() != text]
    assert stale == [], "run make generate"


def test_the_page_on_rounds_repeats_what_can_succeed_later():
    rows = (ROOT / "docs/reference/exit-codes.md").read_text().splitlines()
    can_help = [row.split(" | ")[0].strip("| ") for row in rows if row.endswith("| can help |")]
    page = (ROOT / "docs/how-to/submit-every-round.md").read_text()
    assert f"| {', '.join(can_help)} | can succeed later" in page


def test_a_record_follows_the_schema():
    jsonschema.validate(json.loads(RECORD.as_json()), SCHEMA)


@pytest.mark.parametrize(
    ("key", "value"), [("verdict", None), ("exit_code", "0"), ("model", {"source": 3})]
)
def test_another_record_does_not_follow_the_schema(key, value):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(RECORD.as_json()), key: value}, SCHEMA)


def test_the_table_of_variables_has_the_defaults_of_the_code():
    defaults = {variable.name: variable.default.strip("`") for variable in VARIABLES}
    limits = GateLimits()
    assert float(defaults["MIN_PRED_STD"]) == limits.min_pred_std
    assert float(defaults["MAX_ABS_EXPOSURE"]) == limits.max_abs_exposure
    assert float(defaults["MAX_TIED_SHARE"]) == limits.max_tied_share
    assert float(defaults["MIN_COVERAGE"]) == limits.min_coverage
    assert defaults["NUMERAI_DATASET_VERSION"] == dataset_version({})
    assert defaults["NUMERAI_API_URL"] == API_URL
