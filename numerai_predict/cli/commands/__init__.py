"""What each command does: `run(options)` returns the message of success or the exit code."""
