"""The ids of processes that exist, for a kernel that has used all ids and begins again."""

import os
import threading

import pytest

from numerai_predict.sandbox import process_ids

pytestmark = pytest.mark.unit


def test_ids_of_processes_and_threads_are_found():
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        found = process_ids.higher_ids(1)
        for number in (os.getpid(), os.getppid(), os.getpgid(0), thread.native_id):
            assert number <= 1 or any(number in ids for ids in found)
    finally:
        ended.set()


def test_none_is_at_or_below_ones_own():
    assert all(ids[0] > os.getpid() for ids in process_ids.higher_ids(os.getpid()))


def test_no_process_above_gives_no_range():
    assert process_ids.higher_ids(2**22) == ()


def test_neighbours_share_a_range(monkeypatch):
    monkeypatch.setattr(process_ids, "_existing_ids", lambda: iter([9, 5, 6, 7, 9]))
    assert process_ids.higher_ids(4) == (range(5, 8), range(9, 10))


def test_of_too_many_the_closest_are_joined(monkeypatch):
    far, near = [1000 * n for n in range(1, 16)], [15_005, 15_010]
    monkeypatch.setattr(process_ids, "_existing_ids", lambda: iter(far + near))
    found = process_ids.higher_ids(4)
    assert len(found) == 16
    assert all(any(number in ids for ids in found) for number in far + near)
    assert not any(number in ids for ids in found for number in (14_999, 1_001))
