"""A node joins a running network: it learns what the chain is, checks that it is the one it was told, and follows.

It becomes a member when the members say so, on the chain; nothing else has to be done for it then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from minichain.codec import Plain, to_json
from minichain.crypto import KEY_SIZE, KeyPair, Passphrase
from minichain.errors import ConfigError, NetworkError, UsageError
from minichain.ledger.genesis import ChainSpec, Genesis
from minichain.live import keyfile
from minichain.live.channel import LiveChannel
from minichain.live.cluster import Child
from minichain.live.process import Place
from minichain.node.messages import AskChain, ChainAnswer, ClientAnswer, ClientRequest
from minichain.node.snapshots import fetch
from minichain.store import SqliteStore
from minichain.transition import first_state

ANSWER_MS: Final = 5_000
WHERE: Final = re.compile(r"([0-9a-f]{64})@([A-Za-z0-9.:\[\]-]+:\d{1,5})")


class Invitation(Plain):
    """Which member to join at: its public key, and its door for clients."""

    public: str
    address: str


def read_invitation(text: str) -> Invitation:
    """Read KEY@HOST:PORT; raises `UsageError`."""
    found = WHERE.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not where a node is: write KEY@HOST:PORT, as `minichain status --json` has it")
    return Invitation(found[1], f"tcp://{found[2]}")


def settle(
    home: Path, name: str, invitation: Invitation, genesis: str | None, passphrase: Passphrase | None = None
) -> tuple[Place, Genesis, KeyPair]:
    """Prepare a directory for a node of the chain that a member tells about; its key is encrypted with a passphrase.

    `genesis` is the hash, in hexadecimal, that this chain must have. Raises `ConfigError` for another chain.
    """
    chain = _ask(invitation)
    own = Genesis(chain.spec)
    if genesis is not None and own.hash.hex() != genesis:
        raise ConfigError(f"that node belongs to the chain {own.hash.hex()}, not to {genesis}: join at another node")
    keyfile.make_private(home)
    _keep_spec(home / "genesis.json", chain.spec)
    key = KeyPair(keyfile.secret(home / "key", passphrase))
    source = (invitation.public, invitation.address, chain.address)
    spec, secret, blocks = (str((home / file).resolve()) for file in ("genesis.json", "key", "chain.sqlite"))
    return Place(name, spec, secret if passphrase is None else "", blocks, source=source), own, key


def begin_with_snapshot(place: Place, genesis: Genesis, invitation: Invitation, key: KeyPair) -> int:
    """Let a node that has no block yet begin with a snapshot; returns the height it stands at.

    Raises `NetworkError` if there is none, `ProofError` if it is not what the chain's members have certified.
    """
    with closing(SqliteStore(Path(place.chain), genesis.hash, first_state(genesis))) as store:
        if store.height() == 0:
            with _line(invitation, key) as ask:
                snapshot = fetch(genesis, ask)
            with store.turn():
                store.begin_at(snapshot)
        return store.height()


def _ask(invitation: Invitation) -> ChainAnswer:
    with _line(invitation) as ask:
        answer = ask(AskChain())
    if not isinstance(answer, ChainAnswer):
        raise NetworkError(f"the node at {invitation.address} does not say what its chain is: join at another one")
    return answer


@contextmanager
def _line(invitation: Invitation, key: KeyPair | None = None) -> Iterator[Callable[[ClientRequest], ClientAnswer]]:
    """Open a line to the member that invited; asking raises `NetworkError` when no answer comes."""
    public = bytes.fromhex(invitation.public)
    assert len(public) == KEY_SIZE
    with closing(LiveChannel(lambda: {"source": (public, invitation.address)}, key)) as channel:

        def ask(body: ClientRequest) -> ClientAnswer:
            answer = channel.request("source", body, ANSWER_MS)
            if answer is None:
                raise NetworkError(
                    f"no node answers at {invitation.address} within {ANSWER_MS / 1000:g} s: check the address, the "
                    "key and that it is running"
                )
            return answer

        yield ask


def _keep_spec(path: Path, spec: ChainSpec) -> None:
    if path.exists() and path.read_bytes() != to_json(spec):
        raise ConfigError(f"{path.parent} holds another chain: choose another directory, or remove that one")
    path.write_bytes(to_json(spec))


@contextmanager
def running(home: Path, place: Place, key: KeyPair | None = None) -> Iterator[Child]:
    """Run a joining node as a child process, which is told its key if that is in no file; it leaves with the block."""
    child = Child(place, home / "config.json", home / "log.txt", None if place.key else key)
    try:
        child.start()
        yield child
    finally:
        child.end()
