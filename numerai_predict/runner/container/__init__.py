"""Runs in a container image: the engine, the choice of image, and many calls of one model."""
