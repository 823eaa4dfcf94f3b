"""The practice server: a local simulation of the tournament API that numerapi works with."""
