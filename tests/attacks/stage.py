"""The stage of the escape suite: servers, files and secrets around real runs of `predict.py`.

python tests/attacks/stage.py PREDICT DIRECTORY SAMPLE [--sandbox MODE] [NAME ...]

plays the attempts in DIRECTORY with the named predict.py on the sample data and prints a JSON line
for each. It needs nothing that an image lacks, and runs in containers too.
"""

import argparse
import contextlib
import ctypes
import json
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cloudpickle

sys.path.insert(0, str(Path(__file__).parent))

import attempts

SECRET, POST_SECRET = "environment-canary-7f3a", "post-canary-91bc"
IN_IMAGE = "/usr/local/share/numerai-predict/predict.py"
TOGETHER = "all of them in one run"
# The kernel has no other means; see "What is not promised" in SECURITY.md.
STOPPED_BY_ONE = {
    "read what another program keeps in shared memory": (
        "mount_namespace",
        "libraries need /dev/shm for their semaphores, and no rule is for single files",
    ),
    "become root": ("user", "root without capabilities cannot become another user"),
    "list the runner's descriptors": (
        "user",
        "only their numbers: root owns the directory of a runner that is root",
    ),
}
_HIGH_ID = 2_000
PLANTED, WRITABLE = "planted-canary-55de", "as it was"


@dataclass
class Outcome:
    """How an attempt ended: `blocked`, `contained` or `escaped`, and the evidence."""

    name: str
    result: str
    verdict: str
    detail: str = ""
    layers: dict = field(default_factory=dict)


class Stage:
    """A directory with files to protect, and servers that must not be reached."""

    def __init__(self, predict, folder, sample, sandbox="auto"):
        self.predict, self.folder, self.sample, self.sandbox = predict, folder, sample, sandbox
        self.reached = []
        for name in ("temporary", "output", "open", "models", "home"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "open").chmod(0o777)
        self.planted, self.writable = folder / "planted", folder / "open" / "writable"
        self.planted.write_text(PLANTED)
        self.model = folder / "models" / "model.pkl"
        self.neighbour = folder / "models" / "neighbour.pkl"
        self.neighbour.write_text(PLANTED)
        self.shared = Path("/dev/shm", f"isolation-{secrets.token_hex(4)}")
        self.shared.write_text(PLANTED)
        self.shared.chmod(0o644)
        self.left_behind = f"left-behind-{secrets.token_hex(4)}"
        self.free_abstract = f"isolation-free-{secrets.token_hex(4)}"
        self.queues = Queues()
        self._sockets = list(self._open_sockets())
        self._bucket = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
        threading.Thread(target=self._bucket.serve_forever, daemon=True).start()

    def close(self):
        self.shared.unlink(missing_ok=True)
        self.queues.close()
        self._datagrams.close()
        for server in self._sockets:
            with contextlib.suppress(OSError):  # closed by the thread whose accept ends here
                server.shutdown(socket.SHUT_RDWR)
            server.close()
        self._bucket.shutdown()
        self._bucket.server_close()

    def _open_sockets(self):
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        yield self._serve(tcp)
        with contextlib.suppress(OSError):  # a machine without IPv6
            yield self._serve(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.listen = free.getsockname()[1]
        self.abstract = f"isolation-{secrets.token_hex(4)}"
        self._datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._datagrams.bind("\0datagrams-" + self.abstract)
        self._datagrams.setblocking(False)
        for address, mode in (
            ("\0" + self.abstract, None),
            (str(self.folder / "socket"), 0o600),
            (str(self.folder / "open-socket"), 0o777),
        ):
            server = socket.socket(socket.AF_UNIX)
            server.bind(address)
            server.listen()
            if mode is not None:
                os.chmod(address, mode)
            yield self._serve(server)

    def _serve(self, server):
        def answer():
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    self.reached.append(server.family.name)

        threading.Thread(target=answer, daemon=True).start()
        return server

    def facts(self, model, result):
        """Facts that an attempt gets, so that it need not guess them."""
        return {
            "secret": SECRET,
            "post_secret": POST_SECRET,
            "scratch_mark": "numerai-model-",
            "planted": str(self.planted),
            "writable": str(self.writable),
            "open_folder": str(self.folder / "open"),
            "neighbour": str(self.neighbour),
            "output": str(self.folder / "output"),
            "home": str(self.folder / "home"),
            "model": str(model),
            "result": str(result),
            "result_folder": result.parent.stat().st_ino,
            "tcp": self.port,
            "listen": self.listen,
            "abstract": self.abstract,
            "abstract_datagrams": f"datagrams-{self.abstract}",
            "shared": str(self.shared),
            "left_behind": self.left_behind,
            "socket": str(self.folder / "socket"),
            "open_socket": str(self.folder / "open-socket"),
            "free_abstract": self.free_abstract,
            "system_v": self.queues.system_v,
            "queue": self.queues.name,
            "was_root": False,
            "others": sorted({os.getpid(), *(t.native_id for t in threading.enumerate())}),
        }

    def play(self, name):
        """Run predict.py on the attempt, then look for traces of it."""
        record_file = self.folder / "result.json"
        function, verdicts, options = attempts.ENDS.get(name, (None, ("ok",), ()))
        function = function or as_model(
            [attempts.REACHES[name]], self.facts(self.model, record_file)
        )
        record, log, printed = self._play(function, options)
        verdict = record["verdict"]
        traces = [*self._traces(log + json.dumps(record)), *wrong(verdict, verdicts, name)]
        traces += [line for line in printed if line.startswith("ESCAPED")]
        blocked = [line for line in printed if line.startswith("BLOCKED")]
        result = "blocked" if name in attempts.REACHES else "contained"
        return Outcome(
            name,
            "escaped" if traces else result,
            verdict,
            "; ".join(traces) or (blocked[-1] if blocked else record.get("message", ""))[:300],
            record.get("sandbox", {}),
        )

    def play_together(self, names):
        """Run predict.py once on all the attempts of `REACHES`; the last outcome is of all."""
        made = [attempts.REACHES[name] for name in names]
        facts = self.facts(self.model, self.folder / "result.json")
        record, log, printed = self._play(as_model(made, facts), ("--timeout", "120"))
        ends = [line for line in printed if line.startswith(("BLOCKED", "ESCAPED"))]
        verdict, layers = record["verdict"], record.get("sandbox", {})
        for name, line in zip(names, ends, strict=False):
            result = "blocked" if line.startswith("BLOCKED") else "escaped"
            yield Outcome(name, result, verdict, line, layers)
        traces = [*self._traces(log + json.dumps(record)), *wrong(verdict, ("ok",), TOGETHER)]
        if len(ends) != len(names):
            traces.append(f"of {len(names)} attempts {len(ends)} were made")
        result = "escaped" if traces else "blocked"
        yield Outcome(TOGETHER, result, verdict, "; ".join(traces), layers)

    def _play(self, function, options):
        """Run predict.py on a model; its record, its log, and what the model printed."""
        record_file = self.folder / "result.json"
        self._reset()
        for module in (attempts, sys.modules[__name__]):
            cloudpickle.register_pickle_by_value(module)
        self.model.write_bytes(cloudpickle.dumps(function))
        with self._connecting(), younger_threads():
            ended = self._run(self.model, record_file, options)
        record = json.loads(record_file.read_text()) if record_file.exists() else {}
        record.setdefault("verdict", f"no record, exit {ended.returncode}")
        printed = [line.partition("| ")[2] for line in ended.stderr.splitlines() if " | " in line]
        return record, ended.stderr, printed

    @contextlib.contextmanager
    def _connecting(self):
        """Try to connect to the port that a model may listen on, during the block."""
        over = threading.Event()

        def connect():
            while not over.wait(0.05):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", self.listen), 1).close()
                    self.reached.append("a port that the model opened")
                    return
                with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
                    client.connect("\0" + self.free_abstract)
                    self.reached.append("an abstract name that the model took")
                    return

        thread = threading.Thread(target=connect)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _run(self, model, result, options):
        command = [sys.executable, self.predict, "--model", model, "--result", result]
        command += ["--dataset", self.sample / "live.parquet", "--sandbox", self.sandbox]
        command += ["--output_dir", self.folder / "output", "--timeout", "30", *options]
        command += ["--post_url", f"http://127.0.0.1:{self._bucket.server_port}/bucket"]
        command += ["--post_data", f"key=p.csv&policy={POST_SECRET}"]
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        kept |= {"TMPDIR": str(self.folder / "temporary"), "AWS_SECRET_ACCESS_KEY": SECRET}
        kept |= {"HOME": str(self.folder / "home"), "NO_PROXY": "*"}
        return subprocess.run(
            [str(word) for word in command],
            env=kept,
            cwd=self.folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            preexec_fn=allow_more,
        )

    def _reset(self):
        self.reached.clear()
        self.writable.write_text(WRITABLE)
        self.writable.chmod(0o644)
        os.utime(self.writable, (2**30, 2**30))
        for path in (*(self.folder / "output").iterdir(), *(self.folder / "open").iterdir()):
            if path != self.writable:
                path.unlink()
        if self.sandbox == "off":  # the previous run may have been left unfinished
            for name in ("temporary", "home"):
                shutil.rmtree(self.folder / name)
                (self.folder / name).mkdir()
        self.shared_before = names(Path("/dev/shm"))
        (self.folder / "result.json").unlink(missing_ok=True)

    def _traces(self, text):
        """Everything that an attempt left outside its sandbox; `text` is the log and the record."""
        for secret in (SECRET, POST_SECRET, PLANTED):
            if secret in text:
                yield f"the log or the record shows {secret}"
        yield from (f"a server was reached over {family}" for family in self.reached)
        with contextlib.suppress(BlockingIOError):
            yield f"a datagram was received: {self._datagrams.recv(9)!r}"
        for folder in ("/tmp", "/var/tmp", "/dev/shm"):
            if (left := Path(folder, self.left_behind)).exists():
                yield f"left for the next model: {left}"
                left.unlink()
        yield from self._changes()
        for folder, expected in (("temporary", 0), ("home", 0)):
            if len(found := names(self.folder / folder)) > expected:
                yield f"left in {folder}: {found}"
        left = names(Path("/dev/shm")) - self.shared_before
        # Others are of stages and tests that run at the same time.
        if left := {name for name in left if not name.startswith(("isolation-", "test-"))}:
            yield f"left in shared memory: {left}"
        if left := list(self._processes()):
            yield f"left running: {left}"
        yield from (f"a core dump: {path.name}" for path in self.folder.rglob("core*"))
        yield from self._bad_predictions()

    def _changes(self):
        facts = self.writable.stat() if self.writable.exists() else None
        if facts is None or self.writable.read_text() != WRITABLE:
            yield "a file of another user was changed"
        elif (facts.st_mode & 0o777, facts.st_mtime) != (0o644, 2**30):
            yield "mode or time of a file of another user was changed"
        if len(names(self.folder / "open")) > 1:
            yield "a file was created in a directory of another user"

    def _bad_predictions(self):
        for path in (self.folder / "output").iterdir():
            values = [line.partition(",")[2] for line in path.read_text().splitlines()[1:]]
            if not values or not all(0 <= float(value) <= 1 for value in values):
                yield f"predictions were saved that no check can have accepted: {path.name}"

    def _processes(self):
        """Processes whose working directory belongs to a run that has ended."""
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                home = os.readlink(process / "cwd")
                if home.startswith(str(self.folder / "temporary")):
                    yield int(process.name)


@contextlib.contextmanager
def younger_threads():
    """Start a thread of this process every half second, which ends with the block."""
    ended = threading.Event()

    def start():
        while not ended.wait(0.5):
            threading.Thread(target=ended.wait).start()

    threading.Thread(target=start).start()
    try:
        yield
    finally:
        ended.set()


def allow_more():
    """Allow core dumps and high priorities, as some machines do."""
    core = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (core, core))
    for kind in (resource.RLIMIT_RTPRIO, resource.RLIMIT_NICE):
        with contextlib.suppress(ValueError, OSError):  # none but root may
            resource.setrlimit(kind, (30, 30))


class Queues:
    """System V memory, semaphores and messages, and a POSIX queue, which all users may use."""

    def __init__(self):
        self._libc = ctypes.CDLL(None, use_errno=True)
        made = {"shm": self._libc.shmget(0, 4096, 0o1666)}
        made |= {"sem": self._libc.semget(0, 1, 0o1666), "msg": self._libc.msgget(0, 0o1666)}
        self.system_v = made
        self.name = f"isolation-{secrets.token_hex(4)}"
        create = os.O_CREAT | os.O_RDWR
        queue = self._libc.mq_open(f"/{self.name}".encode(), create, 0o666, None)
        if min(queue, *made.values()) < 0:
            raise OSError(ctypes.get_errno(), "the stage needs System V and POSIX queues")
        os.close(queue)

    def close(self):
        self._libc.shmctl(self.system_v["shm"], 0, None)
        self._libc.semctl(self.system_v["sem"], 0, 0)
        self._libc.msgctl(self.system_v["msg"], 0, None)
        self._libc.mq_unlink(f"/{self.name}".encode())


class Bucket(BaseHTTPRequestHandler):
    """Takes every upload."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *arguments):
        """Print nothing."""


def as_model(made, facts):
    """A model that makes the attempts one after another, prints each result, and predicts."""

    def predict(live_features):
        for attempt in made:
            try:
                found = attempt(facts)
            except Exception as error:
                print(f"BLOCKED {type(error).__name__}: {error}", flush=True)
            else:
                print(f"ESCAPED {str(found)[:80]}" if found else "BLOCKED", flush=True)
        return attempts.ranks(live_features)

    return predict


def wrong(verdict, verdicts, name):
    if verdict not in verdicts:
        yield f"ended as {verdict}, expected {' or '.join(verdicts)}"


def names(folder):
    return {path.name for path in folder.iterdir()}


def every_name():
    return [*attempts.REACHES, *attempts.ENDS]


def missing_layers(layers):
    """The layers that the machine does not support: without them some attempts succeed."""
    return [
        f"{name} is {status}"
        for name, status in layers.items()
        if "missing" in status or "not available" in status
    ]


def expected_escapes(layers):
    """The attempts that one layer alone stops, which the machine does not support: why."""
    missing = {line.partition(" is ")[0] for line in missing_layers(layers)}
    return {name: why for name, (layer, why) in STOPPED_BY_ONE.items() if layer in missing}


def container(image, user, sample, *arguments):
    """The container that plays every attempt by the predict.py of an image."""
    from numerai_predict.contract.container_run import BindMount, ContainerRun

    return ContainerRun(
        image,
        ("/isolation/stage.py", IN_IMAGE, "/tmp/stage", "/sample", *arguments),
        entrypoint="python",
        mounts=(BindMount(Path(__file__).parent, "/isolation"), BindMount(sample, "/sample")),
        user=user,
        network=True,  # the sandbox alone must keep the model from it
    )


def become_a_process_of_a_high_id():
    """Go on in a child process whose id no process of a model's own PID namespace has.

    In a container ids are small too: an attempt would find a process of its own by that of another.
    """
    while os.getpid() < _HIGH_ID:
        child = os.fork()
        if child == 0:
            if os.getpid() >= _HIGH_ID:
                return
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if child >= _HIGH_ID:
            os._exit(os.waitstatus_to_exitcode(status))


def main():
    become_a_process_of_a_high_id()
    parser = argparse.ArgumentParser()
    parser.add_argument("predict", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sample", type=Path)
    parser.add_argument("--sandbox", default="auto")
    parser.add_argument("--together", action="store_true", help="all attempts to reach in one run")
    parser.add_argument("names", nargs="*")
    options = parser.parse_intermixed_args()
    options.folder.mkdir(exist_ok=True)
    stage = Stage(options.predict, options.folder, options.sample, options.sandbox)
    with contextlib.closing(stage):
        if options.together:
            outcomes = stage.play_together(options.names or list(attempts.REACHES))
        else:
            outcomes = map(stage.play, options.names or every_name())
        for outcome in outcomes:
            print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    main()
