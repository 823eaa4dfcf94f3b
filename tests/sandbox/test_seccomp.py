"""The filter allows and denies system calls as its rules state, on each architecture."""

import errno
import re
import socket
import struct
from pathlib import Path

import pytest

from numerai_predict.sandbox import bpf, seccomp, syscall_numbers

SUPERVISOR = 4321
OWN = 5000
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
FOREIGN = {"x86_64": 0x40000003, "aarch64": 0x40000028}  # i386, 32-bit ARM


def run_filter(program, arch, number, *arguments):
    """Run the filter as the kernel would (classic BPF); what it returns for the call."""
    data = struct.pack("=iIQ6Q", number, arch, 0, *(*arguments, *[0] * 6)[:6])
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:
            return value
        else:
            holds = {
                0x15: accumulator == value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            at += if_true if holds else if_false


@pytest.fixture(params=["x86_64", "aarch64"])
def decide(request):
    """Decide on a call by its name: allowed, or the error that it fails with."""
    architecture = syscall_numbers.architecture(request.param)

    def decide(call, *arguments, arch=architecture.audit_arch, **facts):
        facts = {"same_user": False, "landlock_version": 7, "supervisor": SUPERVISOR, **facts}
        rules = seccomp.rules(own=OWN, **facts)
        program = bpf.program(rules, architecture)
        number = call if isinstance(call, int) else architecture.number(call)
        if number is None:
            pytest.skip(f"{architecture.name} has no {call}")
        answer = run_filter(program, arch, number, *arguments)
        return "allowed" if answer == ALLOW else answer - ERRNO

    return decide


@pytest.mark.parametrize(
    "family", [socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 38, 40]
)
def test_a_network_socket_fails_as_on_a_machine_without_a_network(decide, family):
    assert decide("socket", family, socket.SOCK_STREAM, 0) == errno.EAFNOSUPPORT


def test_a_unix_socket_is_allowed(decide):
    assert decide("socket", socket.AF_UNIX, socket.SOCK_STREAM, 0) == "allowed"
    assert decide("socketpair", socket.AF_UNIX, socket.SOCK_STREAM, 0) == "allowed"


def test_a_unix_socket_may_connect_only_where_landlock_restricts_it(decide):
    assert decide("connect", 3, landlock_version=8) == errno.EACCES
    assert decide("connect", 3, landlock_version=9) == "allowed"
    assert decide("bind", 3, landlock_version=8) == errno.EACCES
    assert decide("bind", 3, landlock_version=9) == "allowed"
    assert decide("bind", 3, landlock_version=8, private_network=True) == "allowed"
    datagrams = (socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    assert decide("socketpair", *datagrams, landlock_version=8) == errno.EACCES
    assert decide("socketpair", *datagrams, landlock_version=9) == "allowed"


@pytest.mark.parametrize(
    "call",
    ["ptrace", "process_vm_readv", "process_vm_writev", "keyctl", "bpf", "mount", "unshare"]
    + ["setns", "perf_event_open", "open_by_handle_at", "pidfd_getfd", "userfaultfd"],
)
def test_privileged_kernel_interfaces_are_denied(decide, call):
    assert decide(call) == errno.EPERM


@pytest.mark.parametrize(
    "call",
    ["clone3", "io_uring_setup", "memfd_create", "io_setup", "mq_unlink", "file_setattr"]
    + ["shmget", "shmat", "shmctl", "semop", "semctl", "msgsnd", "msgrcv", "msgctl"],
)
def test_calls_with_a_fallback_seem_unsupported(decide, call):
    assert decide(call) == errno.ENOSYS


def test_processes_and_threads_can_be_created_but_no_namespaces(decide):
    threads, new_network = 0x003D0F00, 0x40000000
    assert decide("clone", threads) == "allowed"
    assert decide("clone", new_network | 17) == errno.EPERM


def test_a_process_stays_the_models_child_and_shows_its_open_files(decide):
    virtual_memory, files, thread, parent = 0x100, 0x400, 0x10000, 0x8000
    assert decide("clone", parent | 17) == errno.EPERM
    assert decide("clone", virtual_memory | thread) == errno.EINVAL
    assert decide("clone", virtual_memory | files | thread) == "allowed"
    assert decide("clone", 17) == "allowed"
    assert decide("close_range", 3, 9, 2) == errno.EINVAL
    assert decide("close_range", 3, 9, 4) == "allowed"


@pytest.mark.parametrize("command", [0x40086602, 0x401C5820, 0x40806685])
def test_attributes_of_files_are_fixed(decide, command):
    assert decide("ioctl", 3, command) == errno.ENOTTY
    assert decide("ioctl", 3, 0x80086601) == "allowed"


def test_signals_reach_its_own_processes_and_not_the_supervisor(decide):
    assert decide("kill", OWN + 77, 9) == "allowed"
    assert decide("kill", SUPERVISOR, 9) == errno.EPERM
    assert decide("kill", 2**64 - 1, 9) == errno.EPERM
    assert decide("setpriority", 0, 0, 19) == "allowed"


@pytest.mark.parametrize("call", seccomp.SIGNALS)
def test_older_processes_and_the_supervisor_get_no_signal(decide, call):
    for other in (1, SUPERVISOR, OWN - 1):
        assert decide(call, other) == errno.EPERM
    for own in (0, OWN, OWN + 1):
        assert decide(call, own) == "allowed"
    assert decide(call, OWN + 9, supervisor=OWN + 9) == errno.EPERM


def test_older_groups_get_no_signal(decide):
    for group in (1, SUPERVISOR, OWN - 1):
        assert decide("kill", 2**64 - group) == errno.EPERM
    assert decide("kill", 2**64 - OWN) == "allowed"
    assert decide("kill", 2**64 - OWN - 1) == "allowed"


def test_existing_processes_with_higher_ids_get_no_signal(decide):
    higher = (range(OWN + 50, OWN + 52),)
    for call in seccomp.SIGNALS:
        assert decide(call, OWN + 49, higher=higher) == "allowed"
        assert decide(call, OWN + 50, higher=higher) == errno.EPERM
        assert decide(call, OWN + 51, higher=higher) == errno.EPERM
        assert decide(call, OWN + 52, higher=higher) == "allowed"
    assert decide("kill", 2**64 - OWN - 49, higher=higher) == "allowed"
    assert decide("kill", 2**64 - OWN - 50, higher=higher) == errno.EPERM
    assert decide("kill", 2**64 - OWN - 51, higher=higher) == errno.EPERM
    assert decide("kill", 2**64 - OWN - 52, higher=higher) == "allowed"


def test_the_filter_stays_within_the_kernels_limit_with_the_most_ranges(decide):
    architecture = syscall_numbers.architecture("x86_64")
    higher = tuple(range(OWN + 10 * n, OWN + 10 * n + 1) for n in range(1, 17))
    rules = seccomp.rules(
        SUPERVISOR, same_user=True, landlock_version=1, own=OWN, higher=higher, pinned=True
    )
    assert len(bpf.program(rules, architecture)) // 8 < 4096  # BPF_MAXINSNS


@pytest.mark.parametrize("call", seccomp.SCHEDULING)
def test_scheduling_is_for_the_caller_alone_and_else_ignored(decide, call):
    before = [0] * seccomp.SCHEDULING[call]
    for other in (1, SUPERVISOR, OWN - 1, OWN + 1):
        assert decide(call, *before, other) == 0
    for own in (0, OWN):
        assert decide(call, *before, own) == "allowed"


def test_a_process_that_can_name_its_own_alone_may_signal_and_schedule_any(decide):
    for call, argument in {**seccomp.SIGNALS, **seccomp.SCHEDULING}.items():
        assert decide(call, *[0] * argument, 7, supervisor=None) == "allowed"


def test_no_call_acts_on_all_processes_of_the_user(decide):
    assert decide("setpriority", 2, 0, 19) == errno.EPERM
    assert decide("ioprio_set", 3, 0, 19) == errno.EPERM


def test_a_pinned_model_keeps_its_processors_and_sees_no_error(decide):
    assert decide("sched_setaffinity", 0, pinned=True) == 0
    assert decide("sched_setaffinity", 0) == "allowed"


@pytest.mark.parametrize("command", [8, 10, 15, 1024, 1026, 1031])
def test_no_descriptor_sends_signals_or_holds_more(decide, command):
    assert decide("fcntl", 3, command, 77) == errno.EPERM
    assert decide("fcntl", 3, 4, command) == "allowed"
    assert decide("pidfd_send_signal", 3, 9) == errno.ENOSYS


@pytest.mark.parametrize("option", [7, 8, 32, 33])
def test_the_buffers_of_sockets_keep_their_size(decide, option):
    assert decide("setsockopt", 3, 1, option) == 0
    assert decide("setsockopt", 3, 6, option) == "allowed"
    assert decide("setsockopt", 3, 1, 9) == "allowed"


@pytest.mark.parametrize("call", ["inotify_init", "inotify_init1", "inotify_add_watch"])
def test_files_cannot_be_watched(decide, call):
    assert decide(call) == errno.ENOSYS


def test_only_its_own_limits_may_change(decide):
    assert decide("prlimit64", 0, 7) == "allowed"
    assert decide("prlimit64", 77, 7) == errno.EPERM


def test_file_modes_are_fixed_only_for_a_model_that_runs_as_the_runners_user(decide):
    assert decide("fchmod", 3, 0o600) == "allowed"
    assert decide("fchmod", 3, 0o600, same_user=True) == 0
    assert decide("fsetxattr", 3, same_user=True) == errno.ENOTSUP


def test_a_request_to_outlive_the_supervisor_is_ignored(decide):
    assert decide("prctl", 1, 0) == 0
    assert decide("prctl", 15, 0) == "allowed"


def test_calls_of_another_architecture_are_unknown(decide, request):
    machine = "x86_64" if "x86_64" in request.node.name else "aarch64"
    assert decide(1, arch=FOREIGN[machine]) == errno.ENOSYS
    if machine == "x86_64":
        assert decide(0x40000000 + 41, socket.AF_INET) == errno.ENOSYS


@pytest.mark.parametrize("call", [1, 2, 3, 4, 9, 12])
def test_every_other_call_is_allowed(decide, call):
    assert decide(call) == "allowed"


@pytest.mark.parametrize("machine", HEADERS)
def test_the_numbers_are_those_of_the_kernel_headers(machine):
    header = HEADERS[machine]
    if not header.exists():
        pytest.skip(f"the kernel headers are not installed: {header}")
    listed = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    architecture = syscall_numbers.architecture(machine)
    compared = {call for call in syscall_numbers.CALLS if call in listed}
    assert len(compared) > 70
    assert {call: architecture.number(call) for call in compared} == {
        call: int(listed[call]) for call in compared
    }


def test_an_unknown_architecture_has_no_table():
    assert syscall_numbers.architecture("s390x") is None
