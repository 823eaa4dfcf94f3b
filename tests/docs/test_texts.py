"""README, CONTRIBUTING and the layout page agree with the repository."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = sorted([*ROOT.glob("*.md"), *(ROOT / "deploy").rglob("*.md")])
LAYOUT = ROOT / "docs/explanation/02-packages.md"


def test_the_readme_has_at_most_150_lines():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_contributing_guide_has_at_most_100_lines():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) <= 100


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(path):
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text())
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_the_picture_in_the_readme_loads_nothing():
    picture = ElementTree.parse(ROOT / "docs/images/run.svg")
    loaded = [value for element in picture.iter() for value in element.attrib.values()]
    loaded += [element.text or "" for element in picture.iter() if element.tag.endswith("style")]
    assert [text for text in loaded if "://" in text or "@import" in text] == []


def test_the_picture_in_the_readme_shows_a_run_that_ended_well():
    assert "(exit&#160;0)" in (ROOT / "docs/images/run.svg").read_text()


def test_every_module_on_the_layout_page_exists():
    text = LAYOUT.read_text()
    package = ROOT / "numerai_predict"
    section, missing = "", []
    for line in text.splitlines():
        if heading := re.match(r"## (\w+)/$", line):
            section = heading[1]
        for name in re.findall(r"`([\w/.]+(?:\.py|/))`", line):
            places = [package / name, package / section / name, ROOT / name]
            places += [package / "training/trainers" / name, package / "storage" / name]
            if not any(place.exists() for place in places):
                missing.append(name)
    assert missing == []


def test_every_package_is_on_the_layout_page():
    text = LAYOUT.read_text()
    packages = {path.parent.name for path in (ROOT / "numerai_predict").glob("*/__init__.py")}
    assert {name for name in packages if f"{name}/" not in text} == set()


def test_no_text_states_the_number_of_attempts_by_hand():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.md")]
    counted = re.compile(r"\b\d+\s+(?:ways|attacks|attempts to break out)\b")
    found = {path.name: counted.findall(path.read_text()) for path in pages}
    assert {name: numbers for name, numbers in found.items() if numbers} == {}
