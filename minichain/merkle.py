"""Two trees of hashes. A proof states its length before anything is hashed, and is refused if that length is wrong.

The list tree is RFC 9162 section 2.1 unchanged: it commits to the transactions and to the receipts of a block.

The state tree commits to every key and value of the ledger. It is a 16-way trie over SHA-256(key): a leaf sits at
the shallowest place where its path is alone, so the same content always gives the same tree, whatever the order
of the changes. It is persistent: `update` returns a new tree and shares what did not change, which is why a
proposed block can be executed and thrown away for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from hashlib import sha256
from operator import attrgetter
from typing import Any, Final

from msgspec import Struct, defstruct

from minichain.codec import Record

HASH_SIZE: Final = 32
MAX_LIST_PROOF: Final = 64  # levels of a list tree: more leaves than 2**64 do not exist
MAX_STATE_DEPTH: Final = 64  # nibbles of a SHA-256 path

# --- the list tree (RFC 9162) ------------------------------------------------------------------------------------


def leaf_hash(entry: bytes) -> bytes:
    """Hash one list entry (RFC 9162 section 2.1.1)."""
    return sha256(b"\0" + entry).digest()


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def _levels(entries: Sequence[bytes]) -> list[list[bytes]]:
    """Hash a list bottom-up; an odd node at the end of a level moves up unchanged, which is RFC 9162's split."""
    levels = [[sha256(b"\0" + entry).digest() for entry in entries]]  # `leaf_hash`, quicker
    while len(levels[-1]) > 1:
        row = levels[-1]
        above = [sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]  # `_parent`
        levels.append(above + row[len(row) - len(row) % 2 :])
    return levels


def root(entries: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash of a list (RFC 9162 section 2.1.1)."""
    return _levels(entries)[-1][0] if entries else sha256(b"").digest()


def inclusion_proof(index: int, entries: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the audit path of entry `index` (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < len(entries):
        raise IndexError(f"no entry {index} in a list of {len(entries)}")
    path = []
    for row in _levels(entries)[:-1]:
        sibling = index ^ 1
        if sibling < len(row):
            path.append(row[sibling])
        index >>= 1
    return tuple(path)


def _path_length(index: int, size: int) -> int:
    """Count the hashes on the audit path of `index` in a list of `size`."""
    inner = (index ^ (size - 1)).bit_length()
    return inner + (index >> inner).bit_count()


def verify_inclusion(entry: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Check an audit path (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size or size.bit_length() > MAX_LIST_PROOF:
        return False
    if len(proof) != _path_length(index, size) or any(len(node) != HASH_SIZE for node in proof):
        return False
    position, last, result = index, size - 1, leaf_hash(entry)
    for node in proof:
        if position & 1 or position == last:
            result = _parent(node, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = _parent(result, node)
        position, last = position >> 1, last >> 1
    return result == expected


def consistency_proof(old_size: int, entries: Sequence[bytes]) -> tuple[bytes, ...]:
    """Prove that the first `old_size` entries are a prefix of `entries` (RFC 9162 section 2.1.4.1)."""
    if not 0 < old_size <= len(entries):
        raise IndexError(f"no list of {old_size} inside a list of {len(entries)}")
    return tuple(_subproof(old_size, entries, complete=True))


def _subproof(old_size: int, entries: Sequence[bytes], complete: bool) -> list[bytes]:
    if old_size == len(entries):
        return [] if complete else [root(entries)]
    split = 1 << (len(entries) - 1).bit_length() - 1
    if old_size <= split:
        return [*_subproof(old_size, entries[:split], complete), root(entries[split:])]
    return [*_subproof(old_size - split, entries[split:], False), root(entries[:split])]


def _consistency_length(old_size: int, size: int) -> int:
    """Count the hashes of a consistency proof: the audit path of the old tree's last complete subtree."""
    if old_size == size:
        return 0
    shift = (old_size & -old_size).bit_length() - 1
    own = 0 if old_size == 1 << shift else 1
    return own + _path_length((old_size - 1) >> shift, ((size - 1) >> shift) + 1)


def verify_consistency(old_size: int, size: int, old_root: bytes, expected: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162 section 2.1.4.2)."""
    if not 0 < old_size <= size or size.bit_length() > MAX_LIST_PROOF:
        return False
    if len(proof) != _consistency_length(old_size, size) or any(len(node) != HASH_SIZE for node in proof):
        return False
    if old_size == size:
        return old_root == expected
    nodes = [*proof] if old_size & (old_size - 1) else [old_root, *proof]
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = nodes[0]
    for node in nodes[1:]:
        if position & 1 or position == last:
            old, new = _parent(node, old), _parent(node, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = _parent(new, node)
        position, last = position >> 1, last >> 1
    return old == old_root and new == expected


# --- the state tree ----------------------------------------------------------------------------------------------

# A node is None for nothing, a leaf, or a branch: one child for each of 16 slots, the 16-bit map of those that are not
# empty, and the bytes it is the hash of. A change writes into a copy of these bytes and looks at no other child: the
# children of a large tree lie all over the memory. For the same reason the garbage collector is kept out; there is
# nothing for it to find, because a child cannot know its parent.
_EMPTY_ROOT: Final = bytes(HASH_SIZE)
_SLOTS: Final = [f"child_{slot}" for slot in range(16)]
_child: Final = [attrgetter(slot) for slot in _SLOTS]
_children: Final = attrgetter(*_SLOTS)


class _Leaf(Struct, gc=False):
    hash: bytes
    path: bytes
    value_hash: bytes


_Branch: Final[Any] = defstruct("_Branch", ["hash", "present", "content", *_SLOTS], gc=False)
_Node = Any  # _Leaf | _Branch | None


def state_path(key: bytes) -> bytes:
    """Return the place of a key in the state tree."""
    return sha256(b"\2" + key).digest()


def _value_hash(value: bytes) -> bytes:
    return sha256(b"\3" + value).digest()


def _leaf(path: bytes, value_hash: bytes) -> _Leaf:
    return _Leaf(sha256(b"\4" + path + value_hash).digest(), path, value_hash)


def _branch_content(present: int, hashes: Iterable[bytes]) -> bytes:
    return b"".join((b"\5", present.to_bytes(2), *hashes))


def _nibble(path: bytes, depth: int) -> int:
    byte = path[depth >> 1]
    return byte & 15 if depth & 1 else byte >> 4


class StateProof(Record):
    """A path through the state tree, from the root down.

    `levels` holds, for each branch passed, a 16-bit map of its occupied slots and the hashes found there, without
    the slot the path itself takes. `other` is the leaf that stands where the key would be, if it is another key's.
    """

    levels: tuple[tuple[int, tuple[bytes, ...]], ...]
    other: tuple[bytes, bytes] | None = None


class StateTree:
    """An immutable commitment to a mapping of keys to values."""

    __slots__ = ("_node",)

    def __init__(self, _node: _Node = None) -> None:
        self._node = _node

    @property
    def root(self) -> bytes:
        """Return the 32-byte commitment; 32 zero bytes for the empty mapping."""
        return self._node.hash if self._node else _EMPTY_ROOT

    def update(self, changes: Mapping[bytes, bytes | None]) -> StateTree:
        """Return the tree after writing every key of `changes` at once; `None` removes a key."""
        leaves = []
        for key, value in changes.items():
            path = state_path(key)
            leaves.append((path, None if value is None else _leaf(path, _value_hash(value))))
        return StateTree(_put(self._node, leaves, 0))

    def prove(self, key: bytes) -> StateProof:
        """Prove the value of a key, or that it has none."""
        path, node = state_path(key), self._node
        levels: list[tuple[int, tuple[bytes, ...]]] = []
        while type(node) is _Branch:
            taken = _nibble(path, len(levels))
            siblings = tuple(child.hash for i, child in enumerate(_children(node)) if child and i != taken)
            levels.append((node.present & ~(1 << taken), siblings))
            node = _child[taken](node)
        other = (node.path, node.value_hash) if node and node.path != path else None
        return StateProof(tuple(levels), other)


def _put(node: _Node, changes: list[tuple[bytes, _Leaf | None]], depth: int) -> _Node:
    """Return a subtree after changes of its leaves, each (path, new leaf or None)."""
    if len(changes) == 1:
        return _put_one(node, *changes[0], depth)
    children: list[_Node] = [None] * 16
    if type(node) is _Branch:
        children = list(_children(node))
    elif node and all(path != node.path for path, _ in changes):
        changes = [(node.path, node), *changes]
    groups: dict[int, list[tuple[bytes, _Leaf | None]]] = {}
    for change in changes:
        groups.setdefault(_nibble(change[0], depth), []).append(change)
    for nibble, group in groups.items():
        children[nibble] = _put(children[nibble], group, depth + 1)
    return _branch(children)


def _put_one(node: _Node, path: bytes, leaf: _Leaf | None, depth: int) -> _Node:
    """Return a subtree after one change of its leaves: most of the work of a block is done here."""
    if type(node) is not _Branch:
        return leaf if not node or node.path == path else _put(None, [(node.path, node), (path, leaf)], depth)
    nibble = _nibble(path, depth)
    before = _child[nibble](node)
    child = _put_one(before, path, leaf, depth + 1)
    if child is before:
        return node
    changed = copy(node)
    setattr(changed, _SLOTS[nibble], child)
    if type(child) is not type(before):  # a leaf came, went, or changed place with a branch
        return _branch(_children(changed))
    at = 3 + HASH_SIZE * (node.present & (1 << nibble) - 1).bit_count()
    changed.content = b"".join((node.content[:at], child.hash, node.content[at + HASH_SIZE :]))
    changed.hash = sha256(changed.content).digest()
    return changed


def _branch(children: Sequence[_Node]) -> _Node:
    """Make a branch, or lift the only leaf left in it, so that the shape depends on the content alone."""
    slots = [slot for slot, child in enumerate(children) if child]
    if not slots or (len(slots) == 1 and type(children[slots[0]]) is _Leaf):
        return children[slots[0]] if slots else None
    present = sum([1 << slot for slot in slots])
    content = _branch_content(present, [children[slot].hash for slot in slots])
    return _Branch(sha256(content).digest(), present, content, *children)


def verify_state(key: bytes, value: bytes | None, proof: StateProof, expected: bytes) -> bool:
    """Check that under the root `expected`, `key` has `value`; or, for `None`, that it has no value."""
    path, depth = state_path(key), len(proof.levels)
    if depth > MAX_STATE_DEPTH or (value is not None and proof.other is not None):
        return False
    for level, (present, hashes) in enumerate(proof.levels):
        if not 0 <= present < 1 << 16 or len(hashes) != present.bit_count() or present >> _nibble(path, level) & 1:
            return False
        if any(len(sibling) != HASH_SIZE for sibling in hashes):
            return False
    result = _end_of_path(path, value, proof.other, depth)
    if result is None:
        return False
    for level in range(depth - 1, -1, -1):
        present, siblings = proof.levels[level]
        nibble, row = _nibble(path, level), list(siblings)
        if result:
            row.insert((present & (1 << nibble) - 1).bit_count(), result)
            present |= 1 << nibble
        result = sha256(_branch_content(present, row)).digest()
    return (result or _EMPTY_ROOT) == expected


def _end_of_path(path: bytes, value: bytes | None, other: tuple[bytes, bytes] | None, depth: int) -> bytes | None:
    """Return the hash that must stand at the end of the path, empty for nothing; None if the claim is absurd."""
    end: bytes
    if value is not None:
        end = _leaf(path, _value_hash(value)).hash
    elif other is None:
        end = b""
    else:
        other_path, value_hash = other
        if len(other_path) != HASH_SIZE or len(value_hash) != HASH_SIZE or other_path == path:
            return None
        if any(_nibble(other_path, level) != _nibble(path, level) for level in range(depth)):
            return None
        end = _leaf(other_path, value_hash).hash
    return end
