"""Static analysis of a pickle: what it contains and needs, without unpickling it."""
