"""Which compiled engine is loaded."""

import pytest

from numerai_predict.acceleration import engine
from numerai_predict.acceleration.build import ENGINE


@pytest.fixture(autouse=True)
def fresh():
    engine.library.cache_clear()
    yield
    engine.library.cache_clear()


@pytest.fixture
def at(monkeypatch):
    """Say where the package's engine and the image's are."""

    def set_paths(package, image):
        monkeypatch.setattr(engine, "ENGINE", package)
        monkeypatch.setattr(engine, "_IMAGE_ENGINE", image)

    return set_paths


def test_without_an_engine_in_the_package_that_of_the_image_is_loaded(at, tmp_path):
    at(tmp_path / "missing.so", ENGINE)
    assert engine.library() is not None


@pytest.mark.parametrize("content", [b"", b"\x7fELF of another machine"])
def test_an_engine_of_another_machine_is_left_for_that_of_the_image(at, tmp_path, content):
    other = tmp_path / "trees.so"
    other.write_bytes(content)
    at(other, ENGINE)
    assert engine.library() is not None


def test_an_engine_of_another_version_is_not_used(at, tmp_path, monkeypatch):
    at(ENGINE, tmp_path / "missing.so")
    monkeypatch.setattr(engine, "VERSION", engine.VERSION + 1)
    assert engine.library() is None


def test_without_any_engine_there_is_none(at, tmp_path):
    at(tmp_path / "missing.so", tmp_path / "missing too.so")
    assert engine.library() is None
