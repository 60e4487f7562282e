"""What people's programs hold: a network, wallets, contracts, receipts. Synchronous, and the same in both worlds."""

from minichain.client.network import Network
from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet

__all__ = ["Network", "Receipt", "Wallet"]
