"""Ray, where a fleet run starts it: reachable from this machine alone, and gone at the end."""

import contextlib
import ipaddress
import signal
import tempfile
import time
from pathlib import Path

import pytest
from fleets import Fleet, wait_until

from numerai_predict.resources.process_tree import descendants

pytestmark = [pytest.mark.ray, pytest.mark.process, pytest.mark.slow]

LISTENS, BOUND = "0A", "07"  # the states of TCP and UDP sockets in /proc/net


def slow(live_features):
    time.sleep(0.5)
    return live_features["feature_sample_0000"].rank(pct=True).to_frame("prediction")


@pytest.fixture
def temporary():
    """A directory for temporary files with a short path, as Ray's sockets need."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="r") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def running(temporary, tmp_path, sample, clean_environment, pickle_model):
    """A fleet run in the midst of its models, with a home directory of its own."""
    home = tmp_path / "home"
    models = tmp_path / "models"
    for directory in (home, models):
        directory.mkdir()
    data = pickle_model(slow).read_bytes()
    for number in range(99):
        (models / f"m{number:02}.pkl").write_bytes(data)
    environment = {**clean_environment, "TMPDIR": str(temporary), "HOME": str(home)}
    fleet = Fleet(tmp_path, sample, environment)
    process = fleet.start(models)
    wait_until(lambda: list(fleet.directory.glob("records/*.json")), 90)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def sockets_of(pids):
    """The inodes of the sockets that processes hold."""
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):  # it has ended, or closed one
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]


def addresses(pids):
    """The addresses at which processes accept TCP connections or UDP packets."""
    inodes = set(sockets_of(pids))
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] in (LISTENS, BOUND) and fields[9] in inodes:
                yield parsed(fields[1].partition(":")[0])


def parsed(text):
    """An address of /proc/net: 32-bit words in the byte order of the machine."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    address = ipaddress.ip_address(b"".join(words))
    return getattr(address, "ipv4_mapped", None) or address


def test_all_sockets_are_on_loopback_and_all_files_for_this_user(running, temporary, tmp_path):
    found = list(addresses([running.pid, *descendants(running.pid).processes]))
    assert len(found) >= 4  # at least those of the two servers of Ray, driver and worker actor
    assert [str(address) for address in found if not address.is_loopback] == []
    (token,) = temporary.glob("*/token")
    assert token.stat().st_mode & 0o777 == 0o600
    assert token.parent.stat().st_mode & 0o777 == 0o700
    assert list((tmp_path / "home").rglob("*token*")) == []
    assert list(token.parent.glob("r/session_*"))

    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT, errors
    assert [str(path) for path in temporary.rglob("*")] == []


def test_the_files_of_a_killed_fleet_run_are_removed_when_the_next_one_starts(
    running, temporary, sample, clean_environment, tmp_path, pickle_model
):
    running.kill()
    running.communicate()
    left = set(temporary.iterdir())
    assert left
    (tmp_path / "second").mkdir()
    again = Fleet(tmp_path / "second", sample, {**clean_environment, "TMPDIR": str(temporary)})
    model = tmp_path / "second" / "models"
    model.mkdir()
    (model / "m.pkl").write_bytes(pickle_model(slow).read_bytes())
    done = again.run(model)
    assert done.verdicts() == {"m": "ok"}, done.stderr
    assert [str(path) for path in temporary.rglob("*")] == []
