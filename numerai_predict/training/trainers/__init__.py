"""Trainers: one library per module behind `interface.py`; `registry.py` creates them by name."""
