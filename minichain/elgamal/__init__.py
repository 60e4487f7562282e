"""Votes that are added up while they are closed: exponential ElGamal in the group of Ed25519, and proofs about it.

`group` is the arithmetic, `proofs` show that a secret is known, `ballots` are encrypted votes that prove what they are.
Contracts reach these through `contracts.api`; whoever checks an election offline uses the same functions.
"""

from __future__ import annotations
