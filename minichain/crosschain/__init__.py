"""How one chain believes another: a receipt, its Merkle path, and a certificate. There is no second way."""
