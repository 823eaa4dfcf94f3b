"""The tournament's data: for now a sample of its shape."""
