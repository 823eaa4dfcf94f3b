"""The images as a user runs them: `docker run IMAGE --model model.pkl`."""

import json
import os
from pathlib import Path

import pytest

from numerai_predict.contract.container_run import BindMount, ContainerLimits

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(900)  # importing everything takes minutes

# Modules that cannot be imported with the hosted versions, and why.
KNOWN_FAILURES = {
    "tensorflow_estimator": "2.15 asks for a part of TensorFlow that 2.19 no longer has",
    "tensorflow_io_gcs_filesystem": "TensorFlow itself has the file system by now",
    "nvfuser": "a part of torch 2.0.1, which finds its libraries once torch is imported",
    "jax": "the hosted environment of Python 3.10 has jax without jaxlib",
}


@pytest.mark.parametrize("name", ["one_argument", "two_arguments"])
def test_the_example_pickles_run(predict, output, example, name):
    run = predict(example(name))
    assert run.returncode == 0, run.stderr
    (csv,) = output.glob("live_predictions-*.csv")
    assert len(csv.read_text().splitlines()) == 301


def test_both_flavours_predict_the_same_to_the_last_byte(predict, image, output, example):
    other = image.other_flavour()
    if not other.is_built():
        pytest.skip(f"{other.reference} is not built: make build_{image.version.replace('.', '_')}")
    for one in (image, other):
        assert predict(example("two_arguments"), of=one).returncode == 0
    first, second = output.glob("live_predictions-*.csv")
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["--user", "4321:4321"], id="another user"),
        pytest.param(["--user", "0"], id="root"),
        pytest.param(["--read-only", "--tmpfs", "/tmp"], id="read-only"),
        pytest.param(["--cap-drop", "ALL"], id="no capabilities"),
        pytest.param(["--cpus", "1", "--memory", "4g"], id="hosted limits"),
        pytest.param(
            ["--user", "4321", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"]
            + ["--security-opt", "no-new-privileges", "--pids-limit", "100"],
            id="all restrictions",
        ),
    ],
)
def test_a_container_may_be_restricted(predict, output, example, options):
    run = predict(example("two_arguments"), options=["--network", "none", *options])
    assert run.returncode == 0, run.stderr
    assert len(list(output.glob("live_predictions-*.csv"))) == 1


def test_files_belong_to_the_user_of_the_container(predict, output, example):
    assert predict(example("one_argument"), options=["--user", "4321:4322"]).returncode == 0
    (csv,) = output.glob("live_predictions-*.csv")
    assert (csv.stat().st_uid, csv.stat().st_gid) == (4321, 4322)


def test_the_model_is_never_root(predict, image, output, tmp_path):
    made = image.run(
        "-c",
        "import cloudpickle, sys\n"
        "def predict(live_features):\n"
        "    import os\n"
        "    raise RuntimeError(f'model is user {os.getuid()} with groups {os.getgroups()}')\n"
        "sys.stdout.write(cloudpickle.dumps(predict).hex())",
    )
    model = tmp_path / "whoami.pkl"
    model.write_bytes(bytes.fromhex(made.stdout))
    assert "model is user 1000 with groups" in predict(model).stderr
    assert "model is user 65534 with groups []" in predict(model, options=["--user", "0"]).stderr


def test_a_model_that_only_its_owner_may_read_runs_in_a_container_of_root(
    predict, output, example, tmp_path
):
    model = tmp_path / "private.pkl"
    model.write_bytes(example("one_argument").read_bytes())
    (output.parent / "model.pkl").touch(mode=0o600)
    run = predict(model, options=["--user", "0"])
    assert run.returncode == 0, run.stderr


def test_threads_follow_the_containers_limit_of_processors(image):
    program = "from numerai_predict.resources.cpu_quota import usable_cpus; print(usable_cpus())"
    path = "import sys; sys.path.append('/usr/local/share/numerai-predict'); "
    assert image.run("-c", path + program, limits=ContainerLimits(cpus=1)).stdout.strip() == "1"
    every = str(len(os.sched_getaffinity(0)))
    assert image.run("-c", path + program).stdout.strip() == every


def test_the_image_contains_the_packages_of_its_lock_and_imports_all(image, record_property):
    run = image.run(
        "/contents.py",
        "/requirements.txt",
        mounts=(
            BindMount(ROOT / "images/contents.py", "/contents.py"),
            BindMount(image.requirements, "/requirements.txt"),
        ),
    )
    report = json.loads(run.stdout)
    record_property("import warnings", report["warnings"])
    print(f"{image.reference}: {report['modules']} modules, warnings of imports:")
    print(json.dumps(report["warnings"], indent=2))
    assert report["unlocked"] == []
    assert report["missing"] == []
    assert report["modules"] > 60
    unknown = {name: e for name, e in report["failures"].items() if name not in KNOWN_FAILURES}
    assert unknown == {}


def test_there_is_no_compiler_no_package_manager_and_no_cache(image):
    script = """
        for program in gcc cc g++ clang make pip pip3 poetry uv; do
            command -v $program && echo "found $program"
        done
        find / -xdev \\( -name '*.a' -o -name '*.whl' \\) -not -path '/proc/*' 2>/dev/null
        find /root /var/lib/apt/lists /var/cache/apt -type f -not -name '.*rc' -not -name .profile
        true
    """
    assert image.run("-c", script, entrypoint="sh", user="0").stdout == ""


def test_every_module_has_its_bytecode(image):
    script = (
        "import pathlib, sysconfig, importlib.util as u\n"
        "roots = [sysconfig.get_path('stdlib'), '/usr/local/share/numerai-predict']\n"
        "found = (f for root in roots for f in pathlib.Path(root).rglob('*.py'))\n"
        "files = [f for f in found if 'lib2to3' not in f.parts]\n"
        "bare = [str(f) for f in files if not pathlib.Path(u.cache_from_source(f)).exists()]\n"
        "print(len(files), len(bare), *bare[:9], sep='\\n')"
    )
    files, bare, *examples = image.run("-c", script).stdout.split()
    assert int(files) > 5000
    # A few packages ship templates and Python 2 under a Python name: they cannot compile.
    assert int(bare) < 20, examples


def test_labels_say_what_the_image_is(image):
    facts = image.inspect()
    labels = facts["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == image.flavour
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert labels["org.opencontainers.image.revision"]
    assert facts["Config"]["User"] == "1000:1000"


def test_the_record_names_the_image(predict, image, output, example):
    predict(example("one_argument"), "--result", str(output / "record.json"))
    environment = json.loads((output / "record.json").read_text())["environment"]
    assert environment["python"].startswith(image.version + ".")
    assert image.version.replace(".", "_") in environment["image"]
    assert environment["image"].endswith(image.flavour)
