"""The worker pool removes groups that fail, and reports the models that they ran."""

from pathlib import Path

import pytest
from fake_cluster import FakeCluster

from numerai_predict.contract.record import DataFacts
from numerai_predict.fleet.config import FleetConfig, RetryLimits
from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.errors import NoCapacity
from numerai_predict.fleet.live_data import LiveData
from numerai_predict.fleet.pool import worker_pool
from numerai_predict.fleet.pool.actor import (
    ModelTask,
    TaskLost,
    TaskResult,
    WorkerUnavailable,
)
from numerai_predict.fleet.pool.ray_cluster import ActorFailure
from numerai_predict.fleet.pool.worker_pool import ModelFinished, ModelLost, WorkerPool

GIB = 1024**3
RESULT = TaskResult("worker", 0.0, 1.0, {}, None, b"")
PYTHON = Environment("3.12", LOCAL)


@pytest.fixture
def cluster():
    return FakeCluster()


@pytest.fixture
def pool(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(worker_pool, "_REFRESH_SECONDS", 0.0)
    config = FleetConfig(tmp_path, "live", "benchmarks")
    data = LiveData(Path("live.parquet"), DataFacts(), None, DataFacts())
    made = WorkerPool(cluster, config, data)
    made.refresh()
    return made


@pytest.fixture
def waiting(pool):
    return {pool.worker_class(PYTHON, None): 2}


def start(pool, waiting):
    """Start a group on each node, with a model in each."""
    pool.scale(waiting)
    assert pool.poll(0) == []
    for group in pool.groups:
        pool.submit(group, ModelTask(group.node_id, None, ".pkl"), Path("model.pkl"))


def test_a_model_that_a_worker_ran_is_finished(pool, cluster, waiting):
    start(pool, waiting)
    cluster.results["run"] = RESULT
    assert pool.poll(0) == [ModelFinished("one", RESULT), ModelFinished("other", RESULT)]
    assert [group.free_slots for group in pool.groups] == [1, 1]


def test_a_model_is_lost_with_its_worker_and_the_group_stays(pool, cluster, waiting):
    start(pool, waiting)
    cluster.results["run"] = TaskLost("worker", "it crashed")
    assert pool.poll(0) == [ModelLost("one", "it crashed"), ModelLost("other", "it crashed")]
    assert len(pool.groups) == 2
    assert cluster.forgotten == []


def test_a_group_is_removed_when_its_actor_lost(pool, cluster, waiting):
    start(pool, waiting)
    cluster.results["run"] = ActorFailure("ActorDiedError", actor_lost=True)
    assert [event.model_id for event in pool.poll(0)] == ["one", "other"]
    assert pool.groups == []
    assert len(cluster.forgotten) == 2


def test_an_actor_that_ray_restarts_keeps_its_group(pool, cluster, waiting):
    start(pool, waiting)
    cluster.results["run"] = ActorFailure("ActorUnavailableError", actor_lost=False)
    assert [event.model_id for event in pool.poll(0)] == ["one", "other"]
    assert len(pool.groups) == 2


def test_the_models_of_a_node_that_is_gone_are_lost(pool, cluster, waiting):
    start(pool, waiting)
    cluster.alive.remove("one")
    assert pool.refresh() == [ModelLost("one", "its node is gone")]
    assert [group.node_id for group in pool.groups] == ["other"]


def test_an_environment_that_no_node_can_run_stops_the_fleet_run(pool, cluster, waiting):
    cluster.results["prepare"] = WorkerUnavailable("no such image")
    pool.scale(waiting)
    assert pool.poll(0) == []
    with pytest.raises(NoCapacity, match="no such image"):
        pool.scale(waiting)
    assert cluster.started == ["one", "other"]


def test_an_actor_that_crashes_at_each_start_is_not_started_for_ever(pool, cluster, waiting):
    cluster.results["prepare"] = ActorFailure("ActorDiedError", actor_lost=True)
    attempts = RetryLimits().worker_starts
    for _ in range(attempts):
        pool.scale(waiting)
        pool.poll(0)
    with pytest.raises(NoCapacity, match="crashed while it started: ActorDiedError"):
        pool.scale(waiting)
    assert cluster.started == ["one", "other"] * attempts


def test_models_that_fit_no_node_stop_the_fleet_run(pool):
    too_large = {pool.worker_class(PYTHON, 64 * GIB): 1}
    with pytest.raises(NoCapacity, match=r"a free CPU and 64.0 GiB for a model, found 2 node"):
        pool.scale(too_large)
