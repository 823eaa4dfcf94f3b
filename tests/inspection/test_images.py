"""The supported images and the commands that run a pickle in them."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from numerai_predict.contract.container_run import BindMount
from numerai_predict.inspection import images


def test_every_python_has_a_full_image_with_all_of_the_slim_one():
    flavours = {(each.python, each.flavour): each.packages for each in images.supported_images()}
    for python in images.supported_pythons():
        assert flavours[python, "slim"].items() < flavours[python, "full"].items()
    assert "torch" not in flavours["3.12", "slim"]
    assert "torch" in flavours["3.12", "full"]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn", "scikit-learn"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("dateutil", "python-dateutil"),
        ("pytorch_lightning", "pytorch-lightning"),
        ("tensorflow_decision_forests", "tensorflow-decision-forests"),
        ("typing_extensions", "typing-extensions"),
        ("no_such_module", None),
    ],
)
def test_modules_are_found_in_the_packages_that_they_come_from(module, package):
    assert images.package_of(module) == package


@pytest.mark.parametrize(
    ("model", "folder"),
    [
        ("my model.pkl", None),
        ("inner/m.pkl", None),
        ("https://host/m.pkl", None),
        ("/elsewhere/m.pkl", "/elsewhere"),
        ("/a b/m.pkl", "/a b"),
        ("../beside/m.pkl", "{parent}/beside"),
    ],
)
def test_the_command_mounts_the_files_that_it_needs_and_is_safe_in_a_shell(model, folder):
    arguments = shlex.split(images.supported_images()[0].command(model))
    assert arguments[arguments.index("--model") + 1] == model
    mounts = [word for word in arguments if word.endswith(",readonly")]
    folder = folder and folder.format(parent=Path.cwd().parent)
    expected = f"type=bind,source={folder},target={folder},readonly"
    assert mounts == ([expected] if folder else [])


@pytest.mark.process
@pytest.mark.parametrize("name", ["plain", "a b", "a:b", "a,b", 'a"b', "a'b", "$(touch no)"])
def test_the_command_mounts_the_directory_in_which_it_runs(tmp_path, monkeypatch, name):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    line = images.supported_images()[0].command("m.pkl")
    script = f'docker() {{ printf "%s\\0" "$@"; }}; {line}'
    arguments = subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout.split(
        "\0"
    )
    assert arguments[arguments.index("--mount") + 1] == BindMount(folder, read_only=False).option()
    assert arguments[arguments.index("--workdir") + 1] == str(folder)
    assert arguments[arguments.index("--output_dir") + 1] == str(folder)
    assert arguments[arguments.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
