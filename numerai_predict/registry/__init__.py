"""Versions of models by name, with aliases, promotion, rollback and an append-only history."""
