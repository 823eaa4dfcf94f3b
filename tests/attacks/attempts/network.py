"""Attempts on the network: to connect, listen, look up names, reach sockets of other processes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from attempts.registry import reaches, unless_no_socket


@reaches("connect to the cloud's metadata service")
def _(facts):
    def attempt():
        socket.create_connection(("169.254.169.254", 80), 2)
        return "an answer"

    return unless_no_socket(attempt)


@reaches("ask a name server over UDP")
def _(facts):
    def attempt():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.sendto(b"\0" * 12, ("8.8.8.8", 53))
        return "it was sent"

    return unless_no_socket(attempt)


@reaches("look up a name")
def _(facts):
    return socket.getaddrinfo("numer.ai", 443)


@reaches("connect to a server on loopback by IPv4")
def _(facts):
    def attempt():
        return socket.create_connection(("127.0.0.1", facts["tcp"]), 2).recv(9)

    return unless_no_socket(attempt, served=True)


@reaches("connect to a server on loopback by IPv6")
def _(facts):
    def attempt():
        with socket.socket(socket.AF_INET6) as client:
            client.connect(("::1", facts["tcp"], 0, 0))
        return "connected"

    return unless_no_socket(attempt, served=True)


@reaches("listen for others")
def _(facts):
    def attempt():
        with socket.socket() as server:
            server.bind(("0.0.0.0", facts["listen"]))
            server.listen()
            server.settimeout(1)
            try:  # the stage tries to connect meanwhile
                return f"{server.accept()[1]} connected"
            except TimeoutError:
                return None

    return unless_no_socket(attempt)


@reaches("open a raw, packet, netlink, crypto or machine socket")
def _(facts):
    kinds = {
        "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
        "uevent netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 15),
        "XFRM netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 6),
        "audit netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 9),
        "SCTP": (socket.AF_INET, socket.SOCK_STREAM, 132),
        "MPTCP": (socket.AF_INET, socket.SOCK_STREAM, 262),
        "crypto": (38, socket.SOCK_SEQPACKET, 0),
        "machine": (40, socket.SOCK_STREAM, 0),
    }
    opened = []
    for name, kind in kinds.items():
        try:
            socket.socket(*kind).close()
            opened.append(name)
        except OSError:
            continue
    return opened


@reaches("connect to an abstract socket of another process")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + facts["abstract"])
    return "connected"


@reaches("connect to a socket in the file system of the same user's")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(facts["socket"])
    return "connected"


@reaches("connect to a socket in the file system that all may use")
def _(facts):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(facts["open_socket"])
    return "connected"


@reaches("connect from a program that it starts")
def _(facts):
    code = f"import socket; socket.create_connection(('127.0.0.1', {facts['tcp']}), 2)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return None if run.returncode else "connected"


@reaches("connect from a program under LD_PRELOAD")
def _(facts):
    library = next(Path(sys.prefix).rglob("*.so"), None) or "libc.so.6"
    os.environ["LD_PRELOAD"] = str(library)
    code = f"import socket; socket.create_connection(('127.0.0.1', {facts['tcp']}), 2)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return None if run.returncode else "connected"


@reaches("see the network interfaces of the machine")
def _(facts):
    return [name for _, name in socket.if_nameindex() if name != "lo"]


@reaches("read the addresses of the machine's connections")
def _(facts):
    port = f":{facts['tcp']:04X} "
    found = []
    for name in ("/proc/net/tcp", "/proc/self/net/tcp", "/proc/1/net/tcp"):
        try:
            found += [name] if port in Path(name).read_text() else []
        except OSError:
            continue
    return found


@reaches("send a datagram to an abstract socket of another process")
def _(facts):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"here", "\0" + facts["abstract_datagrams"])
    return "sent"
