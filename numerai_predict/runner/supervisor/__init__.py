"""The trusted process of a run: it starts the model process and decides the verdict."""
