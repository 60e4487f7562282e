"""What people do with their identity on a network: `net.identity`. The rules are the contract's; what happens here is
what cannot happen on a chain: drawing keys and salts, making commitments, checking the proofs of a DID document.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from minichain.client.receipt import Receipt
from minichain.client.wallet import Wallet
from minichain.codec import Plain, to_json
from minichain.contracts.proxy import DeployedContract
from minichain.crosschain.light import follow
from minichain.crypto import Secret, commitment, digest, public_of
from minichain.errors import DecodeError, ProofError, TimedOut, UsageError
from minichain.identity import documents
from minichain.ledger.certificate import Handover
from minichain.ledger.genesis import Genesis
from minichain.ledger.local import later_key
from minichain.ledger.types import Call
from minichain.merkle import verify_state
from minichain.node.messages import StateAnswer
from minichain.transition import IDENTITY, first_root

if TYPE_CHECKING:
    from minichain.client.network import Network

DAY_MS: Final = 86_400_000
TRIES: Final = 5  # to see two values of one did while it does not change between them

Person = Wallet | str  # whoever is spoken of, by wallet or by did


def did_in(who: Person) -> str:
    """Return the did of whoever is spoken of; raises `UsageError` if it is none."""
    if isinstance(who, Wallet):
        return who.did
    try:
        public_of(who)
    except (DecodeError, AttributeError):
        raise UsageError(f"{str(who)[:80]!r} is not a did:key: give a wallet, or a did") from None
    return who


class Slip(Plain):
    """What a guardian keeps: whose guardian it is, and the salt that shows it. It is of no use to anybody else."""

    account: str
    guardian: str
    salt: bytes


class Resolution(Plain):
    """A DID document, what is told about it, and the state proofs of what it rests on."""

    did: str
    document: dict[str, Any]
    metadata: dict[str, Any]
    record: documents.KeyRecord
    until: int  # the height at which the next version began; 0: this is the present one
    proofs: tuple[tuple[bytes, StateAnswer], ...]  # (state key, value with proof): this version, and the one after it

    def to_json(self) -> bytes:
        """Write the result of a resolution, as W3C DID Resolution has it."""
        told = {"contentType": documents.MEDIA_TYPE}
        result = {"didDocument": self.document, "didDocumentMetadata": self.metadata, "didResolutionMetadata": told}
        return to_json(result)

    def verify(self, genesis: Genesis, handovers: Iterable[Handover] = ()) -> None:
        """Check the proofs against a chain's genesis; raises `ProofError`.

        `handovers` are those of the chain up to these blocks, where its members have changed (a receipt's proof has
        them). On a chain of work this checks the state of a block, not how deep that block lies.
        """
        trust, version = follow(genesis, handovers), self.record.version
        expected = [documents.record_key(self.did, version), documents.record_key(self.did, version + 1)]
        if [key for key, _ in self.proofs] != expected:
            raise ProofError(f"the proofs are not about version {version} of {self.did} and the one after it")
        for key, answer in self.proofs:
            root = first_root(genesis)
            if answer.header is not None and answer.certificate is not None:
                root = answer.header.state_root
                if genesis.spec.engine != "pow":
                    trust.require_final(answer.header, answer.certificate)
            if not verify_state(key, answer.value, answer.proof, root):
                raise ProofError(f"the record of {self.did} is not in the state that the proof is about")
        if _resolution(self.did, self.proofs) != self:
            raise ProofError(f"the document of {self.did} is not what the proved record makes it")


class Identity:
    """Keys, guardians, organisations and devices of one network."""

    def __init__(self, net: Network) -> None:
        if not net.genesis.spec.identity:
            raise UsageError("this chain has no identity contract: begin one with the setting identity=True")
        self._net = net

    def by(self, wallet: Wallet) -> DeployedContract[Wallet, Receipt]:
        """Return the contract, called by somebody: founding, roles, suspensions and every view are its methods."""
        return self._net.contract(IDENTITY, wallet)

    def _do(self, wallet: Wallet, action: str, **args: Any) -> Receipt:
        return self._net.send(wallet, [Call(IDENTITY, action, args)])

    def _view(self, name: str, **args: Any) -> Any:
        return self._net.view(IDENTITY, name, args)

    # --- keys

    def successor(self, wallet: Wallet) -> Wallet:
        """Draw the next key of an account: a wallet that can sign once the account has this key."""
        number = self._view("record", did=wallet.did)["version"] + 1
        return Wallet(wallet.name, later_key(self._net.world.root, wallet.name, number), wallet.account)

    def rotate(self, wallet: Wallet, successor: Wallet | None = None) -> Wallet:
        """Let an account sign with another key from now on; returns the wallet that has it."""
        holder = successor or self.successor(wallet)
        self._do(wallet, "rotate", key=holder.key.did)
        return self._learn(holder)

    def _learn(self, holder: Wallet) -> Wallet:
        self._net.client.learn(holder)
        return holder

    def present(self, wallet: Wallet) -> Wallet:
        """Return a wallet with the present key of its account, where that was drawn here (see `successor`)."""
        record = self._view("record", did=wallet.did)
        for number in range(record["version"], 0, -1):
            key = later_key(self._net.world.root, wallet.name, number)
            if key.did == record["key"]:
                return self._learn(Wallet(wallet.name, key, wallet.account))
        if record["key"] == wallet.key.did:
            return wallet
        raise UsageError(f"the present key of {wallet.did} was not drawn on this network: load it from its key file")

    def deactivate(self, wallet: Wallet) -> Receipt:
        """Close an account for ever."""
        return self._do(wallet, "deactivate")

    # --- guardians

    def guard(
        self, wallet: Wallet, guardians: Sequence[Person], threshold: int, *, wait_ms: int = 2 * DAY_MS
    ) -> dict[str, Slip]:
        """Name guardians, of whom `threshold` can give this account another key; returns each one's slip, by did.

        On the chain they are salted digests. Give each guardian its slip and keep none: without slips nobody helps.
        """
        dids = [did_in(guardian) for guardian in guardians]
        if len(set(dids)) < len(dids):
            raise UsageError("guardians: one is named twice, and would count once: name each once")
        if wallet.did in dids:
            raise UsageError("guardians: nobody is the guardian of the own account: name others")
        nonce = self._net.account(wallet).nonce
        secret = Secret(digest("guardians", wallet.key.seed + nonce.to_bytes(8)))  # the same in both worlds
        slips = {did: Slip(wallet.did, did, Secret(digest("guardian", secret + did.encode()))) for did in dids}
        digests = sorted(commitment(slip.salt, did.encode()) for did, slip in slips.items())  # in no telling order
        self._do(wallet, "guard", guardians=digests, threshold=threshold, wait_ms=wait_ms)
        return slips

    def support(self, guardian: Wallet, slip: Slip, candidate: Wallet) -> Receipt:
        """As a guardian, ask that the account of a slip gets the key of this wallet."""
        if slip.guardian != guardian.did or slip.account != candidate.did:
            raise UsageError(f"slip: it is for {slip.guardian} to help {slip.account}, not for this")
        return self._do(guardian, "support", did=slip.account, key=candidate.key.did, salt=bytes(slip.salt))

    def recover(self, helper: Wallet, candidate: Wallet) -> Wallet:
        """Give an account the key that its guardians have asked for, once the wait is over; anybody may."""
        self._do(helper, "recover", did=candidate.did, key=candidate.key.did)
        return self._learn(candidate)

    # --- devices

    def enrol(
        self, organisation: Wallet, device: Wallet, model: str, serial: str, accreditor: Person | None = None
    ) -> bytes:
        """Enrol a device that signs itself; returns the salt that shows its serial number to whoever is told both.

        `accreditor` is the organisation that accredits the laboratories which may calibrate it: its own, if none is
        named.
        """
        salt = Secret(digest("serial salt", organisation.key.seed + device.account + serial.encode()))
        approved = organisation.did if accreditor is None else did_in(accreditor)
        args = {"device": device.did, "model": model, "serial": commitment(salt, serial.encode())}
        self._do(organisation, "enrol", **args, accreditor=approved)
        self._do(device, "join", organisation=organisation.did)
        return salt

    def certify(self, laboratory: Wallet, device: Person, certificate: bytes, valid_from: int, valid_until: int) -> int:
        """Put the digest of a calibration certificate on the chain; returns its number."""
        args = {"digest": digest("calibration", certificate), "valid_from": valid_from, "valid_until": valid_until}
        number: int = self._do(laboratory, "certify", device=did_in(device), **args).result
        return number

    def device_state(self, device: Person, at: int = 0) -> dict[str, Any]:
        """Answer whether a device counts at a time (0: now), and why."""
        state: dict[str, Any] = self._view("device_state", did=did_in(device), at=at)
        return state

    def has_role(self, organisation: Person, who: Person, role: str, at: int = 0) -> bool:
        """Tell whether somebody has a role in an organisation at a time (0: now)."""
        args = {"organisation": did_in(organisation), "did": did_in(who), "role": role, "at": at}
        return bool(self._view("has_role", **args))

    # --- documents

    def resolve(self, who: Person, height: int | None = None) -> Resolution:
        """Return the DID document of an account, as it is or as it was after the block of a height, with its proofs."""
        did = did_in(who)
        for _ in range(TRIES):
            at = self._net.height() if height is None else height
            version = self._view("version_at", did=did, height=at)
            keys = [documents.record_key(did, version + step) for step in (0, 1)]
            answers = [self._net.state(key) for key in keys]
            found = _resolution(did, tuple(zip(keys, answers, strict=True)))
            is_over = height is not None and found.until > height
            if found.record.since <= at and (answers[1].value is None or is_over):
                return found
        raise TimedOut(f"the record of {did} changed {TRIES} times while it was read: ask again")


def _resolution(did: str, proofs: tuple[tuple[bytes, StateAnswer], ...]) -> Resolution:
    """Make the document of proved values; where there is no record, nobody has spoken of this did."""
    found, later = (answer.value for _, answer in proofs)
    record = documents.first_record(did) if found is None else documents.read_record(found)
    following = None if later is None else documents.read_record(later)
    told = documents.metadata(record, following)
    return Resolution(did, documents.document(did, record), told, record, following.since if following else 0, proofs)
