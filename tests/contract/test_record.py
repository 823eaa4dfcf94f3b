"""The result record has the contract's keys, always."""

import json
import math

import pytest

from numerai_predict.contract.record import EnvironmentFacts, Record
from numerai_predict.contract.verdicts import Verdict


@pytest.fixture
def record():
    return Record(environment=EnvironmentFacts(python="3.11.7", image=None, runner="0.1.0"))


def test_an_empty_record_has_every_key_in_the_order_of_the_contract(record, contract):
    written = json.loads(record.as_json())
    assert list(written) == list(contract.record_keys)
    for key, inner in contract.record_keys.items():
        assert inner is None or written[key].keys() == inner


def test_steps_that_were_not_reached_are_null(record):
    written = json.loads(record.as_json())
    assert set(written["seconds"].values()) == {None}
    assert set(written["predictions"].values()) == {None}
    assert written["delivered_to"] is written["peak_memory_bytes"] is None
    assert (written["warnings"], written["model"]["python"], written["sandbox"]) == ([], [], {})


def test_a_record_that_nobody_concluded_is_an_internal_error(record):
    assert (record.verdict, record.exit_code) == ("internal_error", 70)


def test_a_conclusion_sets_word_code_message_and_remedy(record):
    record.conclude(Verdict.TIMEOUT, "too slow", "be faster")
    assert (record.verdict, record.exit_code) == ("timeout", 23)
    assert (record.message, record.remedy) == ("too slow", "be faster")


def test_a_record_is_strict_json_that_ends_with_a_newline(record):
    assert record.as_json().endswith("}\n")
    record.predictions.min = math.nan
    with pytest.raises(ValueError, match="not JSON compliant"):
        record.as_json()


def test_records_share_no_lists(record):
    record.warnings.append("one")
    other = Record(environment=record.environment)
    assert other.warnings == []
