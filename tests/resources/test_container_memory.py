"""The memory limit of the container, in both versions of control groups."""

import pytest

from numerai_predict.resources import container_memory


@pytest.fixture
def group(tmp_path):
    """Files of a control group as the kernel shows them."""

    def write(own, **files):
        mount = tmp_path / "cgroup"
        for path, text in files.items():
            file = mount / path.replace("__", "/").replace("_DOT_", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (tmp_path / "own").write_text(own)
        return mount, tmp_path / "own"

    return write


V2 = "0::/box\n"
V1 = "4:memory:/docker/abc\n1:cpu:/\n0::/\n"


def test_version_2_counts_kills_of_the_own_group_only(group):
    places = group(
        V2,
        memory_DOT_events="low 0\noom_kill 7\n",
        box__memory_DOT_events="low 0\noom 2\noom_kill 2\noom_group_kill 0\n",
        box__memory_DOT_max="2147483648\n",
    )
    assert container_memory.kills(*places) == 2
    assert container_memory.limit_bytes(*places) == 2**31


def test_version_1_counts_kills_in_another_file(group):
    places = group(
        V1,
        memory__docker__abc__memory_DOT_oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        memory__docker__abc__memory_DOT_limit_in_bytes="1073741824\n",
    )
    assert container_memory.kills(*places) == 1
    assert container_memory.limit_bytes(*places) == 2**30


def test_inside_a_container_the_mount_is_the_own_group(group):
    places = group(V1, memory__memory_DOT_oom_control="oom_kill 3\n")
    assert container_memory.kills(*places) == 3


def test_the_lowest_limit_of_the_ancestors_applies(group):
    places = group(V2, memory_DOT_max="max\n", box__memory_DOT_max="max\n")
    assert container_memory.limit_bytes(*places) is None
    places = group(V2, memory_DOT_max="500\n", box__memory_DOT_max="900\n")
    assert container_memory.limit_bytes(*places) == 500


def test_without_control_groups_there_are_no_kills_and_no_limit(tmp_path):
    places = (tmp_path / "nothing", tmp_path / "nowhere")
    assert container_memory.kills(*places) == 0
    assert container_memory.limit_bytes(*places) is None


def test_no_limit_of_version_1_is_none(group):
    places = group(V1, memory__memory_DOT_limit_in_bytes="9223372036854771712\n")
    assert container_memory.limit_bytes(*places) is None
