"""Residents, an office that issues cards, those who ask for one, and a clinic that reads a record: roles, not people.

`Town.open` puts the contracts on a chain; `town.cards` issues, asks, shows, checks and revokes; `town.data` shares,
reads, orders, takes back and erases. Personal data stay in the storage that is handed in. They are made up.
"""

from __future__ import annotations

import os

from minichain.client.network import Network
from minichain.live.drawer import Drawer
from minichain.live.home import Home
from minichain.scenarios.residents.cards import Card, Cards, Question
from minichain.scenarios.residents.data import Data, Looked, Share
from minichain.scenarios.residents.people import PEOPLE, personal_values
from minichain.scenarios.residents.town import Place, Town

__all__ = ["PEOPLE", "Card", "Cards", "Data", "Looked", "Question", "Share", "Town", "at_home", "personal_values"]


def at_home() -> Town:
    """Return the town on the network that `minichain up` runs, founded or not.

    What is personal lies in that network's own directory, one for each chain.
    """
    net = Network.attach()
    return Town(Place(net, Drawer(Home().path / "vault" / net.genesis.hash.hex()[:16]), os.urandom))
