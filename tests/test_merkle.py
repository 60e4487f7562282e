"""The list tree against RFC 9162 and its published vectors; the state tree against its own definition."""

from __future__ import annotations

from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minichain import merkle
from minichain.codec import decode, encode
from minichain.errors import DecodeError
from minichain.merkle import (
    StateProof,
    StateTree,
    consistency_proof,
    inclusion_proof,
    root,
    verify_consistency,
    verify_inclusion,
    verify_state,
)

# The eight entries and tree heads that Certificate Transparency's reference implementation publishes.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
HEADS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
CONSISTENCY = {
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}

# --- the list tree -------------------------------------------------------------------------------------------------


def rfc_root(entries: list[bytes]) -> bytes:
    """MTH of RFC 9162 section 2.1.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    k = max(2**i for i in range(32) if 2**i < len(entries))
    return sha256(b"\1" + rfc_root(entries[:k]) + rfc_root(entries[k:])).digest()


def hexes(proof: tuple[bytes, ...]) -> list[str]:
    return [node.hex() for node in proof]


def test_tree_heads_are_the_published_ones() -> None:
    for size, head in enumerate(HEADS):
        assert root(ENTRIES[:size]).hex() == head


def test_proofs_are_the_published_ones() -> None:
    for (index, size), path in INCLUSION.items():
        assert hexes(inclusion_proof(index, ENTRIES[:size])) == path
    for (old, size), path in CONSISTENCY.items():
        assert hexes(consistency_proof(old, ENTRIES[:size])) == path


@given(st.lists(st.binary(max_size=4), max_size=70))
@settings(max_examples=40, deadline=None)
def test_the_root_is_that_of_the_rfcs_own_definition(entries: list[bytes]) -> None:
    assert root(entries) == rfc_root(entries)


def test_every_inclusion_proof_verifies() -> None:
    for size in range(1, 40):
        entries = [bytes([i]) for i in range(size)]
        head = root(entries)
        for index in range(size):
            assert verify_inclusion(entries[index], index, size, inclusion_proof(index, entries), head)


def test_every_consistency_proof_verifies() -> None:
    for size in range(1, 40):
        entries = [bytes([i]) for i in range(size)]
        for old in range(1, size + 1):
            proof = consistency_proof(old, entries)
            assert verify_consistency(old, size, root(entries[:old]), root(entries), proof)


def mutations(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """Every way to spoil a proof in one place."""
    spoiled = [(*proof, bytes(32)), (bytes(32), *proof), *[proof[:i] + proof[i + 1 :] for i in range(len(proof))]]
    for i, node in enumerate(proof):
        for other in (bytes([node[0] ^ 1]) + node[1:], node[:-1], node + b"\0", b"", node[::-1]):
            spoiled.append((*proof[:i], other, *proof[i + 1 :]))
        for j in range(i):
            swapped = list(proof)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            spoiled.append(tuple(swapped))
    return spoiled


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_spoiled_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    entries = [b"entry %d" % i for i in range(size)]
    index, head = data.draw(st.integers(0, size - 1)), root(entries)
    proof = inclusion_proof(index, entries)
    for spoiled in mutations(proof):
        assert not verify_inclusion(entries[index], index, size, spoiled, head)
    for other in {*range(-2, size + 2)} - {index}:
        assert not verify_inclusion(entries[index], other, size, proof, head)
    assert not verify_inclusion(b"another", index, size, proof, head)
    assert not verify_inclusion(entries[index], index, size, proof, bytes(32))
    for absurd in (0, -1, 2**64, 2**400):
        assert not verify_inclusion(entries[index], index, absurd, proof, head)


@given(st.integers(2, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_spoiled_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    entries = [b"entry %d" % i for i in range(size)]
    old = data.draw(st.integers(1, size - 1))
    before, after, proof = root(entries[:old]), root(entries), consistency_proof(old, entries)
    for spoiled in mutations(proof):
        assert not verify_consistency(old, size, before, after, spoiled)
    assert not verify_consistency(old, size, after, before, proof)
    assert not verify_consistency(old, size, bytes(32), after, proof)
    assert not verify_consistency(old, size, before, bytes(32), proof)
    for absurd in (0, -1, size + 1):
        assert not verify_consistency(absurd, size, before, after, proof)


def test_a_root_does_not_fix_the_size_so_size_and_index_must_be_trusted() -> None:
    """Known of RFC 9162: with a false size, a true path may claim another index. A receipt states its own index."""
    entries = [b"a", b"b", b"c"]
    proof = inclusion_proof(2, entries)
    assert verify_inclusion(b"c", 2, 3, proof, root(entries))
    assert verify_inclusion(b"c", 1, 2, proof, root(entries))


def test_a_leaf_cannot_be_passed_off_as_an_inner_node() -> None:
    entries = [b"a", b"b", b"c", b"d"]
    left = sha256(b"\0a").digest() + sha256(b"\0b").digest()
    right = merkle.root([b"c", b"d"])
    assert not verify_inclusion(left, 0, 2, (right,), root(entries))


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is hashed."""
    counted: list[int] = []

    def counting(data: bytes) -> object:
        counted.append(len(data))
        return sha256(data)

    monkeypatch.setattr(merkle, "sha256", counting)
    return counted


def test_a_proof_of_a_wrong_length_is_refused_before_anything_is_hashed(hashing: list[int]) -> None:
    huge = (bytes(32),) * 100_000
    assert not verify_inclusion(b"x", 0, 8, huge, bytes(32))
    assert not verify_inclusion(b"x", 0, 2**64 + 1, huge, bytes(32))
    assert not verify_inclusion(b"x", 0, 8, (bytes(32), bytes(32), bytes(31)), bytes(32))
    assert not verify_consistency(3, 8, bytes(32), bytes(32), huge)
    assert hashing == []


def test_a_state_proof_of_a_wrong_form_costs_one_hash_at_most(hashing: list[int]) -> None:
    # One hash is that of the key, without which nothing can be judged.
    for levels in (((0, ()),) * 65, ((1, ()),), ((0, (bytes(32),)),), ((2**16, (bytes(32),)),), ((-1, ()),)):
        hashing.clear()
        assert not verify_state(b"k", b"v", StateProof(levels), bytes(32))
        assert len(hashing) <= 1
    hashing.clear()
    assert not verify_state(b"k", b"v", StateProof((), (bytes(32), bytes(32))), bytes(32))
    assert len(hashing) <= 1


def test_asking_for_what_is_not_there_is_our_bug() -> None:
    for index in (-1, 3):
        with pytest.raises(IndexError):
            inclusion_proof(index, [b"a", b"b", b"c"])
    for size in (0, 4):
        with pytest.raises(IndexError):
            consistency_proof(size, [b"a", b"b", b"c"])


# --- the state tree ------------------------------------------------------------------------------------------------

mappings = st.dictionaries(st.binary(max_size=3), st.binary(max_size=3), max_size=60)
changes = st.dictionaries(st.binary(max_size=3), st.none() | st.binary(max_size=3), max_size=60)


def plain_root(items: dict[bytes, bytes]) -> bytes:
    """The definition of the state root, without trees: a leaf sits where its path is alone."""
    leaves = {sha256(b"\2" + key).digest(): sha256(b"\3" + value).digest() for key, value in items.items()}

    def subtree(paths: list[bytes], depth: int) -> bytes:
        if not paths:
            return b""
        if len(paths) == 1:
            return sha256(b"\4" + paths[0] + leaves[paths[0]]).digest()
        slots = [subtree([p for p in paths if int(p.hex()[depth], 16) == slot], depth + 1) for slot in range(16)]
        present = sum(1 << slot for slot in range(16) if slots[slot])
        return sha256(b"\5" + present.to_bytes(2) + b"".join(slots)).digest()

    return subtree(sorted(leaves), 0) or bytes(32)


def after(items: dict[bytes, bytes], change: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    return {key: value for key, value in {**items, **change}.items() if value is not None}


@given(mappings, changes)
@settings(max_examples=80, deadline=None)
def test_an_update_gives_the_tree_that_a_rebuild_gives(items: dict[bytes, bytes], change: dict[bytes, bytes]) -> None:
    tree = StateTree().update(items)
    assert tree.root == plain_root(items)
    assert tree.update(change).root == plain_root(after(items, change))
    assert tree.root == plain_root(items), "the old tree has changed"


@given(mappings, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_neither_the_order_nor_the_batches_of_changes_matter(items: dict[bytes, bytes], random: object) -> None:
    shuffled = list(items.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    tree = StateTree()
    for key, value in shuffled:
        tree = tree.update({key: value})
    assert tree.root == StateTree().update(items).root


@given(mappings, mappings)
@settings(max_examples=40, deadline=None)
def test_removing_what_was_added_returns_to_the_former_root(
    items: dict[bytes, bytes], added: dict[bytes, bytes]
) -> None:
    tree, new = StateTree().update(items), added.keys() - items.keys()
    grown = tree.update({key: added[key] for key in new})
    assert grown.update(dict.fromkeys(new)).root == tree.root
    one_by_one = grown
    for key in sorted(new):
        one_by_one = one_by_one.update({key: None})
    assert one_by_one.root == tree.root


@given(mappings, st.binary(max_size=3))
@settings(max_examples=80, deadline=None)
def test_every_key_is_proved_present_or_absent_and_nothing_else(items: dict[bytes, bytes], key: bytes) -> None:
    tree, value = StateTree().update(items), items.get(key)
    proof = tree.prove(key)
    assert decode(encode(proof), StateProof) == proof
    assert verify_state(key, value, proof, tree.root)
    assert not verify_state(key, b"false", proof, tree.root)
    assert value is None or not verify_state(key, None, proof, tree.root)
    assert not verify_state(key, value, proof, bytes(31) + b"\1")


def test_two_keys_that_share_much_of_their_paths_leave_no_empty_branches_behind() -> None:
    """Removing one of them lifts the other through every branch that held nothing else."""
    paths = sorted((merkle.state_path(b"%d" % i), b"%d" % i) for i in range(3_000))
    alike = max(pairwise(paths), key=lambda pair: shared(pair[0][0], pair[1][0]))
    (first, one), (second, other) = alike
    assert shared(first, second) >= 4
    alone, both = StateTree().update({one: b"1"}), StateTree().update({one: b"1", other: b"2"})
    assert len(both.prove(one).levels) == shared(first, second) + 1
    assert both.update({other: None}).root == alone.root
    assert both.update({other: None, b"never there": None}).root == alone.root
    assert both.update({b"never there": None}).root == both.root
    assert alone.update({one: None}).root == bytes(32)


def shared(first: bytes, second: bytes) -> int:
    """Count the nibbles at the beginning of two paths that are the same."""
    return next(i for i, (a, b) in enumerate(zip(first.hex(), second.hex(), strict=True)) if a != b)


def test_an_old_tree_still_proves() -> None:
    old = StateTree().update({b"%d" % i: b"old" for i in range(500)})
    new = old.update({b"%d" % i: b"new" for i in range(0, 500, 3)})
    for tree, value in ((old, b"old"), (new, b"new")):
        assert verify_state(b"3", value, tree.prove(b"3"), tree.root)
    assert not verify_state(b"3", b"new", new.prove(b"3"), old.root)


def spoiled_state_proofs(proof: StateProof) -> list[StateProof]:
    """Every way to spoil a state proof in one place."""
    found = [StateProof((*proof.levels, (0, ())), proof.other), StateProof(((0, ()), *proof.levels), proof.other)]
    for i, (present, hashes) in enumerate(proof.levels):
        found.append(StateProof(proof.levels[:i] + proof.levels[i + 1 :], proof.other))
        levels = [(present ^ 1 << bit, hashes) for bit in range(17)] + [
            (present, spoiled) for spoiled in mutations(hashes)
        ]
        levels += [(present << 1, hashes), (present >> 1, hashes), (present, hashes[::-1])]
        found += [
            StateProof((*proof.levels[:i], level, *proof.levels[i + 1 :]), proof.other)
            for level in levels
            if level != (present, hashes)
        ]
    path, value_hash = proof.other or (bytes(32), bytes(32))
    others = [(path, bytes(32)), (path[::-1], value_hash), (path[:-1], value_hash), (path, value_hash + b"\0")]
    return found + [StateProof(proof.levels, other) for other in [*others, None] if other != proof.other]


def test_a_spoiled_state_proof_is_refused() -> None:
    tree = StateTree().update({b"key %d" % i: b"value %d" % i for i in range(40)})
    kinds = set()
    for i in range(36, 60):
        key, value = b"key %d" % i, b"value %d" % i if i < 40 else None
        proof = tree.prove(key)
        kinds.add((value is None, proof.other is None))
        assert verify_state(key, value, proof, tree.root)
        for spoiled in spoiled_state_proofs(proof):
            assert not verify_state(key, value, spoiled, tree.root), (key, spoiled)
    assert kinds == {(False, True), (True, True), (True, False)}, "each kind of proof occurs"


def test_a_leaf_of_another_key_elsewhere_proves_no_absence() -> None:
    tree = StateTree().update({b"present": b"1"})
    assert not verify_state(b"present", None, StateProof((), (sha256(b"").digest(), bytes(32))), tree.root)
    own = (merkle.state_path(b"present"), sha256(b"\0031").digest())
    assert not verify_state(b"present", None, StateProof((), own), tree.root)
    assert verify_state(b"absent", None, StateProof((), own), tree.root)


def test_a_state_proof_from_outside_is_decoded_strictly() -> None:
    for data in (b"\x92\x90\xc0\0", b"\x91\x90\xc0", encode([[[True, []]], None]), encode([[], [b"x"]])):
        with pytest.raises(DecodeError):
            decode(data, StateProof)
