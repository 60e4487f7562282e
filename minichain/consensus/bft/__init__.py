"""Tendermint (arXiv:1807.04938): `rounds` has the rules, `votes` the counting, `engine` the messages in and out."""

from minichain.consensus.bft.engine import Bft
from minichain.consensus.bft.messages import Equivocation, Message, Proposal, Vote

__all__ = ["Bft", "Equivocation", "Message", "Proposal", "Vote"]
