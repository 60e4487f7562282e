"""minichain: a compact ledger for teaching and governance, one core in two worlds.

import minichain as mc

with mc.Network.local(validators=4) as net:
    office = net.wallet("Street Office A")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minichain.client import Network as Network
    from minichain.client import Receipt as Receipt
    from minichain.client import Wallet as Wallet
    from minichain.contracts import Sandbox as Sandbox
    from minichain.crosschain.proofs import Proof as Proof
    from minichain.errors import MinichainError as MinichainError
    from minichain.errors import ProofError as ProofError
    from minichain.faults.network import Weather as Weather
    from minichain.ledger.types import Call as Call

    __version__: str

# Loaded when first used: a validator's process imports this package too, and needs none of them.
_PUBLIC = {
    "Call": "minichain.ledger.types",
    "MinichainError": "minichain.errors",
    "Network": "minichain.client",
    "Proof": "minichain.crosschain.proofs",
    "ProofError": "minichain.errors",
    "Receipt": "minichain.client",
    "Sandbox": "minichain.contracts",
    "Wallet": "minichain.client",
    "Weather": "minichain.faults.network",
}

__all__ = [
    "Call",
    "MinichainError",
    "Network",
    "Proof",
    "ProofError",
    "Receipt",
    "Sandbox",
    "Wallet",
    "Weather",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _PUBLIC:
        raise AttributeError(f"module 'minichain' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # four megabytes

    try:
        return version("minichain")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0+unknown"


def load_ipython_extension(shell: Any) -> None:
    """Answer `%load_ext minichain` in a notebook: the magic `%%contract`, and pictures of contracts and calls."""
    from minichain.views.magic import load

    load(shell)
