"""Errors of the practice server's services."""

from __future__ import annotations


class RequestRejected(Exception):
    """The request is rejected; the message is for the client."""
