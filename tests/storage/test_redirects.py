"""A redirect leads neither out of HTTP nor into a network that its server cannot reach itself."""

import socket

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import FetchFailed, FetchInterrupted
from numerai_predict.storage.retry import RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl
from numerai_predict.storage.transfer import redirects
from numerai_predict.storage.transfer.redirects import AddressKind, RedirectGuard, UnsafeRedirect

PRIVATE, LOOPBACK = AddressKind.PRIVATE, AddressKind.LOOPBACK
LINK_LOCAL, PUBLIC = AddressKind.LINK_LOCAL, AddressKind.PUBLIC


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", LOOPBACK),
        ("127.9.9.9", LOOPBACK),
        ("0.0.0.0", LOOPBACK),
        ("::1", LOOPBACK),
        ("::", LOOPBACK),
        ("::ffff:127.0.0.1", LOOPBACK),
        ("64:ff9b::7f00:1", LOOPBACK),
        ("2002:7f00:1::", LOOPBACK),
        ("169.254.169.254", LINK_LOCAL),
        ("::ffff:169.254.169.254", LINK_LOCAL),
        ("fe80::1%eth0", LINK_LOCAL),
        ("10.0.0.1", PRIVATE),
        ("172.16.0.1", PRIVATE),
        ("192.168.1.1", PRIVATE),
        ("100.64.0.1", PRIVATE),
        ("224.0.0.1", PRIVATE),
        ("255.255.255.255", PRIVATE),
        ("fd00:ec2::254", PRIVATE),
        ("8.8.8.8", PUBLIC),
        ("2001:4860:4860::8888", PUBLIC),
    ],
)
def test_each_address_has_a_kind(address, kind):
    assert redirects.address_kind(address) is kind


@pytest.mark.parametrize(
    ("url", "target", "words"),
    [
        ("https://a.example/m", "file:///etc/passwd", "not one of HTTP"),
        ("https://a.example/m", "ftp://a.example/m", "not one of HTTP"),
        ("https://a.example/m", "http://a.example/m", "from https:// to http://"),
        ("https://a.example/m", "https://169.254.169.254/latest", "a link-local address"),
        ("http://a.example/m", "http://127.0.0.1/x", "a loopback address"),
        ("http://a.example/m", "http://LOCALHOST./x", "a loopback address"),
        ("http://a.example/m", "http://[::ffff:10.0.0.1]/x", "a private address"),
        ("http://10.0.0.1/m", "http://127.0.0.1/x", "a loopback address"),
        ("http://127.0.0.1/m", "http://169.254.169.254/x", "a link-local address"),
    ],
)
def test_the_urls_of_a_redirect_through_a_proxy_are_checked(url, target, words):
    with pytest.raises(UnsafeRedirect, match=words):
        RedirectGuard().check_redirect(url, target)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example/m", "https://b.example/m"),
        ("https://a.example/m", "https://8.8.8.8/m"),
        ("http://10.0.0.1/m", "http://192.168.0.1/m"),
        ("http://10.0.0.1/m", "https://b.example/m"),
        ("http://localhost/m", "http://127.0.0.1/m"),
    ],
)
def test_other_redirects_are_followed(url, target):
    RedirectGuard().check_redirect(url, target)


@pytest.fixture
def fetch(web, tmp_path):
    def get():
        policy = TransferPolicy(Deadline.after(20), RetryPolicy(attempts=1))
        return HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, policy).read_bytes()

    return get


@pytest.fixture
def first_is_public(monkeypatch):
    """Take the first address that is asked about for a public one, as of a server elsewhere."""
    real, asked = redirects.address_kind, []

    def kind(text):
        asked.append(text)
        return PUBLIC if len(asked) == 1 else real(text)

    monkeypatch.setattr(redirects, "address_kind", kind)


def test_a_public_servers_redirect_to_this_machine_is_refused_by_its_url(
    fetch, web, first_is_public
):
    web.replies["/m.pkl"] = web.reply(status=302, headers={"Location": f"{web.url}/inner"})
    web.replies["/inner"] = web.reply(b"inner secret")
    with pytest.raises(FetchFailed, match="found a redirect to a loopback address") as failed:
        fetch()
    assert not isinstance(failed.value, FetchInterrupted)
    assert "inner" not in failed.value.message + failed.value.remedy
    assert [request.path for request in web.requests] == ["/m.pkl"]


def test_a_name_that_resolves_to_this_machine_is_refused_before_the_request(
    fetch, web, first_is_public, monkeypatch
):
    real = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        host = "127.0.0.1" if host == "rebound.example" else host
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    target = web.url.replace("127.0.0.1", "rebound.example")
    web.replies["/m.pkl"] = web.reply(status=302, headers={"Location": f"{target}/inner"})
    web.replies["/inner"] = web.reply(b"inner secret")
    with pytest.raises(FetchFailed, match="found a redirect to a loopback address"):
        fetch()
    assert [request.path for request in web.requests] == ["/m.pkl"]


def test_a_redirect_to_a_file_is_refused(fetch, web):
    web.replies["/m.pkl"] = web.reply(status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(FetchFailed, match="found a redirect to a URL that is not one of HTTP"):
        fetch()
