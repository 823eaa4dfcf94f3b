"""The report on a pickled model over past eras."""
