# mypy: disable-error-code="type-arg,no-any-return"
"""A public chain: whoever puts most at stake is a member, and loses a part of it for proven misbehaviour.

The committee of an epoch is the `seats` largest stakes of at least `least`. Stakes are units of this contract, given
to the founders and the first owners when the chain begins: a contract holds none of the ledger's own units. Units are
free, bonded, or leaving; they are made only by rewards and destroyed only by slashing.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view
from minichain.contracts.parts import check_founders, check_key, check_name, check_weight

MAX_MEMBERS = 100
MAX_CANDIDATES = 150  # the smallest stakes beyond this many stand aside
MAX_LEAVING = 20  # parts of a stake that leave at the same time
MAX_BLOCKS = 1_000_000  # of an epoch, or of unbonding
MAX_UNITS = 1_099_511_627_776  # that ever exist: all of them in one hand are the largest weight a member may have
MAX_WORD = 40


# --- epochs: the same text in every contract that has them -------------------------------------------------------


def ranked(entries: list) -> list:
    """Order entries [name, did, weight]: the largest weight first, ties by did."""
    ordered = sorted([[-weight, did, name] for name, did, weight in entries])
    return [[name, did, -weight] for weight, did, name in ordered]


def owned(account: dict) -> int:
    return account["free"] + account["bonded"] + sum([amount for amount, until in account["leaving"]])


class Stake(Contract):
    """Who the members of a public chain are: the largest stakes, epoch by epoch."""

    seats = Value(int)
    least = Value(int)  # units that a candidate has at stake
    epoch = Value(int)  # blocks
    unbonding = Value(int)  # blocks, counted from the first height at which the units no longer weigh anything
    percent = Value(int)  # of a stake, lost for each proven misbehaviour
    pay = Value(int)  # new units for each block, to the member that the ledger names
    units = Value(int)  # that exist
    accounts = Map(str, dict)
    names = Map(str, str)  # and their owners; a name belongs to the key that took it first
    standing = Value(list)  # the candidates as [name, did, stake], the largest first
    slashes = Map((str, int), str)
    # The committee in force from height `since` on, and the one from height `first` on: the same if none is planned.
    since = Value(int)
    present = Value(list)
    first = Value(int)
    coming = Value(list)

    def setup(
        self,
        founders: list,
        seats: int,
        epoch: int,
        unbonding: int,
        owners: list | None = None,
        least: int = 1,
        percent: int = 5,
        pay: int = 0,
    ) -> None:
        """Begin with founders [name, did, stake] and the owners of free units [did, units]."""
        check_founders(founders)
        require(len(founders) <= seats <= MAX_MEMBERS, f"there is a seat for each founder, at most {MAX_MEMBERS}")
        require(1 <= epoch <= MAX_BLOCKS, f"an epoch has 1 to {MAX_BLOCKS} blocks")
        require(1 <= unbonding <= MAX_BLOCKS, f"unbonding takes 1 to {MAX_BLOCKS} blocks")
        require(least >= 1, "the least stake of a candidate is 1 or more")
        require(1 <= percent <= 100, "slashing takes 1 to 100 percent of a stake")
        require(0 <= pay <= MAX_UNITS, "the pay for a block is 0 or more units")
        self.seats = seats
        self.epoch = epoch
        self.unbonding = unbonding
        self.least = least
        self.percent = percent
        self.pay = pay
        for name, did, stake in founders:
            require(stake >= least, f"{name}: a founder has at least {least} units at stake")
            self.names[name] = did
            self.accounts[did] = {"name": name, "free": 0, "bonded": stake, "leaving": [], "jailed": False}
        self.units = sum([stake for name, did, stake in founders])
        for did, amount in owners or []:
            check_weight(amount)
            self.credit(did, amount)
            self.units += amount
        require(self.units <= MAX_UNITS, f"there are at most {MAX_UNITS} units")
        self.standing = ranked(founders)
        self.since = self.height
        self.first = self.height
        self.present = sorted(founders)
        self.coming = sorted(founders)

    # --- units

    @action
    def transfer(self, to: str, amount: int) -> None:
        """Give free units to another account."""
        self.spend(self.caller, amount)
        self.credit(to, amount)
        emit("Transferred", sender=self.caller, to=to, amount=amount)

    @action
    def bond(self, amount: int, name: str = "") -> None:
        """Put free units at stake; the first time, with the name under which to stand for a seat."""
        own = self.spend(self.caller, amount)
        require(not own["jailed"], "this key has signed contradictions and is out for good: use a new key")
        if own["name"] == "":
            check_name(name)
            require(name not in self.names, f"the name {name} is taken: choose another name")
            self.names[name] = self.caller
            own["name"] = name
        require(name in ("", own["name"]), "a name is chosen once: leave it out")
        own["bonded"] += amount
        self.accounts[self.caller] = own
        emit("Bonded", did=self.caller, amount=amount, stake=own["bonded"])
        self.stand(self.caller)

    @action
    def unbond(self, amount: int) -> int:
        """Take units out of the stake; returns the height from which on they can be withdrawn."""
        own = self.account(self.caller)
        bonded = own["bonded"]
        require(amount >= 1, "unbond 1 unit or more")
        require(amount <= bonded, f"only {bonded} units are bonded: unbond at most these")
        require(len(own["leaving"]) < MAX_LEAVING, f"{MAX_LEAVING} parts are leaving already: withdraw, or wait")
        until = self.next_epoch() + self.unbonding
        own["bonded"] -= amount
        own["leaving"].append([amount, until])
        self.accounts[self.caller] = own
        emit("Unbonding", did=self.caller, amount=amount, stake=own["bonded"], until=until)
        was_candidate = self.standing != []
        self.stand(self.caller)
        require(self.standing or not was_candidate, "the last stake cannot leave: nobody would certify blocks")
        return until

    @action
    def withdraw(self) -> int:
        """Make units free whose unbonding is over; returns how many."""
        own = self.account(self.caller)
        due = sum([amount for amount, until in own["leaving"] if until <= self.height])
        require(due > 0, "nothing can be withdrawn yet: account shows from which height on")
        own["leaving"] = [part for part in own["leaving"] if part[1] > self.height]
        own["free"] += due
        self.accounts[self.caller] = own
        emit("Withdrawn", did=self.caller, amount=due)
        return due

    def spend(self, did: str, amount: int) -> dict:
        """Take free units from an account and return what it has then."""
        own = self.account(did)
        free = own["free"]
        require(amount >= 1, "an amount is 1 unit or more")
        require(amount <= free, f"only {free} units are free: use at most these")
        own["free"] -= amount
        self.accounts[did] = own
        return own

    def credit(self, did: str, amount: int) -> None:
        own = self.account(did)
        if did not in self.accounts:
            check_key(did)
        own["free"] += amount
        self.accounts[did] = own

    # --- what only the ledger does

    @action
    def slash(self, did: str, height: int, kind: str) -> int:
        """Take a part of a stake for proven misbehaviour, once for each height; for the ledger only."""
        require(self.caller == "ledger", "only the ledger slashes: hand in the evidence")
        require(did in self.accounts, "this key has nothing at stake")
        oldest = self.height - self.unbonding
        require(oldest <= height <= self.height, f"evidence is of height {oldest} to now: this is none")
        require((did, height) not in self.slashes, f"this key was slashed for height {height} already")
        require(1 <= len(kind) <= MAX_WORD, f"the kind of misbehaviour has 1 to {MAX_WORD} characters")
        self.slashes[(did, height)] = kind
        own = self.account(did)
        loss = self.part(own["bonded"])
        own["bonded"] -= loss
        for part in own["leaving"]:
            if part[1] > self.height:
                share = self.part(part[0])
                part[0] -= share
                loss += share
        own["jailed"] = True
        self.accounts[did] = own
        self.units -= loss
        emit("Slashed", did=did, height=height, kind=kind, amount=loss, stake=own["bonded"])
        self.stand(did)
        return loss

    def part(self, amount: int) -> int:
        """Return the part that is lost, rounded up: nobody is too small to lose anything."""
        return (amount * self.percent + 99) // 100

    @action
    def reward(self, did: str) -> int:
        """Pay the member that made a block, in new free units; for the ledger only."""
        require(self.caller == "ledger", "only the ledger rewards: it does so for every block")
        amount = min(self.pay, MAX_UNITS - self.units)
        if amount > 0:
            self.credit(did, amount)
            self.units += amount
            emit("Rewarded", did=did, amount=amount)
        return amount

    # --- seats

    def stand(self, did: str) -> None:
        """Give an account its place among the candidates by its stake, and plan who sits next."""
        own = self.account(did)
        ranking = [entry for entry in self.standing if entry[1] != did]
        if own["bonded"] >= self.least and not own["jailed"]:
            ranking.append([own["name"], did, own["bonded"]])
        ranking = ranked(ranking)
        for name, key, stake in ranking[MAX_CANDIDATES:]:
            emit("Displaced", name=name, did=key, stake=stake)
        ranking = ranking[:MAX_CANDIDATES]
        if ranking != self.standing:
            self.standing = ranking
            self.plan(sorted(ranking[: self.seats]))

    @view
    def candidates(self) -> list:
        """List who stands for a seat as [name, did, stake], the largest stake first."""
        return self.standing

    @view
    def account(self, did: str) -> dict:
        """Show the units of an account: free, bonded, and leaving as [units, height from which on they are free]."""
        return self.accounts.get(did, {"name": "", "free": 0, "bonded": 0, "leaving": [], "jailed": False})

    @view
    def holdings(self, start: int = 0, limit: int = 100) -> list:
        """List the units of each account as [did, units], to measure concentration."""
        return [[did, owned(account)] for did, account in self.accounts.items(start, limit)]

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
