"""The trusted process of a run: it starts the model process, enforces limits and decides the verdict."""
