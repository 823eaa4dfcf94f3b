"""A result's key has all that it depends on, and names what changed."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from numerai_predict.contract.job import PresignedPost
from numerai_predict.contract.limits import Limits
from numerai_predict.contract.record import DataFacts
from numerai_predict.contract.sandbox import Sandbox
from numerai_predict.fleet import result_key
from numerai_predict.fleet.config import FleetConfig
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.manifest import ManifestEntry
from numerai_predict.fleet.result_key import (
    KEY_OPTIONS,
    OTHER_OPTIONS,
    KeyFactory,
    ResultKey,
    delivery_id,
    destination_id,
)

ENTRY = ManifestEntry("a", "a.pkl", Limits())
ENVIRONMENT = Environment("3.12", LOCAL, content="packages")
DATA = LiveData(Path("live"), DataFacts(sha256="live"), None, DataFacts(sha256="benchmarks"))
CONFIG = FleetConfig(Path("out"), "live", "benchmarks")


def key(config=CONFIG, data=DATA, entry=ENTRY, model="model", environment=ENVIRONMENT):
    return KeyFactory(config, data).key(entry, model, environment)


def test_every_option_of_a_fleet_run_is_part_of_the_key_or_has_a_reason_why_not():
    names = {field.name for kind in (FleetConfig, ManifestEntry) for field in fields(kind)}
    assert names == KEY_OPTIONS.keys() | OTHER_OPTIONS.keys()
    assert not KEY_OPTIONS.keys() & OTHER_OPTIONS.keys()


CHANGES = {
    "model": {"model": "other"},
    "live data": {"data": replace(DATA, facts=DataFacts(sha256="other"))},
    "benchmark models": {"data": replace(DATA, benchmark_facts=DataFacts())},
    "environment": {"environment": replace(ENVIRONMENT, content="other packages")},
    "options": {"entry": replace(ENTRY, limits=Limits(seconds=5.0))},
}


@pytest.mark.parametrize(("name", "change"), CHANGES.items(), ids=CHANGES)
def test_a_change_makes_another_key_and_is_named(name, change):
    other = key(**change)
    assert other.changes(key()) == [name]
    assert other.to_json() != key().to_json()


def test_another_sandbox_and_another_version_of_the_runner_are_changes(monkeypatch):
    before = key()
    assert key(config=replace(CONFIG, sandbox=Sandbox.OFF)).changes(before) == ["options"]
    monkeypatch.setattr(result_key.numerai_predict, "__version__", "next")
    assert key().changes(before) == ["version of numerai-predict"]


def test_options_that_do_not_matter_leave_the_key_as_it_is():
    config = replace(CONFIG, concurrency=1, deadline=5.0, debug=True, dataset="/other/path")
    assert key(config=config) == key(entry=replace(ENTRY, model="/other/path")) == key()


def test_a_key_is_the_same_after_its_way_through_the_ledger():
    assert ResultKey.from_json(key().to_json()) == key()
    assert ResultKey.from_json(None) is None
    assert ResultKey.from_json('{"of": "another version"}') is None


def test_a_destination_is_the_same_with_a_new_signature_and_another_with_another_object():
    def post(key, url="https://bucket/?signed=1", signature="s"):
        return destination_id(PresignedPost(url, (("key", key), ("signature", signature))))

    assert post("a") == post("a", "https://bucket/?signed=2", "t")
    destinations = {post("a"), post("b"), post("a", "https://other/"), destination_id(None)}
    assert len(destinations) == 4


def test_a_delivery_is_another_with_other_predictions_or_another_key():
    same = delivery_id(key(), "there", "hash")
    assert same == delivery_id(key(), "there", "hash")
    others = {
        delivery_id(key(model="other"), "there", "hash"),
        delivery_id(key(), "elsewhere", "hash"),
        delivery_id(key(), "there", "other"),
    }
    assert same not in others
    assert len(others) == 3
