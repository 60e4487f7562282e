"""What a verifier reads from a chain: the clock, who is accredited, and whether something was revoked.

What decides is read with its state proof, and the block it stands in is proved final (on a chain of work: to have its
place in the chain), so no single node can lie about it. A node may still show an old block: a status says which one.
"""

from __future__ import annotations

from itertools import count
from typing import Any, Final

from msgspec import convert

from minichain.client.network import Network
from minichain.codec import decode_own
from minichain.contracts.storage import state_key
from minichain.crypto import KeyPair, public_of
from minichain.errors import CredentialError, ProofError
from minichain.identity import documents
from minichain.identity.credentials import ReadStatus, Trust, Verifier, issue, unsigned
from minichain.identity.integrity import KeyAt, did_key_at, write_time
from minichain.identity.jcs import Json
from minichain.identity.status import (
    CHUNK_BITS,
    SIZE,
    Entry,
    chain_list,
    is_set,
    judge,
    list_subject,
    read_chain_list,
)

STATUS: Final = "status"  # the usual names of the system contracts
ACCREDITATION: Final = "accreditation"
PAGE: Final = 64  # parts of a list that the contract gives at a time
LIST_MS: Final = 86_400_000  # for which an exported list is good


def verifier(net: Network, trust: Trust | None = None, key_at: KeyAt | None = None) -> Verifier:
    """Return a verifier that goes by a chain: its last block's time, its accredited issuers, its status lists."""
    head = net.head()
    if head is None:
        raise CredentialError("time", "this chain has no block yet, so it has no time")
    words = f"the clock of block {head.height}"
    return Verifier(head.time_ms, words, trust or accredited(net), chain_status(net), key_at or keys(net))


def keys(net: Network) -> KeyAt:
    """Tell which key a did had at a time: on a chain where keys do not change, the did's own."""
    return chain_key_at(net) if net.genesis.spec.identity else did_key_at


def accredited(net: Network, contract: str = ACCREDITATION) -> Trust:
    """Trust whom the authority of a chain has accredited."""

    def trust(issuer: str, kind: str, now_ms: int) -> str:
        found, _ = proven(net, state_key(contract, "issuers", (issuer, kind)))
        if found is None:
            raise CredentialError("issuer", f"{issuer} was never accredited for {kind} on this chain")
        if found["withdrawn"] or now_ms >= found["until"]:
            word = "withdrawn" if found["withdrawn"] else "over"
            raise CredentialError("issuer", f"the accreditation of {issuer} for {kind} is {word}")
        return f"{issuer} is accredited for {kind} on this chain"

    return trust


def chain_status(net: Network) -> ReadStatus:
    """Read statuses from the lists of a chain, each with its proof."""

    def read(entry: Entry) -> str:
        genesis, contract, number = read_chain_list(entry.list)
        if genesis != net.genesis.hash:
            raise CredentialError("status", "its status list is on another chain than this verifier reads")
        opened, _ = proven(net, state_key(contract, "lists", number))
        if opened is None or opened["purpose"] != entry.purpose or entry.index >= SIZE:
            raise CredentialError("status", f"the chain has no place {entry.index} of such a list for {entry.purpose}")
        part, place = divmod(entry.index, CHUNK_BITS)
        chunk, where = proven(net, state_key(contract, "chunks", (number, part)))
        is_on = chunk is not None and is_set(chunk, place)
        return judge(entry, is_on, f"list {number}, as of {where}")

    return read


def chain_key_at(net: Network) -> KeyAt:
    """Tell which key a did signed with at a time, from the records of the chain's contract `identity`, each proved."""

    def key_at(did: str, time_ms: int) -> bytes:
        record = documents.first_record(did)
        for version in count(1):
            found, _ = proven(net, documents.record_key(did, version))
            if found is None or found["time"] > time_ms:
                break
            record = convert(found, documents.KeyRecord)
        if record.deactivated:
            raise CredentialError("signature", f"{did} was given up before {write_time(time_ms)}")
        return public_of(record.key)

    return key_at


def export_list(net: Network, number: int, key: KeyPair, contract: str = STATUS, valid_ms: int = LIST_MS) -> Json:
    """Sign a list as it is now as a BitstringStatusListCredential, for verifiers who do not read the chain.

    It ends after `valid_ms`: whoever was revoked since would show an older one for ever.
    """
    opened = net.view(contract, "opened", {"number": number})
    head = net.head()
    if head is None or opened["issuer"] != key.did:
        raise CredentialError("issuer", f"list {number} is that of {opened['issuer']}, who alone can sign it")
    pages = range(0, SIZE // CHUNK_BITS, PAGE)
    bits = b"".join(net.view(contract, "bits", {"number": number, "start": start, "limit": PAGE}) for start in pages)
    subject = list_subject(chain_list(net.genesis.hash, contract, number), opened["purpose"], bits)
    until = head.time_ms + valid_ms
    return issue(unsigned("BitstringStatusListCredential", key.did, subject, head.time_ms, until), key, head.time_ms)


def proven(net: Network, key: bytes) -> tuple[Any, str]:
    """Return a stored value (None: there is none) and the block in whose state it is; checked, not merely told."""
    try:
        found = net.proven(key)
    except ProofError as error:
        raise CredentialError("status", f"no node has proved what the chain says: {error}") from None
    words = f"block {found.height}"
    if found.depth:  # a state is that of the last block, however few confirm it
        words += f", which {found.confirmations - 1} more confirm"
    return (None if found.value is None else decode_own(found.value, Any)), words
