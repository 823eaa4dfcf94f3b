"""Opcodes that import names."""


def test_names_of_python_2_are_mapped_to_python_3(inspected):
    assert inspected(b"c__builtin__\nxrange\n.").references == ("builtins",)
    assert inspected(b"ccPickle\nloads\n.").references == ("pickle",)
