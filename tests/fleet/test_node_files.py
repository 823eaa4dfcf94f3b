"""A file reaches a node as a path on the same machine, else as bytes."""

import pytest

from numerai_predict.fleet.node_files import to_node, write_node_file


@pytest.mark.parametrize("is_local", [True, False])
def test_a_file_has_the_same_content_on_the_node(tmp_path, is_local):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"content")
    assert write_node_file(to_node(source, is_local), target) == target
    assert target.read_bytes() == b"content"


def test_a_local_file_is_linked(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"content")
    write_node_file(str(source), target)
    assert target.samefile(source)
