"""Placement shares the slots of the nodes, never overbooks them, and starts no needless worker."""

from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.placement import NodeCapacity, next_placement, releasable_groups
from numerai_predict.fleet.worker_group import WorkerClass, WorkerGroup

GIB = 1024**3
OLD, NEW = (WorkerClass(Environment(python, LOCAL), 4 * GIB) for python in ("3.10", "3.13"))
TWO_SLOTS = {"local": NodeCapacity(2, 8 * GIB)}


def group_of(placement, ready=False):
    group = WorkerGroup(placement.worker_class, placement.node_id, placement.slots, actor=None)
    if ready:
        group.mark_ready()
    return group


def placed_groups(capacities, waiting, concurrency=None, excluded=()):
    """All groups that are started one after the other."""
    groups = []
    while placement := next_placement(capacities, groups, waiting, concurrency, excluded):
        groups.append(group_of(placement))
    return groups


def test_one_class_gets_all_slots_of_a_node():
    (group,) = placed_groups(TWO_SLOTS, {NEW: 10})
    assert group.slots == (0, 1)


def test_two_classes_share_the_slots():
    groups = placed_groups(TWO_SLOTS, {OLD: 10, NEW: 10})
    assert sorted((group.worker_class, group.slots) for group in groups) == [
        (OLD, (0,)),
        (NEW, (1,)),
    ]


def test_a_node_with_memory_for_one_model_gets_one_slot():
    (group,) = placed_groups({"small": NodeCapacity(16, 7 * GIB)}, {NEW: 10})
    assert group.slots == (0,)


def test_slots_do_not_exceed_the_concurrency():
    (group,) = placed_groups({"large": NodeCapacity(16, 64 * GIB)}, {NEW: 10}, concurrency=3)
    assert len(group.slots) == 3


def test_slots_do_not_exceed_the_waiting_models():
    (group,) = placed_groups({"large": NodeCapacity(16, 64 * GIB)}, {NEW: 2})
    assert len(group.slots) == 2


def test_a_node_that_cannot_run_an_environment_gets_no_more_workers_of_it():
    capacities = {**TWO_SLOTS, "remote": NodeCapacity(2, 8 * GIB)}
    groups = placed_groups(capacities, {NEW: 10}, excluded={("local", NEW.environment)})
    assert [group.node_id for group in groups] == ["remote"]


def test_it_still_gets_workers_of_other_environments():
    groups = placed_groups(TWO_SLOTS, {OLD: 10}, excluded={("local", NEW.environment)})
    assert [group.node_id for group in groups] == ["local"]


def test_an_idle_group_is_released_for_models_of_another_class():
    idle = group_of(next_placement(TWO_SLOTS, [], {OLD: 2}, None), ready=True)
    assert releasable_groups([idle], {NEW: 1}) == [idle]
    assert releasable_groups([idle], {OLD: 1, NEW: 1}) == []
