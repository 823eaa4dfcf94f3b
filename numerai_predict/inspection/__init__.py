"""What a pickle says about itself, without unpickling it."""
