"""Processes, sockets and names that models ask for."""

from case_table import CaseTable, fails
from machine_use import frame, predicts_in

TABLE = CaseTable()
predicts = predicts_in(TABLE)

# Where the model has no network of its own.
NO_SOCKETS = fails("model_error", "socket", "n_jobs=1", "threads")


# Processes and what they communicate through.


@predicts(shared=NO_SOCKETS)
def manager(live):
    import multiprocessing

    with multiprocessing.Manager() as manager:
        manager.dict()["a"] = 1


@predicts(shared=NO_SOCKETS)
def shared_list_of_a_manager(live):
    import multiprocessing

    context = multiprocessing.get_context("fork")
    with context.Manager() as manager:
        results = manager.list()
        process = context.Process(target=results.append, args=(1,))
        process.start()
        process.join()
        assert list(results) == [1]


@predicts(shared=NO_SOCKETS)
def pool_forkserver(live):
    import multiprocessing

    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        assert pool.map(abs, [1, -1]) == [1, 1]


@predicts(modules=("joblib",))
def joblib_loky(live):
    from joblib import Parallel, delayed

    assert Parallel(n_jobs=2)(delayed(abs)(-i) for i in range(4)) == [0, 1, 2, 3]


@predicts(modules=("joblib",))
def joblib_of_every_cpu(live):
    from joblib import Parallel, delayed

    Parallel(n_jobs=-1)(delayed(frame)(live.iloc[:, -3:]) for _ in range(2))


@predicts(modules=("joblib",))
def joblib_threads(live):
    from joblib import Parallel, delayed

    Parallel(n_jobs=2, prefer="threads")(delayed(abs)(i) for i in range(4))


@predicts(modules=("joblib",))
def joblib_multiprocessing(live):
    from joblib import Parallel, delayed

    Parallel(n_jobs=2, backend="multiprocessing")(delayed(abs)(i) for i in range(4))


@predicts()
def pool_map(live):
    import multiprocessing

    with multiprocessing.Pool(2) as pool:
        assert pool.map(abs, [1, -1]) == [1, 1]


@predicts()
def pool_spawn(live):
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(abs, [1, -1]) == [1, 1]


@predicts()
def process_executor(live):
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(2) as executor:
        assert list(executor.map(abs, [1, -1])) == [1, 1]


@predicts()
def thread_executor(live):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as executor:
        assert list(executor.map(abs, [1, -1])) == [1, 1]


@predicts()
def queue_of_processes(live):
    import multiprocessing

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=queue.put, args=(1,))
    process.start()
    assert queue.get(timeout=20) == 1
    process.join()


@predicts()
def pipe_of_processes(live):
    import multiprocessing

    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=there.send, args=(1,))
    process.start()
    assert here.recv() == 1
    process.join()


@predicts()
def locks_of_processes(live):
    import multiprocessing

    with multiprocessing.Lock(), multiprocessing.Value("i", 0).get_lock():
        multiprocessing.Barrier(1).wait()


@predicts()
def shared_memory(live):
    from multiprocessing.shared_memory import SharedMemory

    memory = SharedMemory(create=True, size=100)
    memory.close()
    memory.unlink()


@predicts()
def asyncio_run(live):
    import asyncio

    asyncio.run(asyncio.sleep(0))


@predicts()
def asyncio_subprocess(live):
    import asyncio

    async def start():
        process = await asyncio.create_subprocess_exec("true")
        assert await process.wait() == 0

    asyncio.run(start())


@predicts()
def fork_without_wait(live):
    import os

    if os.fork() == 0:
        os._exit(0)


@predicts()
def daemon_thread(live):
    import threading
    import time

    threading.Thread(target=lambda: time.sleep(1000), daemon=False).start()


@predicts()
def process_left_running(live):
    import subprocess

    subprocess.Popen(["sleep", "100"], start_new_session=True)


# Sockets and names.


@predicts(shared=NO_SOCKETS)
def loopback_server(live):
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))


@predicts(shared=NO_SOCKETS)
def loopback_round_trip(live):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(b"x")
            assert server.accept()[0].recv(1) == b"x"


@predicts(shared=NO_SOCKETS)
def socket_in_scratch(live):
    import socket

    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind("own.sock")
        server.listen()
        client.connect("own.sock")
        client.sendall(b"x")
        assert server.accept()[0].recv(1) == b"x"


@predicts()
def socket_pair(live):
    import socket

    one, other = socket.socketpair()
    one.sendall(b"x")
    assert other.recv(1) == b"x"


@predicts(shared=NO_SOCKETS, modules=("psutil",))
def psutil_net(live):
    import psutil

    psutil.net_if_addrs()


@predicts()
def hostname(live):
    import socket

    assert socket.gethostname()


@predicts()
def fqdn(live):
    import socket

    assert socket.getfqdn()


@predicts()
def resolve_own_name(live):
    import socket

    assert socket.gethostbyname("localhost") == "127.0.0.1"


@predicts()
def uuid_one(live):
    import uuid

    assert uuid.uuid1() != uuid.uuid1()
    uuid.getnode()


# No network: what the model makes of that is its own.


@predicts()
def dns_try(live):
    import socket

    try:
        socket.getaddrinfo("example.com", 80)
    except OSError:
        pass


@predicts(modules=("requests",))
def requests_try(live):
    import requests

    try:
        requests.post("https://example.com/api/webhooks/x", json={}, timeout=3)
    except Exception as error:
        print(type(error).__name__)


NO_NETWORK = "models have no network"


@predicts(expected=fails("model_error", NO_NETWORK, "register_pickle_by_value"))
def pip_install(live):
    import subprocess
    import sys

    subprocess.check_call([sys.executable, "-m", "pip", "install", "not-there-at-all"])


@predicts(expected=fails("model_error", NO_NETWORK, "register_pickle_by_value"))
def pip_install_by_shell(live):
    import subprocess

    subprocess.run("pip install -q not-there-at-all", shell=True, check=True)


@predicts()
def shell_pip(live):
    import os

    os.system("pip --version")  # its status is of no interest to the model


@predicts(expected=fails("missing_dependency", "not_there_at_all"))
def shell_pip_and_import(live):
    import os

    os.system("pip install not-there-at-all")
    import not_there_at_all  # noqa: F401


@predicts(expected=fails("model_error", "example.com", "network"))
def download(live):
    import urllib.request

    urllib.request.urlopen("https://example.com/model.pkl", timeout=3)
