"""Which worker is started where: slots are shared, never overbooked, and not given in vain."""

from numerai_predict.fleet.environments import LOCAL, Environment
from numerai_predict.fleet.placement import (
    NodeCapacity,
    WorkerClass,
    WorkerGroup,
    next_placement,
    releasable_groups,
)

GIB = 1024**3
OLD, NEW = (WorkerClass(Environment(python, LOCAL), 4 * GIB) for python in ("3.10", "3.13"))
TWO_SLOTS = {"here": NodeCapacity(2, 8 * GIB)}


def crew_of(new, ready=False):
    return WorkerGroup(new.kind, new.machine, new.slots, foreman=None, ready=ready)


def openings(capacities, waiting, most_slots=None, barred=()):
    """All crews that are made one after the other."""
    crews = []
    while new := next_placement(capacities, crews, waiting, most_slots, barred):
        crews.append(crew_of(new))
    return crews


def test_one_kind_gets_all_slots_of_a_machine():
    (crew,) = openings(TWO_SLOTS, {NEW: 10})
    assert crew.slots == (0, 1)


def test_two_kinds_share_them():
    crews = openings(TWO_SLOTS, {OLD: 10, NEW: 10})
    assert sorted((crew.kind, crew.slots) for crew in crews) == [(OLD, (0,)), (NEW, (1,))]


def test_a_machine_with_memory_for_one_model_gets_one_slot():
    (crew,) = openings({"small": NodeCapacity(16, 7 * GIB)}, {NEW: 10})
    assert crew.slots == (0,)


def test_no_more_slots_are_taken_than_workers_were_asked_for():
    (crew,) = openings({"large": NodeCapacity(16, 64 * GIB)}, {NEW: 10}, most_slots=3)
    assert len(crew.slots) == 3


def test_no_more_slots_are_taken_than_models_wait():
    (crew,) = openings({"large": NodeCapacity(16, 64 * GIB)}, {NEW: 2})
    assert len(crew.slots) == 2


def test_a_machine_that_could_not_start_such_a_worker_is_not_asked_again():
    capacities = {**TWO_SLOTS, "there": NodeCapacity(2, 8 * GIB)}
    crews = openings(capacities, {NEW: 10}, barred={("here", NEW.place)})
    assert [crew.machine for crew in crews] == ["there"]


def test_it_still_takes_workers_of_other_pythons():
    crews = openings(TWO_SLOTS, {OLD: 10}, barred={("here", NEW.place)})
    assert [crew.machine for crew in crews] == ["here"]


def test_an_idle_crew_makes_room_for_models_of_another_kind():
    idle = crew_of(next_placement(TWO_SLOTS, [], {OLD: 2}, None), ready=True)
    assert releasable_groups([idle], {NEW: 1}) == [idle]
    assert releasable_groups([idle], {OLD: 1, NEW: 1}) == []
