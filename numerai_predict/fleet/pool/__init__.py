"""The pool of warm workers on the nodes of a Ray cluster."""
