"""Generates requirements, Dockerfiles, tables and reference pages from their sources.

`python -m generate` writes the files; `python -m generate --check` lists those that differ
from what it would write.
"""
