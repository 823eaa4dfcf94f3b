"""The tournament: rounds, submissions, gates, model uploads, and one to practise with."""
