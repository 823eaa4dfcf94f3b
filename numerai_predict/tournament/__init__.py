"""The tournament: rounds, submissions, gates, model uploads, and the practice server."""
