"""What comes in: a transaction is checked, cheap checks first, and waits for a block. It is refused, in words that are
kept for whoever asks, when the chain has no place for it any more.

The accounts are as the last block left them. Nothing is sent from here: a method that refuses returns the verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from minichain.codec import decode_own
from minichain.crosschain.people import KEY_CHANGED
from minichain.crypto import SignatureCheck
from minichain.errors import DecodeError, Refused, SignatureError
from minichain.ledger.genesis import Genesis
from minichain.ledger.state import Account, account_key, is_account_key, read_account
from minichain.ledger.types import Block, Envelope, Receipt, open_envelope
from minichain.node.mempool import Mempool
from minichain.node.messages import Verdict
from minichain.node.refusals import Refusal, Refusals
from minichain.store import Store
from minichain.transition import rekeyed, require_admissible

UNSIGNED: Final = "the signature does not belong to this sender and content: sign it again"


class Intake:
    """The transactions of one node that are not in its chain."""

    def __init__(self, genesis: Genesis, store: Store, is_valid: SignatureCheck) -> None:
        self.waiting = Mempool()
        self._genesis = genesis
        self._limit = genesis.spec.limits.transaction_bytes
        self._store = store
        self._is_valid = is_valid
        self._decides = genesis.spec.engine != "pow"
        self._refusals = Refusals()
        self._accounts: dict[bytes, bytes] = {}
        self._opened: dict[bytes, tuple[Envelope, ...]] = {}  # block id -> its checked transactions

    def note(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Let the accounts be as a block, or its undoing, leaves them."""
        for key, value in writes.items():
            if is_account_key(key):
                if value is None:
                    self._accounts.pop(key, None)
                else:
                    self._accounts[key] = value

    def account(self, public: bytes) -> Account:
        """Return an account."""
        return read_account(self._accounts.get(account_key(public)))

    def next_nonce(self, public: bytes) -> int:
        """Return the nonce of a sender's next transaction, those that wait included."""
        return self.waiting.next_nonce(public, self.account(public).nonce)

    def refusal(self, tx_id: bytes) -> Verdict | None:
        """Return why a transaction was refused here, as long as that is remembered."""
        why = self._refusals.get(tx_id)
        return Verdict(tx_id, why.code, str(why)) if why else None

    # --- coming in ---

    def admit(self, raw: bytes, height: int) -> bool:
        """Check a transaction for the block of a height, and let it wait; returns whether it is new here."""
        if self.waiting.find(raw):
            return False
        if len(raw) > self._limit:
            raise Refused("oversize", f"{len(raw)} bytes, where a transaction has at most {self._limit}")
        try:
            envelope = open_envelope(raw, self._limit)
        except DecodeError as error:
            raise Refused("malformed", str(error)) from None
        sender, nonce = envelope.body.sender, envelope.body.nonce
        account = self.account(sender)
        if nonce < account.nonce and self._store.find(envelope.id):
            return False
        require_admissible(self._genesis, envelope, account, height)
        self.waiting.require_next(sender, nonce, account.nonce)
        if not envelope.has_valid_signature(self._is_valid):
            raise Refused("bad_signature", UNSIGNED)
        self.waiting.add(envelope)
        self._refusals.forget(envelope.id)
        return True

    def open_all(self, block: Block) -> tuple[Envelope, ...]:
        """Open the transactions of a block, and check who signed them. One that waits here was checked when it came.

        Raises `DecodeError` and `SignatureError`.
        """
        block_id = block.header.id
        if block_id not in self._opened:
            find = self.waiting.find
            self._opened[block_id] = tuple(find(raw) or self._checked(raw) for raw in block.txs)
        return self._opened[block_id]

    def _checked(self, raw: bytes) -> Envelope:
        envelope = open_envelope(raw, self._limit)
        if not envelope.has_valid_signature(self._is_valid):
            raise SignatureError(UNSIGNED)
        return envelope

    def forget_opened(self) -> None:
        """Let go of the opened blocks of a height that is decided."""
        self._opened.clear()

    # --- going out ---

    def refuse(self, refused: Iterable[Refusal]) -> list[Verdict]:
        """Refuse transactions, whether they wait here or not."""
        verdicts = []
        for tx_id, why in refused:
            self.waiting.remove((tx_id,))
            self._refusals.remember((tx_id, why))
            verdicts.append(Verdict(tx_id, why.code, str(why)))
        return verdicts

    def placed(self, tx_ids: Iterable[bytes]) -> None:
        """Note that a block has these, whoever found them a place."""
        self.waiting.remove(tx_ids)
        for tx_id in tx_ids:
            self._refusals.forget(tx_id)

    def put_back(self, returned: Iterable[Envelope], height: int) -> list[Verdict]:
        """Let the transactions of blocks that were taken back wait again, unless the chain has them all the same."""
        homeless = [envelope for envelope in returned if not self._store.find(envelope.id)]
        if not homeless:
            return []
        self.waiting.put_back(homeless)
        return self.leave_behind(homeless, {}, height)

    def leave_behind(self, envelopes: Iterable[Envelope], rekeyed: Mapping[bytes, bytes], height: int) -> list[Verdict]:
        """Let no transaction wait any more that a chain of this height has no place for, now that it has these others,
        and other keys for some accounts.

        They are refused once that is final: until then another branch may have a place for them.
        """
        found = list(self._without_place(envelopes, rekeyed, height)) if self.waiting else []
        if self._decides:
            return self.refuse(found)
        doomed = [(envelope, why) for tx_id, why in found if (envelope := self.waiting.get(tx_id))]
        self.waiting.remove(tx_id for tx_id, _ in found)
        return self.refuse(self._refusals.set_aside(doomed))

    def _without_place(
        self, envelopes: Iterable[Envelope], rekeyed: Mapping[bytes, bytes], height: int
    ) -> Iterator[Refusal]:
        expired = Refused("expired", f"its last height has passed, the chain is at {height}: sign it again")
        for tx_id in self.waiting.expired(height + 1):
            yield tx_id, expired
        for sender in dict.fromkeys(envelope.body.sender for envelope in envelopes):
            nonce = self.account(sender).nonce
            overtaken = Refused("wrong_nonce", f"another transaction has used its nonce; the next is {nonce}")
            for tx_id in self.waiting.overtaken(sender, nonce):
                yield tx_id, overtaken
        unsigned = Refused("wrong_key", "its sender has another key by now: sign it with that one")
        for sender in rekeyed:
            for tx_id in self.waiting.signed_otherwise(sender, self.account(sender).key):
                yield tx_id, unsigned

    def refuse_doomed(self, height: int) -> list[Verdict]:
        """Refuse whom the block of a height, which is final now, has left behind."""
        final = self._store.block(height) if self._refusals.aside else None
        if final is None:
            return []
        held = [open_envelope(raw, self._limit).body for raw in final.block.txs]
        keys = self.keys_changed(self._store.receipts(height))
        return self.refuse(
            self._refusals.take_final(held, keys, height, lambda tx_id: self._store.find(tx_id) is not None)
        )

    def keys_changed(self, encoded_receipts: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return the accounts whose key changed, with the new key, out of the receipts of blocks."""
        receipts = (decode_own(raw, Receipt) for raw in encoded_receipts if _KEY_CHANGED in raw)
        return rekeyed(self._genesis, (event for receipt in receipts for event in receipt.events))


_KEY_CHANGED: Final = KEY_CHANGED.encode()
