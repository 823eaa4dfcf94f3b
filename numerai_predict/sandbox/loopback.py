"""Brings up the loopback interface of a new network namespace and limits its buffers."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
from pathlib import Path

_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_IFF_UP = 1
_REQUEST = "16sh14x"  # struct ifreq: name, flags, padding

# Least, default and largest bytes of the buffers of a TCP connection. They are memory of the
# kernel, which counts for no process; the kernel's own limits are several MiB a connection.
_BUFFERS = "4096 65536 262144"


def bring_up_loopback() -> None:
    """Bring up `lo` with its IPv4 and IPv6 addresses.

    Raises:
        OSError: the kernel refuses.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack(_REQUEST, b"lo", 0)
        _, flags = struct.unpack(_REQUEST, fcntl.ioctl(control, _SIOCGIFFLAGS, request))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack(_REQUEST, b"lo", flags | _IFF_UP))
    for name in ("tcp_rmem", "tcp_wmem"):
        with contextlib.suppress(OSError):  # a kernel that does not count them per namespace
            Path("/proc/sys/net/ipv4", name).write_text(_BUFFERS)
