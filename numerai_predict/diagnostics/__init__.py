"""The report on a pickle over past eras."""
