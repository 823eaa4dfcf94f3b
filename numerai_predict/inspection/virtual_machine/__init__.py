"""Executes the opcodes of a pickle on placeholders, without unpickling anything."""
