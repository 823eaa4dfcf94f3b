"""Runs many models: manifest, preparation, scheduler, workers on Ray, deliveries and ledger."""
