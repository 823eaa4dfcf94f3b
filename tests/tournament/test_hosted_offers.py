"""What a pickle is hosted with comes from the tournament's own list."""

import pytest

from numerai_predict.contract.tournament_errors import ModelRefused
from numerai_predict.tournament import queries
from numerai_predict.tournament.hosted_offers import hosted_offers


class Listing:
    """A tournament that lists images and versions; the last of each is its default."""

    def __init__(self, images, versions=("v5.2", "v5.3")):
        self.lists = {queries.DOCKER_IMAGES: images, queries.DATA_VERSIONS: versions}

    def query(self, query, scope=None):
        names = self.lists[query]
        return [
            {"name": name, "id": f"id of {name}", "default": name == names[-1]} for name in names
        ]


def test_the_defaults_are_those_of_the_tournament():
    offers = hosted_offers(Listing(["Python 3.12", "Python 3.13"]))
    assert (offers.default_python, offers.versions.default) == ("3.13", "v5.3")


def test_a_list_without_a_default_names_none():
    offers = hosted_offers(Listing([], []))
    assert (offers.default_python, offers.versions.default) == (None, None)


@pytest.mark.parametrize("name", ["Python 3.14", "Python 3.14 (experimental)"])
def test_a_pickle_of_a_python_gets_its_image_also_an_experimental_one(name):
    offers = hosted_offers(Listing(["Python 3.1", name, "Python 3.12"]))
    assert offers.image_id("3.14") == f"id of {name}"


def test_what_is_not_listed_is_refused_with_the_list_and_the_option():
    offers = hosted_offers(Listing(["Python 3.12"]))
    with pytest.raises(ModelRefused, match=r"'Python 3.14'; there are Python 3.12") as refused:
        offers.image_id("3.14")
    assert "--python" in refused.value.remedy
    with pytest.raises(ModelRefused, match=r"'v1'; there are v5.2, v5.3"):
        offers.versions.id_of("v1")
