"""Many models: manifest, ledger, warm workers, and Ray, which spreads them over machines."""
