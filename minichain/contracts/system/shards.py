# mypy: disable-error-code="type-arg,no-any-return"
"""Who certifies which shard: the contract `shards` of the coordinating chain. The rule of a draw is the one that
`minichain.sharding.assignment` defines, and says why.

An epoch has three phases, by height: validators commit to secrets, then reveal them, then anybody turns to the next
epoch. What is revealed becomes the randomness of the draw; who registers or withdraws after the commit phase is heeded
one epoch later, because the outcome may be known by then. The k who reveal last, if they act together, choose among
2**k outcomes, for each of them may stay silent instead; whoever does is the first to leave and the last to get a seat.
Nobody needs to be there for an epoch to end: where a draw cannot be made everybody stays.

A shard is told of its committee by a message to its contract `members`, and answers. Until it has, it is left alone;
so it is at most one change behind, whatever becomes of the message.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Record, Value, action, emit, require, sha256, view
from minichain.contracts.parts import check_key, check_name

MAX_MEMBERS = 50  # of a committee: the receiving chain announces it in one event
MAX_SHARDS = 64
MAX_VALIDATORS = 512
MAX_BLOCKS = 1_000_000  # of a phase
MAX_LABEL = 32  # characters of a validator's name: many committees are told in one transaction
MAX_TOLD = 300  # members in the committees that are told in one transaction
SECRET = 32  # bytes, which nobody can guess
GAS = 5_000_000  # of `assign` on a shard
WITHIN_MS = 2_592_000_000  # a shard may be down for 30 days
COMMIT = "commit"  # the phases
REVEAL = "reveal"
TURN = "turn"
LEAVE = b"leave"  # two orders of chance
COME = b"come"
FOUNDING = "founding"  # a shard whose chain does not run yet
SETTLED = "settled"  # it has confirmed its committee
TOLD = "told"  # it has not answered yet
DUE = "due"  # it is still to be told


class Validator(Record):
    """A registered key. It is drawn in the epochs from `since` on, and before `until`, where it has withdrawn.

    `committed` and `revealed` are the last epochs in which it did that.
    """

    name: str
    did: str
    since: int
    until: int = 0
    is_excluded: bool = False
    committed: int = 0
    digest: bytes = b""
    revealed: int = 0
    secret: bytes = b""


class Shard(Record):
    """A shard with the dids of its members, and the epoch that drew them."""

    chain: str
    members: list
    state: str
    epoch: int = 0


# --- a draw ------------------------------------------------------------------------------------------------------


def in_order(dids: list, randomness: bytes, which: bytes) -> list:
    """Return these dids in an order of chance."""
    marked = sorted([[sha256(randomness + which + did.encode()), did] for did in dids])
    return [did for mark, did in marked]


def staying(members: list, eligible: dict, turnover: int, randomness: bytes) -> list:
    """Return who keeps a seat: all but those who may not stay, then the late ones, then whom chance names."""
    order = in_order(members, randomness, LEAVE)
    gone = [did for did in order if did not in eligible]
    tardy = [did for did in order if eligible.get(did, False)]
    others = [did for did in order if not eligible.get(did, True)]
    return (gone + tardy + others)[turnover:]


def is_busy(shard: Shard) -> bool:
    return shard.members != [] and shard.state != SETTLED


def drawn(eligible: dict, shards: list, size: int, turnover: int, randomness: bytes) -> tuple:
    """Return the next committees, or none and why; `eligible` says of each validator whether it is late."""
    kept = []
    for shard in shards:
        kept.append(shard.members if is_busy(shard) else staying(shard.members, eligible, turnover, randomness))
    seated = {did: True for members in kept for did in members}
    free = in_order([did for did in eligible if did not in seated], randomness, COME)
    free = [did for did in free if not eligible[did]] + [did for did in free if eligible[did]]
    committees, place = [], 0
    for index, shard in enumerate(shards):
        needed = 0 if is_busy(shard) else size - len(kept[index])
        missing = place + needed - len(free)
        if missing > 0:
            chain, there = shard.chain, size - missing
            return [], f"{chain} would have {there} of {size} members: register {missing} more validators"
        committees.append(sorted(kept[index] + free[place : place + needed]))
        place += needed
    return committees, ""


class Shards(Contract):
    """Who certifies which shard, drawn anew from the registered validators in every epoch.

    zh: 每个周期从已登记的验证者中抽签，决定由谁认证哪个分片。
    """

    size = Value(int)
    turnover = Value(int)
    commit_blocks = Value(int)
    reveal_blocks = Value(int)
    authority = Value(str)  # who admits validators and adds shards; "": every key may register, no shard comes
    admitted = Map(str, bool)
    number = Value(int)  # of the epoch
    began = Value(int)  # the height at which it did
    seed = Value(bytes)  # the randomness of the last draw
    validators = Map(str, Validator)  # by did
    names = Map(str, str)
    shards = Map(str, Shard)  # by the id of their chain

    def setup(
        self,
        size: int,
        turnover: int,
        commit_blocks: int,
        reveal_blocks: int,
        validators: list,
        shards: list,
        authority: str = "",
    ) -> None:
        """Begin with validators [name, did] and shards [chain, dids of its founders, or none]."""
        require(1 <= size <= MAX_MEMBERS, f"a committee has 1 to {MAX_MEMBERS} members")
        require(turnover >= 0, "a turnover is 0 or more")
        require(3 * turnover < size, f"a turnover of {turnover} is too large: of {size} more than two thirds stay")
        for blocks in (commit_blocks, reveal_blocks):
            require(1 <= blocks <= MAX_BLOCKS, f"a phase has 1 to {MAX_BLOCKS} blocks")
        self.size = size
        self.turnover = turnover
        self.commit_blocks = commit_blocks
        self.reveal_blocks = reveal_blocks
        self.authority = authority
        self.number = 1
        self.began = self.height
        self.seed = sha256(self.chain.encode())
        for name, did in validators:
            self.enrol(name, did)
        for chain, founders in shards:
            self.open(chain, founders)

    # --- validators

    @action
    def admit(self, did: str) -> None:
        """Let a key register itself, once, as the authority.

        zh: 由主管方准许某密钥自行登记一次。
        """
        require(self.caller == self.authority, "only the authority admits validators; if there is none, all may come")
        check_key(did)
        self.admitted[did] = True
        emit("Admitted", did=did)

    @action
    def register(self, name: str) -> int:
        """Register the own key as a validator, admitted by the authority if there is one; returns its first epoch.

        zh: 以自己的密钥登记为验证者（若有主管方须先获准）；返回其首个周期。
        """
        if self.authority:
            require(self.caller in self.admitted, "the authority has not admitted this key: ask it")
            del self.admitted[self.caller]
        return self.enrol(name, self.caller)

    def enrol(self, name: str, did: str) -> int:
        check_name(name)
        check_key(did)
        require(len(name) <= MAX_LABEL, f"a validator's name has at most {MAX_LABEL} characters")
        require(name not in self.names, f"the name {name} is taken: choose another name")
        require(did not in self.validators, f"{name}: this key is registered already, leaving, or excluded")
        require(len(self.validators) < MAX_VALIDATORS, f"there are {MAX_VALIDATORS} validators already")
        since = self.heeded_from()
        self.names[name] = did
        self.validators[did] = Validator(name=name, did=did, since=since)
        emit("Registered", name=name, did=did, since=since)
        return since

    @action
    def withdraw(self, did: str) -> int:
        """Withdraw a validator, as itself or the authority; it keeps its seat until that is exchanged.

        Returns the first epoch in which it gets no new one.

        zh: 由本人或主管方令验证者退出；席位保留到被替换为止。返回不再参加抽签的首个周期。
        """
        require(self.caller in (did, self.authority), "a validator withdraws itself, or the authority does")
        require(did in self.validators, "this key is not registered as a validator here")
        leaver = self.validators[did]
        require(leaver.until == 0, "this validator has withdrawn already")
        leaver.until = self.heeded_from()
        self.validators[did] = leaver
        emit("Withdrawn", did=did, until=leaver.until)
        return leaver.until

    @action
    def exclude(self, did: str, chain: str, height: int, kind: str) -> None:
        """Exclude a validator for good that has contradicted itself on a shard; for the ledger only.

        zh: 永久排除在分片上自相矛盾的验证者；只由账本调用。
        """
        require(self.caller == "ledger", "only the ledger excludes: hand in the evidence by ledger.report")
        require(chain in self.shards, f"{chain} is not one of the shards here")
        require(did in self.validators, "this key is not registered as a validator here")
        guilty = self.validators[did]
        require(not guilty.is_excluded, "this validator is excluded already")
        guilty.is_excluded = True
        self.validators[did] = guilty
        emit("Excluded", did=did, chain=chain, height=height, kind=kind)

    def own(self) -> Validator:
        require(self.caller in self.validators, "only a registered validator does this")
        own = self.validators[self.caller]
        require(not own.is_excluded, "this validator is excluded for good: use a new key")
        return own

    def heeded_from(self) -> int:
        return self.number if self.phase()["phase"] == COMMIT else self.number + 1

    # --- shards

    @action
    def add(self, chain: str, founders: list) -> None:
        """Add a shard, as the authority: with the dids of its founders, or none, who are then drawn.

        zh: 由主管方新增分片：给出创始成员的标识，或留空由抽签决定。
        """
        require(self.caller == self.authority, "only the authority adds shards")
        self.open(chain, founders)

    def open(self, chain: str, founders: list) -> None:
        require(1 <= len(chain) <= 40 and chain != self.chain, "a shard has the id of another chain")
        require(chain not in self.shards, f"{chain} is there already")
        require(len(self.shards) < MAX_SHARDS, f"there are at most {MAX_SHARDS} shards")
        size = self.size
        require(len(founders) in (0, size), f"{chain}: a shard is founded by {size} validators, or by none yet")
        seated = {did: True for shard in self.shards.values(0, MAX_SHARDS) for did in shard.members}
        for did in founders:
            require(did in self.validators, f"{chain}: a founder is registered as a validator first")
            require(did not in seated, f"{chain}: a founder sits in one shard, once")
            seated[did] = True
        self.shards[chain] = Shard(chain=chain, members=sorted(founders), state=FOUNDING)
        emit("ShardAdded", chain=chain, founders=sorted(founders))

    @action
    def begin(self, chain: str) -> None:
        """Let a shard take part whose chain runs, with this committee, and is connected. Anybody may ask.

        zh: 分片链以该委员会运行并接通后，令其参加轮换；任何人可调用。
        """
        shard = self.expect(chain)
        require(shard.state == FOUNDING, f"{chain} takes part already")
        require(shard.members != [], f"{chain} has no founders yet: they are drawn when the epoch turns")
        self.call("bridge", "channel", chain=chain)  # fails unless it is connected
        shard.state = SETTLED
        self.shards[chain] = shard
        emit("ShardBegun", chain=chain)

    def expect(self, chain: str) -> Shard:
        require(chain in self.shards, f"{chain} is not one of the shards here")
        return self.shards[chain]

    # --- an epoch

    @action
    def commit(self, digest: bytes) -> None:
        """Commit to a secret: the SHA-256 of "epoch did " and the secret's 32 bytes.

        zh: 承诺一个秘密：“周期 标识 ”与 32 字节秘密的 SHA-256。
        """
        own, epoch = self.own(), self.number
        self.require_phase(COMMIT)
        require(len(digest) == 32, "a digest has 32 bytes")
        require(own.committed < epoch, "you have committed in this epoch already")
        own.committed = epoch
        own.digest = digest
        self.validators[own.did] = own
        emit("Committed", epoch=epoch, did=own.did)

    @action
    def reveal(self, secret: bytes) -> None:
        """Reveal the secret that was committed to.

        zh: 公开所承诺的秘密。
        """
        own, epoch, did = self.own(), self.number, self.caller
        self.require_phase(REVEAL)
        require(own.committed == epoch, "you have not committed in this epoch")
        require(own.revealed < epoch, "you have revealed in this epoch already")
        require(len(secret) == SECRET, f"a secret has {SECRET} bytes")
        require(sha256(f"{epoch} {did} ".encode() + secret) == own.digest, "this is not what you have committed to")
        own.revealed = epoch
        own.secret = secret
        self.validators[did] = own
        emit("Revealed", epoch=epoch, did=did, secret=secret)

    @action
    def turn(self) -> int:
        """Draw the committees and begin the next epoch, whose number is returned. Anybody may; then `tell`.

        zh: 抽签产生各委员会并开始下一周期，返回其编号；任何人可调用，随后调用 tell。
        """
        self.require_phase(TURN)
        epoch, height = self.number, self.height
        validators = self.validators.values(0, MAX_VALIDATORS)
        secrets = {one.did: one.secret for one in validators if one.revealed == epoch}
        seed, eligible = sha256(self.seed), {}
        for did in sorted(secrets):
            seed = sha256(seed + secrets[did])
        for one in validators:
            if not one.is_excluded and one.since <= epoch and (one.until == 0 or epoch < one.until):
                eligible[one.did] = one.revealed < one.committed == epoch
        shards = self.shards.values(0, MAX_SHARDS)
        committees, why = drawn(eligible, shards, self.size, self.turnover, seed)
        self.seed = seed
        self.number = epoch + 1
        self.began = height
        emit("Turned", epoch=epoch, randomness=seed, late=sorted([did for did, late in eligible.items() if late]))
        if why:
            emit("Undrawn", epoch=epoch, reason=why)
        for index, members in enumerate(committees):
            if members != shards[index].members:
                self.change(shards[index], members, epoch)
        self.forget(validators)
        return self.number

    def change(self, shard: Shard, members: list, epoch: int) -> None:
        if shard.state != FOUNDING:
            shard.state = DUE
        shard.members = members
        shard.epoch = epoch
        self.shards[shard.chain] = shard
        emit("Drawn", epoch=epoch, chain=shard.chain, members=members)

    def forget(self, validators: list) -> None:
        """Let those go who have withdrawn and sit nowhere."""
        seated = {did: True for shard in self.shards.values(0, MAX_SHARDS) for did in shard.members}
        for one in validators:
            if one.until != 0 and one.until < self.number and not one.is_excluded and one.did not in seated:
                del self.validators[one.did]
                del self.names[one.name]

    @action
    def tell(self, chain: str = "") -> int:
        """Tell a shard its committee, or all that are still to be told, as far as one transaction carries it.

        Returns how many were told. Anybody may; also again, where a message has failed.

        zh: 将委员会通知某个分片，或通知所有待通知的分片；返回通知数。任何人可调用，失败后可再次调用。
        """
        due = [
            shard for shard in self.shards.values(0, MAX_SHARDS) if shard.state == DUE and chain in ("", shard.chain)
        ]
        require(due != [] or chain == "", f"{chain} is not to be told anything now: see committees")
        due = due[: max(1, MAX_TOLD // self.size)]
        for shard in due:
            told = {"epoch": shard.epoch, "members": self.entries(shard.members)}
            self.call(
                "bridge", "send", chain=shard.chain, contract="members", name="assign", arguments=told, gas=GAS,
                within_ms=WITHIN_MS, answer="heard",
            )  # fmt: skip
            shard.state = TOLD
            self.shards[shard.chain] = shard
        return len(due)

    @action
    def heard(self, chain: str, number: int, outcome: str, result: list) -> None:
        """Learn what a shard made of the message: it has the committee, or is to be told again; the bridge tells.

        zh: 得知分片对通知的处理结果：已采用，或须再次通知；由桥合约调用。
        """
        require(self.caller == "bridge", "only the bridge tells what became of a message")
        shard = self.expect(chain)
        require(shard.state == TOLD, f"{chain} was told nothing that it has not answered")
        shard.state = SETTLED if outcome == "done" else DUE
        self.shards[chain] = shard
        emit("Heard", chain=chain, epoch=shard.epoch, outcome=outcome)

    def require_phase(self, wanted: str) -> None:
        now = self.phase()
        name, until = now["phase"], now["until"]
        require(name == wanted, f"this is the phase {name}, until height {until}: see phase")

    def entries(self, dids: list) -> list:
        return sorted([[self.validators[did].name, did, 1] for did in dids])

    # --- views

    @view
    def committees(self, start: int = 0, limit: int = 20) -> list:
        """List the shards: {chain, members as [name, did, weight], state, epoch}.

        zh: 列出各分片：链、成员、状态、产生该委员会的周期。
        """
        return [
            {"chain": one.chain, "members": self.entries(one.members), "state": one.state, "epoch": one.epoch}
            for one in self.shards.values(start, limit)
        ]

    @view
    def registered(self, start: int = 0, limit: int = 100) -> list:
        """List the validators.

        zh: 列出验证者。
        """
        return self.validators.values(start, limit)

    @view
    def epoch(self) -> int:
        """Return the number of the epoch.

        zh: 当前周期的编号。
        """
        return self.number

    @view
    def phase(self) -> dict:
        """Tell the phase, and the first height after it: {phase, until}; "turn" lasts until somebody turns (0).

        zh: 当前阶段及其结束高度；“turn”持续到有人调用为止（0）。
        """
        begun, end = self.began + self.commit_blocks, self.began + self.commit_blocks + self.reveal_blocks
        if self.height < begun:
            return {"phase": COMMIT, "until": begun}
        return {"phase": REVEAL, "until": end} if self.height < end else {"phase": TURN, "until": 0}

    @view
    def randomness(self) -> bytes:
        """Return the randomness of the last draw.

        zh: 上次抽签的随机数。
        """
        return self.seed
