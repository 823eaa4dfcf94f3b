"""What a model may read of a directory that libraries are installed in."""

from pathlib import Path

from numerai_predict.contract.library_folders import is_library_folder, readable_of


def target_folder(folder, record):
    """A project that `pip install --target` was pointed at, with a key of its own."""
    metadata = folder / "pandas-2.3.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "RECORD").write_text(record)
    (folder / "pandas").mkdir()
    (folder / ".env").write_text("SECRET=1")
    return folder


def test_a_directory_of_libraries_alone_is_readable_as_a_whole(tmp_path):
    for name in ("site-packages", "dist-packages"):
        assert is_library_folder(tmp_path / name)
        assert list(readable_of(tmp_path / name)) == [tmp_path / name]


def test_of_another_folder_what_the_libraries_list_is_readable(tmp_path):
    project = target_folder(tmp_path / "project", "pandas/__init__.py,,\nsix.py,,\n")
    assert is_library_folder(project)
    found = set(readable_of(project))
    assert found == {project / name for name in ("pandas-2.3.dist-info", "pandas", "six.py")}


def test_a_list_cannot_name_what_lies_above_the_directory(tmp_path):
    project = target_folder(tmp_path / "project", "../../bin/tool,,\n/etc/shadow,,\n./.env,,\n")
    assert set(readable_of(project)) == {project / "pandas-2.3.dist-info"}


def test_a_directory_without_libraries_is_no_such_directory(tmp_path):
    assert not is_library_folder(tmp_path)
    assert not is_library_folder(Path())
