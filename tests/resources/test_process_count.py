"""The limit of processes that is reached first, in both versions of control groups."""

import pytest
from control_groups import write_groups

from numerai_predict.resources.process_count import process_limit, processes_of_a_run


@pytest.fixture
def groups(tmp_path):
    """Write the limits of control groups, of which the own one is `a/b`; the limit of processes."""

    def write(**limits):
        files = {}
        for name, (limit, used) in limits.items():
            directory = {"top": ".", "outer": "a", "own": "a/b"}[name]
            files[f"{directory}/pids.max"] = f"{limit}\n"
            files[f"{directory}/pids.current"] = f"{used}\n"
        return process_limit(*write_groups(tmp_path, "0::/a/b\n", files))

    return write


def test_without_a_limit_there_is_none(groups):
    assert groups() is None
    assert groups(own=("max", 3)) is None


def test_the_limit_that_is_reached_first_counts(groups):
    found = groups(outer=(100, 98), own=(50, 3))
    assert (found.limit, found.used, found.free) == (100, 98, 2)


def test_a_run_starts_threads_for_each_cpu():
    assert processes_of_a_run() > 8
