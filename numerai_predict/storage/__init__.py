"""Bytes in and out: local files, HTTP, Numerai data sets by name."""
