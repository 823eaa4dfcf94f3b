"""Inside the images: every layer holds, and real libraries work within them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/images"))
sys.path.insert(0, str(ROOT / "tests/attacks"))

import libraries  # noqa: E402
import stage  # noqa: E402

from numerai_predict.contract.container_run import BindMount  # noqa: E402
from numerai_predict.sandbox.namespaces import NAMESPACES, PID  # noqa: E402

DOCKER = os.environ.get("DOCKER", "docker")
DEEP = {"torch", "tensorflow", "jaxlib"}
# The attempts take a minute and a half per user: one image represents all.
PLAYED_IN = "3.12-slim"
NOT_THERE = {("3.10", "jaxlib"): "the hosted environment of Python 3.10 has jax without jaxlib"}

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def pickles(image, tmp_path_factory):
    """A directory with a pickle a library, made inside the image."""
    folder = tmp_path_factory.mktemp("libraries")
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o777)
    mounts = (BindMount(ROOT / "tests/images", "/tests"), BindMount(folder, read_only=False))
    made = image.run("/tests/libraries.py", folder, mounts=mounts)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize("library", [model.__name__ for model in libraries.MODELS])
def test_a_library_works_within_every_layer(predict, image, output, pickles, library):
    if library in DEEP and image.flavour == "slim":
        pytest.skip(f"the slim images are those without {library}")
    if reason := NOT_THERE.get((image.version, library)):
        pytest.skip(reason)
    record = output / "record.json"
    shm = ("--network", "none", "--shm-size", "256m")
    run = predict(
        pickles / f"{library}.pkl", "--sandbox", "require", "--result", record, options=shm
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(record.read_text())["predictions"]["rows"] == 300


@pytest.mark.parametrize("user", ["0", "1000"])
@pytest.mark.parametrize(
    ("options", "missing"),
    [
        pytest.param([], set(NAMESPACES), id="Docker's default profile"),
        pytest.param(["--security-opt", "seccomp=unconfined"], {PID}, id="no seccomp profile"),
        pytest.param(
            ["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"],
            set(),
            id="no seccomp profile, nothing of /proc hidden",
        ),
    ],
)
def test_the_options_of_the_container_decide_which_namespaces_there_are(
    predict, output, example, options, missing, user
):
    record = output / "record.json"
    run = predict(
        example("one_argument"),
        *("--sandbox", "require", "--result", record),
        options=["--network", "none", "--user", user, *options],
    )
    assert run.returncode == 0, run.stderr
    layers = json.loads(record.read_text())["sandbox"]
    assert {name for name in NAMESPACES if layers[name].startswith("not available")} == missing


def test_the_kernels_kill_at_the_containers_limit_is_reported(image, predict, tmp_path):
    made = image.run(
        "-c",
        "import cloudpickle, sys\n"
        "def predict(live_features):\n"
        "    kept = []\n"
        "    while True: kept.append(bytearray(8 * 1024**2))\n"
        "sys.stdout.write(cloudpickle.dumps(predict).hex())",
    )
    model = tmp_path / "grows.pkl"
    model.write_bytes(bytes.fromhex(made.stdout))
    limits = ("--network", "none", "--memory", "400m", "--memory-swap", "400m")
    run = predict(model, options=limits)
    assert run.returncode == 22, run.stderr
    last = run.stderr.splitlines()[-1]
    assert "exceeded its container's memory limit of 400.0 MiB" in last
    assert "docker run --memory" in last


def play_attempts(image, user, inputs, options, *arguments):
    """The outcomes of the attempts in a container of the image."""
    if f"{image.version}-{image.flavour}" != PLAYED_IN:
        pytest.skip(f"the attempts are played in {PLAYED_IN}: `make test_attacks` shows them all")
    engine, command, *argv = stage.container(image.reference, user, inputs, *arguments).argv(DOCKER)
    argv = [engine, command, *options, *argv]
    played = subprocess.run(argv, capture_output=True, text=True, timeout=800)
    assert played.stdout, played.stderr
    return [stage.Outcome(**json.loads(line)) for line in played.stdout.splitlines()]


def require_expected(outcomes):
    """Require that those alone escaped that nothing stops in such a container."""
    escaped = {each.name: each.detail for each in outcomes if each.result == "escaped"}
    expected = stage.expected_escapes(outcomes[0].layers)
    assert escaped.keys() - {stage.TOGETHER} == expected.keys(), escaped
    # Of all together the one trace is what the expected ones showed.
    assert escaped.get(stage.TOGETHER, "").count(";") == 0, escaped


@pytest.mark.parametrize("user", ["0:0", "1000:1000"])
def test_no_attempt_to_break_out_succeeds(image, inputs, user):
    outcomes = play_attempts(image, user, inputs, [])
    assert [outcome.name for outcome in outcomes] == stage.every_name()
    require_expected(outcomes)


UNCONFINED = ("--security-opt", "seccomp=unconfined")
ALL_NAMESPACES = (*UNCONFINED, "--security-opt", "systempaths=unconfined")


@pytest.mark.parametrize("user", ["0:0", "1000:1000", "4242:4242"])
@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--init",), id="init"),
        pytest.param(("--read-only", "--tmpfs", "/tmp"), id="read-only"),
        pytest.param(("--cap-drop", "ALL"), id="no capabilities"),
        pytest.param(UNCONFINED, id="no seccomp profile"),
        pytest.param(ALL_NAMESPACES, id="every namespace"),
    ],
)
def test_no_attempt_succeeds_with_other_options_of_the_container(image, inputs, user, options):
    require_expected(play_attempts(image, user, inputs, options, "--together"))
