"""One model, one run.

The supervisor holds the credentials and decides the verdict; the model process unpickles and
calls the model. They share no memory: the supervisor writes requests, the model process writes
frames (see `protocol`), and the supervisor trusts nothing in them.
"""
