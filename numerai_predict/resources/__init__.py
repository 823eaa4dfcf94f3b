"""What a model uses of the machine, and the limits that it passes."""
