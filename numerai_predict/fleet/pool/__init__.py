"""The pool of workers on the nodes of a Ray cluster."""
