"""The isolation layers around the model process.

`apply` applies them as the first act of the model process, before anything of the model is loaded.
`hide_supervisor` protects the supervisor, which holds the credentials. The layers are independent:
where a machine lacks one, the others still hold, and the report names the missing one.
"""
