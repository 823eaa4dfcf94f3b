"""Models as people publish them, each run by predict.py inside an image, and by a fleet of it."""

import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/cases"))

from write_cases import CASES, TESTED, selected_names  # noqa: E402

from numerai_predict.contract.container_run import BindMount  # noqa: E402

pytestmark = pytest.mark.timeout(1800)

# What has another result in a container without namespaces, which the default profile refuses.
PRIVATE = [name for name in TESTED if CASES[name].shared is not None]
# Programs that look their user up. In a fleet's container each slot has a user of its own, which
# only a model's private root lists: without a mount namespace these fail.
ASK_FOR_THE_USER = ("whoami", "user_in_other_processes")
PREDICT = "/usr/local/share/numerai-predict/predict.py"
PLAYED_WITH = "3.12"
ANY_USER = ["getuser", "own_entry", "own_group", "owner_of_a_file"]


def applies(name, image):
    """Whether a case runs in an image: in the full one those that need a library."""
    return image.flavour == "slim" or name in ANY_USER or bool(CASES[name].modules)


@pytest.fixture(scope="module")
def published(image, request, tmp_path_factory):
    """The directory of the selected cases' files, and the names that it cannot make."""
    if image.version != PLAYED_WITH:
        pytest.skip(f"the cases run in the images of Python {PLAYED_WITH}")
    folder = tmp_path_factory.mktemp("published")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o777)
    mounts = (BindMount(ROOT / "tests/cases", "/cases"), BindMount(folder, read_only=False))
    selected = [*selected_names(request.session), *ANY_USER]
    # The full image is for the libraries that the slim one does not have.
    names = [name for name in CASES if name in selected and applies(name, image)]
    made = image.run("/cases/write_cases.py", folder, *names, mounts=mounts)
    assert made.returncode == 0, made.stderr
    return folder, [*made.stdout.split(), *(set(CASES) - set(names))]


@pytest.fixture(scope="module")
def run_all(image, inputs, tmp_path_factory):
    """Run the pickles of a directory in one container; their records by the files' names."""

    def run(folder, *options):
        output = tmp_path_factory.mktemp("records")
        for path in (output, output.parent, output.parent.parent):
            path.chmod(0o777)
        readable = (BindMount(ROOT / "tests/fleet", "/runs"), BindMount(folder), BindMount(inputs))
        ended = image.run(
            *("/runs/singles.py", PREDICT, folder, inputs, output, "--timeout", "300"),
            options=options,
            mounts=(*readable, BindMount(output, read_only=False)),
            timeout=1500,
        )
        assert ended.returncode == 0, ended.stderr
        return {path.stem: json.loads(path.read_text()) for path in output.glob("*.json")}

    return run


@pytest.fixture(scope="module")
def records(published, run_all):
    """The record of each case, with the engine's default options."""
    return run_all(published[0])


@pytest.fixture(scope="module")
def private_records(published, run_all, tmp_path_factory):
    """The records of those that need namespaces, with the seccomp profile that allows them."""
    folder = tmp_path_factory.mktemp("private")
    folder.chmod(0o755)
    for name in PRIVATE:
        path = published[0] / CASES[name].file_name
        if path.exists():
            shutil.copy(path, folder)
    return run_all(folder, "--security-opt", f"seccomp={ROOT / 'deploy/docker/seccomp.json'}")


def needed(name, published, image):
    """Skip a case whose modules the image does not have, or that another image runs."""
    if not applies(name, image):
        pytest.skip("runs in the slim image")
    if name in published[1]:
        modules = ", ".join(CASES[name].modules)
        pytest.skip(f"{name} needs {modules}, which {image.reference} lacks")


@pytest.mark.parametrize("name", TESTED)
def test_a_model_has_the_expected_result_in_an_image(image, published, records, name):
    needed(name, published, image)
    assert CASES[name].differences(records[Path(CASES[name].file_name).stem]) == []


@pytest.mark.parametrize("name", PRIVATE)
def test_with_namespaces_it_has_the_result_that_it_has_on_the_host(
    image, published, private_records, name
):
    needed(name, published, image)
    record = private_records[Path(CASES[name].file_name).stem]
    layers = record["sandbox"]
    if layers["mount_namespace"].startswith("not available"):
        pytest.skip(f"this kernel: {layers['mount_namespace']}")
    assert CASES[name].expected.differences(record) == []


@pytest.mark.parametrize("user", ["0:0", "1000:1000", "4321:4321"])
@pytest.mark.parametrize("name", ANY_USER)
def test_a_model_finds_the_name_of_any_user(published, predict, user, name):
    run = predict(published[0] / f"{name}.pkl", options=("--network", "none", "--user", user))
    assert run.returncode == 0, run.stderr


def test_a_fleet_of_images_says_what_single_runs_do(image, published, records, fleet):
    ended, output = fleet(published[0], "--timeout", "300", timeout=1500)
    assert ended.returncode in (0, 1), ended.stderr + ended.stdout  # 1: some models are broken
    in_fleet = {path.stem: json.loads(path.read_text()) for path in output.glob("records/*.json")}
    assert len(in_fleet) == len(records) > 0
    different = {}
    for name, record in in_fleet.items():
        layers = record["sandbox"] or {}  # none of what is no pickle, which never ran
        assert record["environment"]["image"] or not layers, "it ran outside of the images"
        is_unlisted = layers.get("mount_namespace", "").startswith("not available")
        if not (name in ASK_FOR_THE_USER and is_unlisted):
            different[name] = CASES[name].differences(record)
    assert {name: found for name, found in different.items() if found} == {}
