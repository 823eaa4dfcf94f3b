"""The warm worker: libraries and live data in memory, and a fresh process for every model.

It runs inside an image, on what the image has. Four kinds of process, each started by the one
before it: the router talks to the agent and holds nothing but the pipes; the zygote has read
libraries and data, and runs no model; a supervisor holds one model as the parent of a single
run does; the model's own process is a fork of a fork of the zygote, confined as in a single
run. What a model answers passes by the zygote: nothing of it is there when the next one forks.
"""
