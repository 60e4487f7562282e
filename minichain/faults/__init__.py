"""Faults of a network, the same in both worlds: what may happen, in which words, and what it does to a message."""
