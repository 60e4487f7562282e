"""What the ledger is made of: its types, its state, its genesis, its committees and its certificates."""
