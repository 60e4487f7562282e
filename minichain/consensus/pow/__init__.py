"""Proof of work (Nakamoto 2008): `tree` has the rules, `messages` the words, `engine` says when to mine and adopt."""

from minichain.consensus.pow.engine import Pow
from minichain.consensus.pow.messages import Ask, Blocks, Forgotten, Message, Sealed, Tip

__all__ = ["Ask", "Blocks", "Forgotten", "Message", "Pow", "Sealed", "Tip"]
