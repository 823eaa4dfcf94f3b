"""Trainers, one file each behind the interface in `base.py`; `registry.py` knows them by name."""
