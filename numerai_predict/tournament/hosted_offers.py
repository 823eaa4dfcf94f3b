"""What the tournament hosts models with: its container images and data versions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from numerai_predict.contract.tournament_errors import ModelRefused
from numerai_predict.tournament import queries
from numerai_predict.tournament.client import Tournament


@dataclass(frozen=True)
class Offer:
    """Ids by name of what the tournament lists, and the name of its default, `None` for none.

    `kind` and `option` name it in messages.
    """

    kind: str
    option: str
    ids: dict[str, str]
    default: str | None = None

    def id_of(self, name: str) -> str:
        """The id of a listed name.

        Raises:
            ModelRefused: it is not listed; the message has the list.
        """
        if name not in self.ids:
            raise ModelRefused(
                f"expected a {self.kind} of the tournament, found {name!r}; "
                f"there are {', '.join(self.ids) or 'none'}",
                f"choose one with {self.option}",
            )
        return self.ids[name]


@dataclass(frozen=True)
class HostedOffers:
    """The images and the data versions that the tournament lists."""

    images: Offer
    versions: Offer

    @property
    def default_python(self) -> str | None:
        """The Python of the default image, as its name states it."""
        found = re.search(r"\b\d+\.\d+\b", self.images.default or "")
        return found[0] if found else None

    def image_id(self, python: str) -> str:
        """The id of the image of a Python, like `Python 3.14` or `Python 3.14 (experimental)`.

        Raises:
            ModelRefused: there is no such image.
        """
        exact = f"Python {python}"
        names = [name for name in self.images.ids if name.startswith(f"{exact} ")]
        return self.images.id_of(exact if exact in self.images.ids or not names else names[0])


def hosted_offers(tournament: Tournament) -> HostedOffers:
    """Query the tournament for its images and data versions.

    Raises:
        NotAuthorised, TournamentUnavailable, DeadlinePassed: see there.
    """
    images = tournament.query(queries.DOCKER_IMAGES, scope="")
    versions = tournament.query(queries.DATA_VERSIONS, scope="")
    return HostedOffers(
        _offer("docker image", "--python", images),
        _offer("data version", "--data-version", versions),
    )


def _offer(kind: str, option: str, listed: list[dict[str, Any]]) -> Offer:
    default = next((each["name"] for each in listed if each["default"]), None)
    return Offer(kind, option, {each["name"]: each["id"] for each in listed}, default)
