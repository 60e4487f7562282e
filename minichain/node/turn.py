"""The one way to run a node: `with store.turn()`, handle, and only then let its effects out.

That single rule is the write-ahead log, the crash recovery, and "never contradict what you signed after a restart".
A turn may handle many events at once; they share one commit.
"""

from __future__ import annotations

from collections.abc import Sequence

from minichain.node.core import Node
from minichain.node.execution import Does
from minichain.node.interface import Effect, Event, Execute, Executed
from minichain.store import Store


def take_turn(node: Node, store: Store, executor: Does, events: Sequence[Event], now_ms: int) -> list[Effect]:
    """Handle events and everything the executor answers on the way; return the effects to perform, in order.

    What the executor is asked is done between two turns, while nothing else happens to the node.
    """
    effects: list[Effect] = []
    while events:
        caused: list[Effect] = []
        with store.turn():
            for event in events:
                caused += node.handle(event, now_ms)
        events = []
        for effect in caused:
            if isinstance(effect, Execute):
                events.append(Executed(executor.run(effect.task)))
            else:
                effects.append(effect)
    return effects
