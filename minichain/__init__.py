"""minichain: a compact ledger for teaching and governance, one core in two worlds."""
