"""Deliveries of a fleet run: a durable process uploads and records them."""
