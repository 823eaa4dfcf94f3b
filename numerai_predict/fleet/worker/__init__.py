"""The worker: preloaded libraries and live data, and a new model process for every job.

It runs inside an image, with the packages of the image. Four kinds of process, each started by
the one before it: the router exchanges frames with the worker actor and holds only the pipes;
the zygote has read libraries and data, and runs no model; a supervisor runs one model as the
supervisor of a single run does; the model process is a fork of a fork of the zygote, in the
sandbox of a single run. What a model returns bypasses the zygote: no later fork inherits it.
"""
