"""Raft (Ongaro 2014). `rules` has the decisions, `log` and `member` what must be remembered; `leading` and `following`
are the two ends of replication, `engine` decides who leads.
"""

from minichain.consensus.raft.engine import Raft
from minichain.consensus.raft.log import Base, Entry
from minichain.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    InstallSnapshot,
    Message,
    RequestVote,
    VoteReply,
)

__all__ = [
    "AppendEntries",
    "AppendReply",
    "Base",
    "Entry",
    "InstallSnapshot",
    "Message",
    "Raft",
    "RequestVote",
    "VoteReply",
]
