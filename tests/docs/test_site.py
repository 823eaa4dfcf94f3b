"""The site builds without a warning, is complete, and loads nothing from other servers."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

ROOT = Path(__file__).parents[2]
_LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}


class Links(HTMLParser):
    """What a page loads, and where it links to."""

    def __init__(self):
        super().__init__()
        self.loaded, self.linked = [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag in _LOADED and attributes.get(_LOADED[tag]):
            self.loaded.append(attributes[_LOADED[tag]])
        if tag == "a" and attributes.get("href"):
            self.linked.append(attributes["href"])


def links_of(page):
    links = Links()
    links.feed(page.read_text())
    return links


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built strictly in a copy."""
    pytest.importorskip("zensical")
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    built = subprocess.run(
        [str(Path(sys.executable).parent / "zensical"), "build", "--strict"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        env={"PATH": "/usr/bin:/bin", "HTTPS_PROXY": "http://127.0.0.1:9", "NO_COLOR": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    return folder / "site"


@pytest.mark.process
def test_no_page_loads_anything_from_another_server(site):
    loaded = {
        link
        for page in site.rglob("*.html")
        for link in links_of(page).loaded
        if urlsplit(link).netloc
    }
    assert loaded == set()


@pytest.mark.process
def test_everything_that_a_page_loads_or_links_to_is_there(site):
    missing = []
    for page in site.rglob("*.html"):
        links = links_of(page)
        for link in {*links.loaded, *links.linked}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path or page.name == "404.html":
                continue
            if not (page.parent / unquote(parts.path)).exists():
                missing.append(f"{page.relative_to(site)}: {link}")
    assert missing == []


def test_every_page_is_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text()
    named = set(re.findall(r"[\w/-]+\.md", str(yaml.safe_load(text)["nav"])))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert named == pages


def test_material_for_mkdocs_can_read_the_configuration():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    assert settings["theme"]["name"] == "material"
    assert settings["theme"]["font"] is False
    assert settings["strict"] is True
