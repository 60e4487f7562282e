# mypy: disable-error-code="type-arg,no-any-return"
"""Delegated stake: the holders of units elect a few members, who weigh the same.

The `seats` candidates with most votes sit, epoch by epoch. From one epoch to the next at most `turnover` seats change
hands: the best outsiders take the seats of the worst insiders, and with equal votes the insider stays. A vote is a unit
of this contract, given to the first holders when the chain begins; it counts for one candidate at a time.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view
from minichain.contracts.parts import check_founders, check_key, check_name, check_weight

MAX_MEMBERS = 100
MAX_CANDIDATES = 150  # those with fewest votes beyond this many stand aside
MAX_CHOICES = 30  # candidates to whom one holder gives votes
MAX_BLOCKS = 1_000_000  # of an epoch
MAX_UNITS = 1_099_511_627_776  # that exist


# --- epochs: the same text in every contract that has them -------------------------------------------------------


def ranked(entries: list) -> list:
    """Order entries [name, did, weight]: the largest weight first, ties by did."""
    ordered = sorted([[-weight, did, name] for name, did, weight in entries])
    return [[name, did, -weight] for weight, did, name in ordered]


def elected(sitting: list, ranking: list, seats: int, turnover: int) -> list:
    """Return who sits next. `sitting` are members now, `ranking` the candidates with the most votes first."""
    now = {did: True for name, did, weight in sitting}
    insiders = [entry for entry in ranking if entry[1] in now]
    outsiders = [entry for entry in ranking if entry[1] not in now and entry[2] > 0]
    newcomers: list = []
    for entry in outsiders[:turnover]:
        if len(insiders) + len(newcomers) == seats and insiders and insiders[-1][2] < entry[2]:
            insiders.pop()
        if len(insiders) + len(newcomers) < seats:
            newcomers.append(entry)
    return sorted([[name, did, 1] for name, did, votes in insiders + newcomers])


def within_places(ranking: list, sitting: list, newcomer: str) -> list:
    """Leave out the last candidate who has no seat, when there are too many."""
    if len(ranking) <= MAX_CANDIDATES:
        return ranking
    now = {did: True for name, did, weight in sitting}
    last = [entry for entry in ranking if entry[1] not in now][-1]
    require(last[1] != newcomer, f"all {MAX_CANDIDATES} places are taken by candidates with more votes")
    emit("Displaced", name=last[0], did=last[1], votes=last[2])
    return [entry for entry in ranking if entry != last]


class Delegation(Contract):
    """Who the members are where holders elect them: the candidates with most votes, epoch by epoch."""

    seats = Value(int)
    epoch = Value(int)  # blocks
    turnover = Value(int)  # seats that change hands from one epoch to the next
    units = Value(int)  # that exist, for ever
    holders = Map(str, dict)
    votes = Map(str, int)  # given to each candidate, also while it does not stand
    candidate_names = Map(str, str)
    names = Map(str, str)  # and their owners; a name belongs to the key that took it first
    standing = Value(list)  # the candidates as [name, did, votes], the most votes first
    # The committee in force from height `since` on, and the one from height `first` on: the same if none is planned.
    since = Value(int)
    present = Value(list)
    first = Value(int)
    coming = Value(list)

    def setup(self, founders: list, holders: list, seats: int, epoch: int, turnover: int = 1) -> None:
        """Begin with founders [name, did, 1], who sit until others are elected, and holders [did, units]."""
        check_founders(founders)
        require(len(founders) <= seats <= MAX_MEMBERS, f"there is a seat for each founder, at most {MAX_MEMBERS}")
        require(1 <= epoch <= MAX_BLOCKS, f"an epoch has 1 to {MAX_BLOCKS} blocks")
        require(1 <= turnover <= seats, "one seat or more may change hands in an epoch, at most all")
        self.seats = seats
        self.epoch = epoch
        self.turnover = turnover
        for name, did, weight in founders:
            require(weight == 1, f"{name}: elected members weigh the same, so a founder weighs 1")
            self.names[name] = did
            self.candidate_names[did] = name
        for did, amount in holders:
            check_weight(amount)
            self.credit(did, amount)
            self.units += amount
        require(1 <= self.units <= MAX_UNITS, f"there are 1 to {MAX_UNITS} units")
        self.standing = ranked([[name, did, 0] for name, did, weight in founders])
        self.since = self.height
        self.first = self.height
        self.present = sorted(founders)
        self.coming = sorted(founders)

    # --- holders

    @action
    def transfer(self, to: str, amount: int) -> None:
        """Give free units to another holder."""
        self.spend(amount)
        self.credit(to, amount)
        emit("Transferred", sender=self.caller, to=to, amount=amount)

    @action
    def delegate(self, candidate: str, amount: int) -> None:
        """Give free units to a candidate as votes."""
        self.spend(amount)
        self.give(candidate, amount)
        self.count_votes([candidate], candidate)

    @action
    def undelegate(self, candidate: str, amount: int) -> None:
        """Take votes back: the units are free again."""
        self.take(candidate, amount)
        self.credit(self.caller, amount)
        self.count_votes([candidate])

    @action
    def redelegate(self, candidate: str, other: str, amount: int) -> None:
        """Take votes from one candidate and give them to another."""
        self.take(candidate, amount)
        self.give(other, amount)
        self.count_votes([candidate, other], other)

    def spend(self, amount: int) -> None:
        own = self.holder(self.caller)
        free = own["free"]
        require(amount >= 1, "an amount is 1 unit or more")
        require(amount <= free, f"only {free} units are free: use at most these, or take votes back")
        own["free"] -= amount
        self.holders[self.caller] = own

    def credit(self, did: str, amount: int) -> None:
        own = self.holder(did)
        if did not in self.holders:
            check_key(did)
        own["free"] += amount
        self.holders[did] = own

    def give(self, candidate: str, amount: int) -> None:
        own = self.holder(self.caller)
        given = own["given"]
        given[candidate] = given.get(candidate, 0) + amount
        require(len(given) <= MAX_CHOICES, f"votes go to at most {MAX_CHOICES} candidates: take some back")
        self.holders[self.caller] = own
        self.votes[candidate] = self.votes.get(candidate, 0) + amount
        emit("Delegated", holder=self.caller, candidate=candidate, amount=amount)

    def take(self, candidate: str, amount: int) -> None:
        own = self.holder(self.caller)
        given = own["given"].get(candidate, 0)
        require(amount >= 1, "an amount is 1 unit or more")
        require(amount <= given, f"this candidate has {given} units of yours: take back at most these")
        own["given"][candidate] = given - amount
        if given == amount:
            own["given"].pop(candidate)
        self.holders[self.caller] = own
        self.votes[candidate] -= amount
        emit("Undelegated", holder=self.caller, candidate=candidate, amount=amount)

    # --- candidates

    @action
    def register(self, amount: int, name: str = "") -> None:
        """Stand for a seat, with own units as the first votes; the first time, with a name."""
        did, ranking = self.caller, self.standing
        check_key(did)
        require(True not in [did == key for own, key, votes in ranking], "you are a candidate already")
        if did not in self.candidate_names:
            check_name(name)
            require(name not in self.names, f"the name {name} is taken: choose another name")
            self.names[name] = did
            self.candidate_names[did] = name
        own_name = self.candidate_names[did]
        require(name in ("", own_name), "a name is chosen once: leave it out")
        emit("Registered", name=own_name, did=did)
        self.spend(amount)
        self.give(did, amount)
        ranking.append([own_name, did, self.votes[did]])
        self.seat(within_places(ranked(ranking), self.members(), did))

    @action
    def resign(self) -> None:
        """Stand no longer; votes stay where they are until their holders take them back."""
        before, turnover, first = self.standing, self.turnover, self.next_epoch()
        ranking = [entry for entry in before if entry[1] != self.caller]
        require(len(ranking) < len(before), "you are not a candidate")
        still = {did: True for name, did, votes in ranking}
        gone = len([did for name, did, weight in self.members() if did not in still])
        require(gone <= turnover, f"at most {turnover} members leave in one epoch: resign from height {first} on")
        emit("Resigned", did=self.caller)
        require(self.seat(ranking), "the last member cannot resign: wait until another candidate has votes")

    @action
    def elect(self) -> bool:
        """Carry a change of seats on into the next epoch, when `turnover` has held it back; anybody may."""
        return self.plan(self.upcoming())

    def count_votes(self, changed: list, wanted: str = "") -> None:
        """Count the votes of some candidates anew; `wanted` must be one who stands."""
        ranking = self.standing
        stands = {entry[1]: entry for entry in ranking}
        require(wanted in stands or wanted == "", "this key is not a candidate: see candidates")
        for did in changed:
            if did in stands:
                stands[did][2] = self.votes[did]
        self.seat(ranked(ranking))

    def seat(self, ranking: list) -> bool:
        """Keep the ranking of the candidates and plan who sits next; tells whether there is anybody."""
        members = elected(self.members(), ranking, self.seats, self.turnover)
        self.standing = ranking
        self.plan(members)
        return len(members) > 0

    # --- views

    @view
    def upcoming(self) -> list:
        """List who would sit in the next epoch by the votes of now, as [name, did, 1]."""
        return elected(self.members(), self.standing, self.seats, self.turnover)

    @view
    def candidates(self) -> list:
        """List who stands for a seat as [name, did, votes], the most votes first."""
        return self.standing

    @view
    def holder(self, did: str) -> dict:
        """Show the units of a holder: free, and given to candidates."""
        return self.holders.get(did, {"free": 0, "given": {}})

    @view
    def holdings(self, start: int = 0, limit: int = 100) -> list:
        """List the units of each holder as [did, units], to measure concentration."""
        return [[did, own["free"] + sum(own["given"].values())] for did, own in self.holders.items(start, limit)]

    # --- epochs: the same text in every contract that has them

    def next_epoch(self) -> int:
        return (self.height // self.epoch + 1) * self.epoch

    def plan(self, members: list) -> bool:
        """Announce the committee of the next epoch and return True, unless it is planned already or empty."""
        first = self.next_epoch()
        if not members or members == self.committee_at(first):
            return False
        if self.first <= self.height:  # the committee that was planned has begun
            self.since = self.first
            self.present = self.coming
        self.first = first
        self.coming = members
        emit("Committee", first=first, members=members)
        return True

    @view
    def members(self) -> list:
        """List the members as [name, did, weight]."""
        return self.committee_at(self.height)

    @view
    def committee_at(self, height: int) -> list:
        """List those who certify the block of a height, as far as it is known now, as [name, did, weight]."""
        since = self.since
        require(height >= since, f"committees before height {since} are in the ledger's history: ask a node")
        return self.coming if height >= self.first else self.present

    @view
    def planned(self) -> list:
        """List the committees to come as [first height, members]."""
        return [[self.first, self.coming]] if self.first > self.height else []
