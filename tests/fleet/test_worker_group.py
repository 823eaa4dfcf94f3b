"""A worker group accepts models once it is ready, and no more than it has slots."""

from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.worker_group import WorkerClass, WorkerGroup


def new_group():
    return WorkerGroup(WorkerClass(Environment("3.12", LOCAL), 1), "node", (0, 1), actor=None)


def test_a_group_that_is_starting_has_no_free_slots():
    group = new_group()
    assert (group.free_slots, group.is_idle) == (0, False)
    group.mark_ready()
    assert (group.free_slots, group.is_idle) == (2, True)


def test_a_model_occupies_a_slot_until_it_is_released():
    group = new_group()
    group.mark_ready()
    group.assign("call", "model")
    assert (group.free_slots, group.is_idle, group.calls) == (1, False, ("call",))
    assert group.release("call") == "model"
    assert (group.free_slots, group.is_idle, group.calls) == (2, True, ())


def test_all_models_of_a_group_are_released_together():
    group = new_group()
    group.mark_ready()
    group.assign("one call", "one")
    group.assign("other call", "other")
    assert group.release_all() == ["one", "other"]
    assert group.is_idle
