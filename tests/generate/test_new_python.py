"""The pyproject.toml of one more Python follows from that of another and the hosted versions."""

import pytest

new_python = pytest.importorskip("generate.new_python", reason="not run from a checkout")

OLD = new_python.read_hosted("# a comment\na==1  # direct\nold==1  # direct\nkin==1\n")
NEW = new_python.read_hosted("a==2  # direct\nnew==5  # direct\nkin==3\nother==4\n")
TEXT = """# Python 3.13
[dependencies]
python = "3.13.*"
a = "1"
old = "1"
ours = "7"
kin = "1"

[deep]
"""


def test_the_hosted_list_marks_declared_packages():
    assert NEW.direct == {"a": "2", "new": "5"}
    assert NEW.every == {"a": "2", "new": "5", "kin": "3", "other": "4"}


def test_versions_are_those_of_the_new_environment_and_own_packages_stay():
    text = new_python.pyproject(TEXT, OLD, NEW, ("3.13", "3.14"))
    assert (
        text
        == """# Python 3.14
[dependencies]
python = "3.14.*"
a = "2"
ours = "7"
kin = "3"

[deep]
new = "5"
"""
    )


def test_the_exact_one_names_every_hosted_package():
    text = new_python.exact('[deep]\na = "2"\n', NEW)
    assert text == '[deep]\na = "2"\nnew = "5"\nkin = "3"\nother = "4"\n'


def test_what_the_lock_lacks_is_added():
    text = '[deep]\na = "2"\n'
    assert new_python.complete(text, NEW, {"a", "new", "kin"}) == text + 'other = "4"\n'
    assert new_python.complete(text, NEW, {"a", "new", "kin", "other"}) == text
