"""One model, one run.

The parent holds what must stay secret and decides; the child holds the model.
They share no memory: the parent writes requests, the child writes frames (see
`protocol`), and the parent takes nothing in them for granted.
"""
