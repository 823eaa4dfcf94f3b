"""Reads `/proc/PID/status`."""

from __future__ import annotations


def process_status(pid: int | str = "self") -> dict[str, str]:
    """The fields of a process and their values as text; empty for one that has exited."""
    try:
        with open(f"/proc/{pid}/status") as status:
            lines = [line.partition(":") for line in status]
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in lines}


def status_bytes(field: str, pid: int | str = "self") -> int:
    """A size such as `VmHWM`, in bytes; 0 for a process that has exited or has no memory."""
    start = f"{field}:"
    try:
        with open(f"/proc/{pid}/status") as status:
            # The memory meter asks often: lines after the field are not read.
            line = next((line for line in status if line.startswith(start)), "")
    except OSError:
        return 0
    return int(line.split()[1]) * 1024 if line else 0
