"""A tournament on this machine, for which numerapi as it is takes it for the real one."""
