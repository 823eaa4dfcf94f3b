"""The memory limit of the container, in both versions of control groups."""

import functools

import pytest
from control_groups import write_groups

from numerai_predict.resources import container_memory


@pytest.fixture
def group(tmp_path):
    """Files of the control groups; see `write_groups`."""
    return functools.partial(write_groups, tmp_path)


V2 = "0::/box\n"
V1 = "4:memory:/docker/abc\n1:cpu:/\n0::/\n"


def test_version_2_counts_kills_of_the_own_group_only(group):
    places = group(
        V2,
        {
            "memory.events": "low 0\noom_kill 7\n",
            "box/memory.events": "low 0\noom 2\noom_kill 2\noom_group_kill 0\n",
            "box/memory.max": "2147483648\n",
        },
    )
    assert container_memory.kills(*places) == 2
    assert container_memory.limit_bytes(*places) == 2**31


def test_version_1_counts_kills_in_another_file(group):
    places = group(
        V1,
        {
            "memory/docker/abc/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
            "memory/docker/abc/memory.limit_in_bytes": "1073741824\n",
        },
    )
    assert container_memory.kills(*places) == 1
    assert container_memory.limit_bytes(*places) == 2**30


def test_inside_a_container_the_mount_is_the_own_group(group):
    places = group(V1, {"memory/memory.oom_control": "oom_kill 3\n"})
    assert container_memory.kills(*places) == 3


def test_the_lowest_limit_of_the_ancestors_applies(group):
    places = group(V2, {"memory.max": "max\n", "box/memory.max": "max\n"})
    assert container_memory.limit_bytes(*places) is None
    places = group(V2, {"memory.max": "500\n", "box/memory.max": "900\n"})
    assert container_memory.limit_bytes(*places) == 500


def test_without_control_groups_there_are_no_kills_and_no_limit(tmp_path):
    places = (tmp_path / "nothing", tmp_path / "nowhere")
    assert container_memory.kills(*places) == 0
    assert container_memory.limit_bytes(*places) is None


def test_no_limit_of_version_1_is_none(group):
    places = group(V1, {"memory/memory.limit_in_bytes": "9223372036854771712\n"})
    assert container_memory.limit_bytes(*places) is None
