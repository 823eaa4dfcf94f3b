"""The layers between a stranger's model and the machine.

`confine` puts them on, in the model's own process and before anything of the
model is there; `secrecy` hides what the parent knows. Each layer stands alone: where
a machine lacks one the others hold, and the report names it.
"""
