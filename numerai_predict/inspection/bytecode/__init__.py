"""The instructions of code objects, compared with what each Python's compiler can write."""
