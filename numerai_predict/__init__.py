"""Run, check and ship pickled Numerai prediction functions."""

__version__ = "0.1.0"
