"""A download is whole and verified, or it is not there; what broke is taken up where it broke."""

import base64
import gc
import gzip
import hashlib
import itertools
import shutil
import zlib
from types import SimpleNamespace

import pytest

from numerai_predict.contract.deadline import Deadline
from numerai_predict.contract.errors import DeadlinePassed, FetchFailed, FetchInterrupted
from numerai_predict.storage.retry import Backoff, RetryPolicy, TransferPolicy
from numerai_predict.storage.sources import HttpUrl
from numerai_predict.storage.transfer import size_limits

DATA = bytes(range(256)) * 4096
QUICK = RetryPolicy(4, Backoff(0.01, 0.05))


def etag_of(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


S3 = {"ETag": etag_of(DATA), "x-amz-request-id": "R"}


@pytest.fixture
def replies(web):
    """The server gives these replies in turn, the last one again and again."""

    def give(*replies):
        following = itertools.chain(replies, itertools.repeat(replies[-1]))
        web.replies["/m.pkl"] = lambda request: next(following)

    return give


@pytest.fixture
def fetch(web, tmp_path):
    def get(retry=QUICK, deadline=None, name="/m.pkl", **more):
        policy = TransferPolicy(deadline or Deadline(), retry, **more)
        try:
            path = HttpUrl(f"{web.url}{name}?SECRET").fetch(tmp_path, policy)
        except (FetchFailed, DeadlinePassed):
            assert list(tmp_path.iterdir()) == []
            raise
        assert list(tmp_path.iterdir()) == [path]
        return path.read_bytes()

    return get


def cut(web, data=DATA, at=None, **headers):
    """An answer that ends within the body."""
    length = {"Content-Length": str(len(data))}
    return web.reply(data[: at or len(data) // 3], headers={**length, **S3, **headers})


def rest(web, start, data=DATA):
    content_range = f"bytes {start}-{len(data) - 1}/{len(data)}"
    return web.reply(data[start:], 206, {**S3, "Content-Range": content_range})


def test_what_broke_is_taken_up_where_it_broke_if_the_object_is_the_same(fetch, web, replies):
    third = len(DATA) // 3
    replies(cut(web), rest(web, third))
    assert fetch() == DATA
    first, second = web.requests
    assert "Range" not in first.headers
    assert second.headers["Range"] == f"bytes={third}-"
    assert second.headers["If-Range"] == etag_of(DATA)


def test_an_object_that_was_replaced_meanwhile_is_begun_again(fetch, web, replies):
    other = DATA[::-1]
    replies(cut(web), web.reply(other, headers={"ETag": etag_of(other), "x-amz-id-2": "x"}))
    assert fetch() == other


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_name_for_its_bytes_nothing_is_resumed(fetch, web, replies, etag):
    headers = {"ETag": etag} if etag else {}
    length = {"Content-Length": str(len(DATA))}
    replies(web.reply(DATA[:9], headers={**length, **headers}), web.reply(DATA, headers=headers))
    assert fetch() == DATA
    assert "Range" not in web.requests[1].headers


@pytest.mark.parametrize(
    "content_range", ["bytes 0-9/10", "bytes 7-1048575/1048576", "nonsense", None]
)
def test_another_range_than_the_requested_one_is_not_used(fetch, web, replies, content_range):
    headers = {"Content-Range": content_range} if content_range else {}
    odd = web.reply(b"0123456789", 206, {**S3, **headers})
    replies(cut(web), odd, web.reply(DATA, headers=S3))
    assert fetch() == DATA
    assert "Range" not in web.requests[2].headers


def test_a_range_that_the_server_does_not_have_begins_again(fetch, web, replies):
    replies(cut(web), web.reply(b"", 416), web.reply(DATA, headers=S3))
    assert fetch() == DATA


def test_a_busy_answer_between_does_not_lose_what_came_already(fetch, web, replies):
    third = len(DATA) // 3
    replies(cut(web), web.reply(b"", 503), rest(web, third))
    assert fetch() == DATA
    assert web.requests[2].headers["Range"] == f"bytes={third}-"


def test_a_leftover_of_another_run_is_not_touched(web, tmp_path):
    leftover = tmp_path / ".download.pkl.0badcafe.part"
    leftover.write_bytes(b"other")
    web.replies["/m.pkl"] = web.reply(DATA, headers=S3)
    path = HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy())
    assert path.read_bytes() == DATA
    assert leftover.read_bytes() == b"other"
    assert "Range" not in web.requests[0].headers


def checksum(name, data=DATA):
    if name == "crc32":
        digest = zlib.crc32(data).to_bytes(4, "big")
    else:
        digest = hashlib.new(name, data).digest()
    return {f"x-amz-checksum-{name}": base64.b64encode(digest).decode()}


@pytest.mark.parametrize(
    "headers", [S3, *(checksum(name) for name in ("crc32", "sha1", "sha256", "sha512"))]
)
def test_bytes_that_are_not_those_promised_are_fetched_again(fetch, web, replies, headers):
    corrupt = DATA[:5000] + b"?" + DATA[5001:]
    replies(web.reply(corrupt, headers=headers), web.reply(DATA, headers=headers))
    assert fetch() == DATA
    assert len(web.requests) == 2


def test_a_corruption_before_a_break_is_found_after_it(fetch, web, replies):
    third = len(DATA) // 3
    replies(cut(web, b"?" + DATA[1:]), rest(web, third), web.reply(DATA, headers=S3))
    assert fetch() == DATA
    assert len(web.requests) == 3


def test_bytes_that_stay_wrong_are_an_interrupted_fetch(fetch, web, replies):
    replies(web.reply(DATA + b"?", headers=S3))
    with pytest.raises(FetchInterrupted, match=r"expected the MD5 .* 4 attempts"):
        fetch()


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": etag_of(b"other")},  # no S3: other servers put there what they like
        {"ETag": '"d41d8cd98f00b204e9800998ecf8427e-3"', "x-amz-id-2": "x"},  # of many parts
        {"ETag": etag_of(b"x"), "x-amz-server-side-encryption": "aws:kms"},
        {"ETag": etag_of(b"x"), "x-amz-server-side-encryption-customer-algorithm": "AES256"},
        {"x-amz-checksum-sha256": base64.b64encode(b"x" * 32).decode() + "-3"},
        {"x-amz-checksum-crc64nvme": "AAAAAAAAAAA="},
    ],
)
def test_what_is_no_checksum_of_the_whole_is_not_taken_for_one(fetch, web, replies, headers):
    replies(web.reply(DATA, headers=headers))
    assert fetch() == DATA
    assert len(web.requests) == 1


def test_an_encoding_of_the_way_is_taken_off_and_the_encoded_bytes_are_verified(
    fetch, web, replies
):
    packed = gzip.compress(DATA)
    headers = {"Content-Encoding": "gzip", "ETag": etag_of(packed), "x-amz-id-2": "x"}
    replies(web.reply(packed, headers=headers))
    assert fetch() == DATA


def test_a_file_that_is_named_gz_stays_as_it_is_stored(web, tmp_path):
    packed = gzip.compress(DATA)
    web.replies["/m.pkl.gz"] = web.reply(packed, headers={"Content-Encoding": "gzip"})
    path = HttpUrl(f"{web.url}/m.pkl.gz").fetch(tmp_path, TransferPolicy())
    assert (path.name, path.read_bytes()) == ("download.gz", packed)


def test_a_broken_encoding_is_a_failed_fetch(fetch, web, replies):
    replies(web.reply(gzip.compress(DATA)[:-9], headers={"Content-Encoding": "gzip"}))
    with pytest.raises(FetchFailed, match="Content-Encoding says, found invalid gzip data"):
        fetch()


def test_an_unknown_encoding_is_named(fetch, web, replies):
    replies(web.reply(b"x", headers={"Content-Encoding": "br"}))
    with pytest.raises(FetchFailed, match="found Content-Encoding br"):
        fetch()


def test_a_response_whose_truncation_cannot_be_detected_is_refused(faults, tmp_path):
    faults.objects["/m.pkl"] = DATA
    faults.plan["/m.pkl"] = ["no length"]
    with pytest.raises(FetchFailed, match="found a response without one"):
        HttpUrl(f"{faults.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))


@pytest.mark.parametrize(
    "oddity",
    [
        "packed chunks",
        "negative length",
        "redirect to nothing",
        "redirect to a file",
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_answer_that_contradicts_itself_is_no_file(faults, tmp_path, oddity):
    faults.plan["/m.pkl"] = [oddity]
    with pytest.raises(FetchFailed) as failed:
        HttpUrl(f"{faults.url}/m.pkl?SECRETSECRET").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert "SECRETSECRET" not in str(failed.value)
    assert list(tmp_path.iterdir()) == []
    gc.collect()  # requests leaves the socket of such a redirect to the collector, which warns


def test_a_chunked_answer_shows_its_end(faults, tmp_path):
    faults.objects["/m.pkl"] = DATA
    faults.plan["/m.pkl"] = ["truncated chunks", "chunks"]
    path = HttpUrl(f"{faults.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert path.read_bytes() == DATA
    assert len(faults.asked) == 2


def test_an_endless_body_ends_at_the_largest_size(web, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMERAI_MAX_FETCHED_SIZE", "64")
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    endless = b"20\r\n" + b"x" * 32 + b"\r\n"
    web.replies["/m.pkl"] = web.reply(endless * 100, headers=headers)
    with pytest.raises(
        FetchFailed, match=r"expected at most 64 bytes from .*, found more"
    ) as failed:
        HttpUrl(f"{web.url}/m.pkl").fetch(tmp_path, TransferPolicy(retry=QUICK))
    assert "NUMERAI_MAX_FETCHED_SIZE" in failed.value.remedy
    assert len(web.requests) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("size", "words"),
    [(33 * 1024**3, r"at most 32\.0 GiB"), (31 * 1024**3, r"disk space for .* \(31\.0 GiB and a")],
)
def test_a_declared_size_beyond_the_limit_or_the_disk_is_refused_at_once(
    web, fetch, monkeypatch, size, words
):
    usage = SimpleNamespace(total=100 * 1024**3, used=0, free=31 * 1024**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    web.replies["/m.pkl"] = web.reply(b"x", headers={"Content-Length": str(size)})
    with pytest.raises(FetchFailed, match=words):
        fetch()
    assert len(web.requests) == 1


def test_a_disk_that_fills_up_meanwhile_ends_the_transfer(fetch, web, monkeypatch):
    monkeypatch.setattr(size_limits, "_BYTES_BETWEEN_LOOKS", 100_000)
    looks = []

    def usage(_folder):
        looks.append(1)
        return SimpleNamespace(total=10**9, used=0, free=10**9 if len(looks) < 3 else 10**7)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    web.replies["/m.pkl"] = web.reply(DATA * 2)
    with pytest.raises(FetchFailed, match=r"expected disk space for .*, found 9\.5 MiB free"):
        fetch()


def test_a_small_body_that_unpacks_to_gigabytes_ends_at_the_largest_size(fetch, web, monkeypatch):
    monkeypatch.setenv("NUMERAI_MAX_UNPACKED_SIZE", "10m")
    bomb = gzip.compress(bytes(50 * 1024**2))
    web.replies["/m.pkl"] = web.reply(bomb, headers={"Content-Encoding": "gzip"})
    with pytest.raises(FetchFailed, match=r"at most 10\.0 MiB from .*, unpacked") as failed:
        fetch()
    assert "NUMERAI_MAX_UNPACKED_SIZE" in failed.value.remedy


@pytest.mark.timeout(20)
def test_a_million_empty_gzip_members_end_at_the_deadline(fetch, web):
    members = gzip.compress(b"") * 2_000_000
    web.replies["/m.pkl"] = web.reply(members, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DeadlinePassed):
        fetch(deadline=Deadline.after(2))


def test_a_limit_that_is_no_size_is_named(fetch, web, monkeypatch):
    monkeypatch.setenv("NUMERAI_MAX_FETCHED_SIZE", "lots")
    with pytest.raises(FetchFailed, match="NUMERAI_MAX_FETCHED_SIZE: expected a size like 4g"):
        fetch()


def test_an_empty_object_is_fetched(fetch, web, replies):
    replies(web.reply(b""))
    assert fetch() == b""


def test_a_long_transfer_is_logged_in_lines(fetch, web, replies, monkeypatch):
    monkeypatch.setattr("numerai_predict.storage.transfer.transfer_progress._LINE_SECONDS", 0.0)
    said = []
    replies(web.reply(DATA))
    fetch(log=said.append)
    assert said[-1].startswith(f"{web.url}/m.pkl: 1.0 MiB of 1.0 MiB (100%), ")
    assert "SECRET" not in str(said)


def test_on_a_terminal_a_bar_is_drawn_and_taken_away(fetch, web, replies, monkeypatch, tmp_path):
    import io

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("numerai_predict.storage.progress_line._REFRESH_SECONDS", 0.0)
    terminal = io.StringIO()
    replies(web.reply(DATA))
    fetch(terminal=terminal)
    assert "1.0 MiB of 1.0 MiB (100%)" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")
    assert "SECRET" not in terminal.getvalue()


def test_a_password_of_netrc_is_not_sent_along(fetch, web, replies, monkeypatch, tmp_path):
    """S3 refuses a presigned request with a second way to sign it."""
    netrc = tmp_path.parent / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRETSECRET\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    replies(web.reply(status=302, headers={"Location": f"{web.url}/other"}))
    web.replies["/other"] = web.reply(DATA)
    assert fetch() == DATA
    assert all("Authorization" not in request.headers for request in web.requests)


def test_a_password_in_the_url_is_sent(web, tmp_path):
    web.replies["/m.pkl"] = web.reply(DATA)
    url = web.url.replace("://", "://me:SECRET@")
    HttpUrl(f"{url}/m.pkl").fetch(tmp_path, TransferPolicy())
    assert web.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_long_unpacking_shows_its_share(fetch, web, monkeypatch):
    monkeypatch.setattr("numerai_predict.storage.transfer.transfer_progress._LINE_SECONDS", 0.0)
    packed = gzip.compress(DATA)
    web.replies["/m.pkl"] = web.reply(packed, headers={"Content-Encoding": "gzip"})
    said = []
    fetch(log=said.append)
    assert any("unpacking" in line and "100%" in line for line in said)
