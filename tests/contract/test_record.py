"""The result record has the contract's keys, always."""

import json
import math
from dataclasses import FrozenInstanceError, replace

import pytest

from numerai_predict.contract.errors import ERROR_BY_VERDICT
from numerai_predict.contract.record import EnvironmentFacts, PredictionFacts, Record
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


def test_a_record_without_a_conclusion_is_an_internal_error(record):
    assert (record.verdict, record.exit_code) == ("internal_error", 70)


def test_a_conclusion_sets_word_code_message_and_remedy(record):
    concluded = record.concluded(Verdict.TIMEOUT, "too slow", "be faster")
    assert (concluded.verdict, concluded.exit_code) == ("timeout", 23)
    assert (concluded.message, concluded.remedy) == ("too slow", "be faster")
    assert record.verdict == "internal_error"


def test_a_record_is_strict_json_that_ends_with_a_newline(record):
    assert record.as_json().endswith("}\n")
    broken = replace(record, predictions=PredictionFacts(min=math.nan))
    with pytest.raises(ValueError, match="not JSON compliant"):
        broken.as_json()


def test_a_record_cannot_be_changed(record):
    with pytest.raises(FrozenInstanceError):
        record.message = "changed"


def test_a_record_is_read_back_from_its_json(record):
    written = replace(record, warnings=("one",), sandbox={"seccomp": "blocks"})
    assert Record.from_dict(json.loads(written.as_json())) == written


def test_a_record_with_unknown_keys_is_read_without_them(record):
    content = {**json.loads(record.as_json()), "added_later": 1}
    assert Record.from_dict(content).environment == record.environment


def test_every_verdict_word_but_ok_and_usage_has_an_error_class():
    words = {verdict.word for verdict in Verdict} - {"ok", "usage"}
    assert set(ERROR_BY_VERDICT) == words
    assert all(kind.verdict.word == word for word, kind in ERROR_BY_VERDICT.items())
