import os
import subprocess

import pytest

from numerai_predict.contract.container_run import (
    BindMount,
    ContainerLimits,
    ContainerRun,
    Privileges,
)

DOCKER = os.environ.get("DOCKER", "docker")
# Each is a directory's name that the syntax of an option could take for its own.
NAMES = {
    "space": "a b",
    "spaces at its ends": " a ",
    "colon": "a:b",
    "mode of a volume": "a:ro",
    "comma": "a,b",
    "option of a mount": "a,readonly",
    "quote": 'a"b',
    "quotes alone": '""',
    "quoted comma": 'a","b',
    "apostrophe": "a'b",
    "equals sign": "a=b",
    "backslash": "a\\b",
    "variable": "$HOME",
    "option": "--rm",
    "tab": "a\tb",
    "line feed": "a\nb",
    "unicode": "Daten-ä-日本",
    "200 characters": "x" * 200,
}


@pytest.fixture(scope="session")
def python_image():
    """An image with a Python that the engine has already."""
    try:
        listed = subprocess.run(
            [DOCKER, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        pytest.skip("no container engine works here")
    for name in listed.stdout.split():
        if name.startswith(("python:", "numerai_predict_py_")):
            return name
    pytest.skip("the container engine has no image with a Python")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_directory_of_any_name_is_mounted(python_image, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "given").write_text("found")
    program = (
        "import sys; d = sys.argv[1]; print(open(d + '/given').read()); open(d + '/made', 'w')"
    )
    run = ContainerRun(
        python_image,
        ("-c", program, str(folder)),
        entrypoint="python",
        mounts=(BindMount(folder, read_only=False),),
        user=f"{os.getuid()}:{os.getgid()}",
    )
    ended = subprocess.run(run.argv(DOCKER), capture_output=True, text=True, timeout=60)
    assert ended.stdout == "found\n", ended.stderr
    assert (folder / "made").exists()


def test_a_mount_is_read_only_unless_it_is_made_writable(python_image, tmp_path):
    program = f"open({str(tmp_path / 'made')!r}, 'w')"
    run = ContainerRun(
        python_image,
        ("-c", program),
        entrypoint="python",
        mounts=(BindMount(tmp_path),),
        user=f"{os.getuid()}:{os.getgid()}",
    )
    ended = subprocess.run(run.argv(DOCKER), capture_output=True, text=True, timeout=60)
    assert "Read-only file system" in ended.stderr


def test_a_file_that_is_named_twice_is_mounted_once(python_image, tmp_path):
    mount = BindMount(tmp_path)
    run = ContainerRun(python_image, ("--version",), entrypoint="python", mounts=(mount, mount))
    assert subprocess.run(run.argv(DOCKER), capture_output=True, timeout=60).returncode == 0


def test_a_container_has_no_network_unless_it_asks_for_one():
    assert ContainerRun("i").argv("docker") == ["docker", "run", "--rm", "--network", "none", "i"]
    assert ContainerRun("i", network=True).argv("podman") == ["podman", "run", "--rm", "i"]


def test_arguments_follow_the_image():
    argv = ContainerRun("i", ("-c", "--name"), entrypoint="python", name="n").argv("docker")
    assert argv[-3:] == ["i", "-c", "--name"]
    assert argv[argv.index("--entrypoint") + 1] == "python"


def test_a_variable_without_a_value_is_named_alone():
    argv = ContainerRun("i", environment={"A": "1 2", "SECRET": None}).argv("docker")
    assert argv[-5:-1] == ["--env", "A=1 2", "--env", "SECRET"]


def test_memory_is_limited_without_swap_and_root_keeps_only_the_named_capabilities():
    run = ContainerRun(
        "i",
        limits=ContainerLimits(cpus=2, memory_bytes=5, shared_memory_bytes=4, processes=3),
        privileges=Privileges(("KILL",)),
        read_only=True,
        interactive=True,
        keep_log=False,
    )
    assert run.argv("docker") == [
        *("docker", "run", "--rm", "--interactive", "--network", "none", "--read-only"),
        *("--cap-drop", "ALL", "--cap-add", "KILL", "--security-opt", "no-new-privileges"),
        *("--log-driver", "none", "--cpus", "2", "--memory", "5", "--memory-swap", "5"),
        *("--shm-size", "4", "--pids-limit", "3", "i"),
    ]
