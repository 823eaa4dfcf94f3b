"""The limit of processes that is reached first, in both versions of control groups."""

import pytest

from numerai_predict.resources.process_count import process_limit, processes_of_a_run


@pytest.fixture
def groups(tmp_path):
    """Write the files of control groups; the own group is `a/b`."""
    (tmp_path / "cgroup").write_text("0::/a/b\n")

    def write(**limits):
        for name, (limit, used) in limits.items():
            directory = tmp_path / "mount" / {"top": "", "outer": "a", "own": "a/b"}[name]
            directory.mkdir(parents=True, exist_ok=True)
            (directory / "pids.max").write_text(f"{limit}\n")
            (directory / "pids.current").write_text(f"{used}\n")
        return process_limit(tmp_path / "mount", tmp_path / "cgroup")

    return write


def test_without_a_limit_there_is_none(groups):
    assert groups() is None
    assert groups(own=("max", 3)) is None


def test_the_limit_that_is_reached_first_counts(groups):
    found = groups(outer=(100, 98), own=(50, 3))
    assert (found.limit, found.used, found.free) == (100, 98, 2)


def test_a_run_starts_threads_for_each_cpu():
    assert processes_of_a_run() > 8
