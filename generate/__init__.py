"""Files that are made from others: requirements, Dockerfiles, tables.

`python -m generate` writes them, `python -m generate --check` says which are not
what they would be made to now.
"""
