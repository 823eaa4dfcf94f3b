"""Decides where a redirect may lead: never from the public network into a private one.

A server that a user trusts for one file must not make this machine request addresses that the
server itself cannot reach, such as the metadata service of a cloud (server-side request
forgery). The address is checked after each connection and before the request is sent, so that a
name which resolves differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import requests.adapters
import urllib3.connection
import urllib3.connectionpool

from numerai_predict.storage.transfer.response_headers import HeaderBudget, LimitedResponse

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class UnsafeRedirect(ValueError):
    """A redirect to a disallowed scheme or address; the text names no address."""


class AddressKind(Enum):
    """Who can reach an address."""

    PUBLIC = "public"
    PRIVATE = "private"
    LOOPBACK = "loopback"
    LINK_LOCAL = "link-local"


def address_kind(text: str) -> AddressKind:
    """The kind of an IP address; reserved, shared and multicast ones count as private.

    Raises:
        ValueError: the text is no IP address.
    """
    address = _embedded_ipv4(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback or address.is_unspecified:  # 0.0.0.0 connects to this machine
        return AddressKind.LOOPBACK
    if address.is_link_local:
        return AddressKind.LINK_LOCAL
    if address.is_global and not address.is_multicast:
        return AddressKind.PUBLIC
    return AddressKind.PRIVATE


def _embedded_ipv4(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _kind_of_host(host: str) -> AddressKind | None:
    """The kind of a host that is an address; `None` for a name."""
    if host.rstrip(".").lower() == "localhost":
        return AddressKind.LOOPBACK
    try:
        return address_kind(host)
    except ValueError:
        return None


class RedirectGuard:
    """Checks where one request and its redirects lead.

    The first URL may lead to an address of any kind; redirects lead to public ones or to the
    kind of the first.
    """

    def __init__(self) -> None:
        self._first: AddressKind | None = None

    def check_redirect(self, url: str, target: str) -> None:
        """Check a redirect from `url` to `target`, as far as the URLs show where it leads.

        Raises:
            UnsafeRedirect: its scheme is not one of HTTP, it leaves TLS, or its address is of
                another kind.
        """
        before, after = urlsplit(url), urlsplit(target)
        if after.scheme not in ("http", "https"):
            raise UnsafeRedirect("a redirect to a URL that is not one of HTTP")
        if before.scheme == "https" and after.scheme != "https":
            raise UnsafeRedirect("a redirect from https:// to http://")
        if self._first is None:  # the request went through a proxy, which alone knows the address
            self._first = _kind_of_host(before.hostname or "") or AddressKind.PUBLIC
        self._require(_kind_of_host(after.hostname or "") or AddressKind.PUBLIC)

    def check_connection(self, connected: socket.socket) -> None:
        """Check the peer of a new connection.

        Raises:
            UnsafeRedirect: a redirect led to an address of another kind.
        """
        kind = address_kind(connected.getpeername()[0])
        self._first = self._first or kind
        self._require(kind)

    def _require(self, kind: AddressKind) -> None:
        if kind not in (AddressKind.PUBLIC, self._first):
            raise UnsafeRedirect(f"a redirect to a {kind.value} address")


class GuardedAdapter(requests.adapters.HTTPAdapter):
    """Requests' transport, with a guard for direct connections; a proxy has its own rules."""

    def __init__(self, guard: RedirectGuard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the pools, whose connections check their peer."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = _guarded_pools(self._guard)


def _guarded_pools(guard: RedirectGuard) -> dict[str, type]:
    """The connection pools of urllib3 by scheme, with connections that check their peer.

    All responses of one session share one budget for their headers.
    """

    class Response(LimitedResponse):
        budget = HeaderBudget()

    class GuardedConnection(urllib3.connection.HTTPConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), guard)

    class GuardedTlsConnection(urllib3.connection.HTTPSConnection):
        response_class = Response

        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), guard)

    class GuardedPool(urllib3.connectionpool.HTTPConnectionPool):
        ConnectionCls = GuardedConnection

    class GuardedTlsPool(urllib3.connectionpool.HTTPSConnectionPool):
        ConnectionCls = GuardedTlsConnection

    return {"http": GuardedPool, "https": GuardedTlsPool}


def _checked(connected: socket.socket, guard: RedirectGuard) -> socket.socket:
    try:
        guard.check_connection(connected)
    except BaseException:
        connected.close()
        raise
    return connected
