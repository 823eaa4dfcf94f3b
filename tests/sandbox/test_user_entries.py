"""The lists of users and groups of a private root."""

import pytest

from numerai_predict.sandbox import user_entries

UNKNOWN = 3_999_999_999


def test_an_unknown_user_and_group_are_added_at_the_end():
    lists = user_entries.lists_with_own_user((UNKNOWN, UNKNOWN), "/scratch")
    with open("/etc/passwd", "rb") as users, open("/etc/group", "rb") as groups:
        assert lists == {
            "/etc/passwd": users.read()
            + f"model:x:{UNKNOWN}:{UNKNOWN}::/scratch:/usr/sbin/nologin\n".encode(),
            "/etc/group": groups.read() + f"model:x:{UNKNOWN}:\n".encode(),
        }


def test_a_known_user_and_group_leave_the_machines_lists_as_they_are():
    assert user_entries.lists_with_own_user((0, 0), "/scratch") == {}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b""),
        (b"root:x:0:0::/:/bin/sh", b"root:x:0:0::/:/bin/sh\n"),
        (b"# a comment\n+::\nroot:x:0\n", b"# a comment\n+::\nroot:x:0\n"),
    ],
)
def test_a_list_of_any_form_keeps_its_lines(tmp_path, content, expected):
    path = tmp_path / "list"
    path.write_bytes(content)
    assert user_entries._content(str(path)) == expected


def test_a_list_that_is_missing_or_a_link_is_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert user_entries._content(str(tmp_path / "link")) is None
    assert user_entries._content(str(tmp_path / "none")) is None
