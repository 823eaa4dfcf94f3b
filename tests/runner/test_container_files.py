"""Files that a container keeps for itself, by its table of mounts."""

from pathlib import Path

import pytest

from numerai_predict.runner.container.container_files import is_lost_with_container

MOUNTS = """\
305 125 0:55 / / rw,relatime master:3 - overlay overlay rw,lowerdir=/var/lib/a:/var/lib/b
306 305 0:64 / /proc rw,nosuid - proc proc rw
310 305 8:1 /home/me/out /out rw,relatime - ext4 /dev/sda1 rw
311 305 8:1 /home/me/my\\040files /my\\040files rw,relatime - ext4 /dev/sda1 rw
312 305 0:70 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw
313 305 8:1 /home/me/t /tmp/mine rw,relatime - ext4 /dev/sda1 rw
314 305 0:71 / /host rw,nosuid,nodev - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("directory", "lost"),
    [
        ("/", True),
        ("/output", True),
        ("/home/model", True),
        ("/tmp", True),
        ("/tmp/a/b", True),
        ("/out", False),
        ("/out/deeper", False),
        ("/outside", True),
        ("/my files", False),
        ("/tmp/mine", False),
        ("/host", False),
    ],
)
def test_only_mounted_directories_outlive_a_container(tmp_path, directory, lost):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_lost_with_container(Path(directory), mounts, in_container=True) is lost
    assert not is_lost_with_container(Path(directory), mounts, in_container=False)


@pytest.mark.parametrize(("image", "lost"), [("numerai_predict_py_3_12", True), (None, False)])
def test_only_containers_of_the_images_are_meant(monkeypatch, tmp_path, image, lost):
    monkeypatch.delenv("NUMERAI_PREDICT_IMAGE", raising=False)
    if image:
        monkeypatch.setenv("NUMERAI_PREDICT_IMAGE", image)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_lost_with_container(Path("/"), mounts) is lost


def test_without_a_table_of_mounts_nothing_is_said(tmp_path):
    assert not is_lost_with_container(tmp_path, tmp_path / "none", in_container=True)
