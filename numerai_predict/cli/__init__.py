"""The command line `numerai-predict`: it parses, calls and prints, nothing else.

`parsers/` declares the options of each command and imports nothing slow; `commands/` runs
the command. Both have one module per command, which is imported only when it is needed.
"""
