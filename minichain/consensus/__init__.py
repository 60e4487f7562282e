"""Ways to agree on the next block. An engine knows neither its world nor its chain: it imports only `ledger`."""
