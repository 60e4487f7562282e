# mypy: disable-error-code="type-arg,no-any-return"
"""Ballots among institutions: open ones, sealed ones that are shown later, and secret ones of which the sum is opened.

A secret ballot is checked when it is cast and added to the sum of all while it stays closed; the trustees open that sum
and nothing else, for no action takes another one. Whatever decides is announced whole in an event, so that anybody can
count again from receipts alone. That somebody has voted is public; with weights of many kinds a sum may tell how.

The key is dealt by all trustees together (T. Pedersen, Eurocrypt 1991; for elections Cortier, Galindo, Glondu and
Izabachène, WPES 2013): each shares a secret with the others by a polynomial whose coefficients it commits to and proves
to know. A bad share is complained of, the dealer shows it, and who cannot is left out. Whoever deals last can choose
among keys a little, which does no harm to ElGamal (Gennaro, Jarecki, Krawczyk and Rabin, CT-RSA 2003).
"""

from __future__ import annotations

from minichain.contracts.api import (
    Contract,
    Map,
    Record,
    Value,
    action,
    ballot_fault,
    combine_points,
    emit,
    is_did_key,
    knows_secret,
    require,
    sha256,
    view,
)
from minichain.contracts.parts import check_key

MAX_VOTERS = 200
MAX_TRUSTEES = 9  # with so many choices, every action still has room in a transaction
MAX_CHOICES = 12
MAX_WEIGHT = 1_000_000_000  # of all voters together: so far the sum can be searched
MAX_TEXT = 200  # characters of a title, or of a choice
MAX_MS = 31_622_400_000  # a ballot is over within a year
DIGEST = 32  # bytes
# Signs that are not seen: control signs, spaces of other widths, marks of direction, joiners and variants.
HIDDEN = (
    ("\u0000", "\u001f"),
    ("\u007f", "\u00a0"),
    ("\u00ad", "\u00ad"),
    ("\u200b", "\u200f"),
    ("\u2028", "\u202f"),
    ("\u205f", "\u206f"),
    ("\u3164", "\u3164"),
    ("\ufe00", "\ufe0f"),
    ("\ufeff", "\ufeff"),
)

OPEN = "open"
SEALED = "sealed"
SECRET = "secret"
PREPARING = "Preparing"  # the trustees deal the key of a secret ballot
FAILED = "Failed"  # too few of them did
VOTING = "Voting"
REVEALING = "Revealing"  # sealed votes are shown
CLOSED = "Closed"  # the trustees open the sum
VOID = "Void"  # too few voted: a count would tell who voted what
COUNTED = "Counted"

POINT = 32  # bytes
BASE = b"Xfffffffffffffffffffffffffffffff"  # the base point of Ed25519: RFC 8032, section 5.1


class Voter(Record):
    """Who may vote, and with what weight."""

    did: str
    weight: int


class Rules(Record):
    """How it is voted, and on what; `text` is the SHA-256 of the wording, in hexadecimal.

    `least` to `most` of the choices may be taken. Times are block times in milliseconds. Sealed votes are shown until
    `until`. Each step of dealing a key has `step_ms`. A count needs ballots of at least `fewest` voters.
    """

    title: str
    text: str
    choices: list[str]
    least: int
    most: int
    secrecy: str
    opens: int
    closes: int
    until: int = 0
    may_replace: bool = False
    fewest: int = 1
    trustees: list[str] = []
    threshold: int = 0
    step_ms: int = 0


class Election(Record):
    """A ballot as it stands. `sums` is of the ballots that count, `roll` of all; `counts` are by choice."""

    rules: Rules
    by: str
    begun: int
    state: str
    statement: bytes
    voters: int
    weight: int
    ballots: int = 0
    sums: list[list[bytes]] = []
    counts: list[int] = []
    roll: bytes = b""
    key: bytes = b""
    commitments: list[bytes] = []
    decrypted: list[int] = []


class Dealing(Record):
    """What a trustee has dealt: commitments to its polynomial, and a share for each trustee, closed for that one."""

    commitments: list[bytes]
    shares: list[bytes]
    complaints: list[str] = []
    has_agreed: bool = False


class Cast(Record):
    """What a voter has cast: the votes where they are open or shown, what closes them where they are not."""

    votes: list[int] = []
    ballot: bytes = b""
    tracker: str = ""


def statement_of(chain: str, contract: str, number: int, rules: Rules, voters: list[Voter]) -> bytes:
    """Return the digest that every proof and every sealed vote of an election is bound to."""
    figures = [number, len(rules.choices), len(rules.trustees), rules.least, rules.most, rules.opens, rules.closes]
    figures += [rules.until, int(rules.may_replace), rules.fewest, rules.threshold, rules.step_ms]
    lines = [chain, contract, rules.title, rules.text, rules.secrecy] + [str(figure) for figure in figures]
    listed = [f"{voter.did} {voter.weight}" for voter in voters]
    return sha256("\n".join(lines + rules.choices + rules.trustees + listed).encode())


def context_of(statement: bytes, role: str, did: str) -> bytes:
    """Return what binds something to an election, and to whoever does it there."""
    return sha256(statement + f"{role}:{did}".encode())


def seal_of(statement: bytes, did: str, votes: list[int], salt: bytes) -> bytes:
    """Return what stands for a sealed vote until it is shown; the salt keeps others from trying all votes.

    Draw a new salt for each seal: when it is shown, it opens every other seal of this voter that was made with it.
    """
    return sha256(context_of(statement, "voter", did) + salt + bytes(votes))


def tracker_of(ballot: bytes) -> str:
    """Return the number by which a voter finds a ballot again."""
    return sha256(ballot).hex()


def enrolled(roll: bytes, did: str, tracker: str) -> bytes:
    """Return the digest of all accepted ballots in their order, with one more."""
    return sha256(roll + f"{did}:{tracker}".encode())


def identity() -> bytes:
    """Return the point that adds nothing."""
    return bytes([1] + [0] * (POINT - 1))


def number_of(scalar: bytes) -> int:
    """Read a number of 32 bytes, the lowest first."""
    number = 0
    for byte in reversed(list(scalar)):
        number = number * 256 + byte
    return number


def powers(place: int, count: int) -> list[int]:
    """Return by what the coefficients of a polynomial are multiplied to get its value at a place."""
    return [place**power for power in range(count)]


def weight_at_zero(place: int, places: list[int]) -> int:
    """Return Lagrange's factor of one place, times the factorial of `MAX_TRUSTEES`, so that it is whole."""
    above, below = scale(), 1
    for other in places:
        if other != place:
            above, below = above * other, below * (other - place)
    return above // below


def scale() -> int:
    product = 1
    for number in range(2, MAX_TRUSTEES + 1):
        product *= number
    return product


def check_line(text: str, what: str) -> None:
    """Refuse a text with something in it that nobody sees.

    Letters of several alphabets that look alike pass: which they are, the Unicode of each Python says in its own way.
    """
    is_line = text.strip() != "" and len(text) <= MAX_TEXT and text == " ".join(text.split())
    hidden = [char for first, last in HIDDEN for char in text if first <= char <= last]
    require(is_line and hidden == [], f"{what} is one line of 1 to {MAX_TEXT} visible signs, with single spaces")


def check_unlike(names: list[str], what: str) -> None:
    require([name for name in names if names.count(name) > 1] == [], f"{what} is named twice")


def check_times(rules: Rules, now: int) -> None:
    require(now <= rules.opens < rules.closes <= now + MAX_MS, "voting opens from now on, and closes within a year")
    has_reveal = rules.until > rules.closes and rules.until <= now + MAX_MS
    is_right = has_reveal if rules.secrecy == SEALED else rules.until == 0
    require(is_right, "sealed votes, and no others, are shown until a time after the close, within a year")


def check_trustees(rules: Rules, now: int) -> None:
    """Refuse trustees who could not keep a secret, or not open it."""
    count = len(rules.trustees)
    if rules.secrecy != SECRET:
        require(count == 0 and rules.threshold == 0, "only a secret ballot has trustees")
        return
    require(1 <= rules.threshold <= count <= MAX_TRUSTEES, f"{rules.threshold} of {count} trustees cannot open a sum")
    require(rules.threshold >= 2, "one trustee alone could read each vote: let two at least open the sum")
    is_in_time = 1 <= rules.step_ms <= MAX_MS and now + 3 * rules.step_ms < rules.closes
    require(is_in_time, "the key is dealt in three steps of at least 1 ms each, before voting closes")
    require(rules.fewest >= 2, "the sum of one secret ballot would tell who voted what: ask for two at least")
    for did in rules.trustees:
        require(is_did_key(did), f"{did} is no did:key that somebody can own: nobody could deal to it")
    check_unlike(rules.trustees, "a trustee")


def check_rules(rules: Rules, now: int) -> None:
    check_line(rules.title, "the title")
    strange = [char for char in rules.text if char not in "0123456789abcdef"]
    require(len(rules.text) == 64 and not strange, "the wording is named by its SHA-256, in 64 small hex digits")
    require(rules.secrecy in (OPEN, SEALED, SECRET), f"a ballot is {OPEN}, {SEALED} or {SECRET}, not {rules.secrecy}")
    count = len(rules.choices)
    require(1 <= count <= MAX_CHOICES, f"there are 1 to {MAX_CHOICES} choices")
    for choice in rules.choices:
        check_line(choice, "a choice")
    check_unlike([choice.lower() if choice.isascii() else choice for choice in rules.choices], "a choice")
    require(0 <= rules.least <= rules.most <= count, f"{rules.least} to {rules.most} of {count} choices: impossible")
    require(1 <= rules.fewest <= MAX_VOTERS, f"a count needs the ballots of 1 to {MAX_VOTERS} voters")
    check_times(rules, now)
    check_trustees(rules, now)


def check_votes(rules: Rules, votes: list[int]) -> None:
    """Refuse votes that the rules do not allow."""
    count = len(rules.choices)
    require(len(votes) == count, f"a vote says 0 or 1 for each of the {count} choices")
    require([vote for vote in votes if vote not in (0, 1)] == [], "each choice is voted on with 0 or 1")
    allowed = str(rules.least) if rules.least == rules.most else f"{rules.least} to {rules.most}"
    require(rules.least <= sum(votes) <= rules.most, f"a vote takes {allowed} of the choices, not {sum(votes)}")


class Elections(Contract):
    """Let institutions vote: openly, sealed, or in secret with a count that anybody can check.

    zh: 供机构间表决：公开、先密封后揭示，或秘密投票而计票人人可验。
    """

    count = Value(int)
    elections = Map(int, Election)
    weights = Map((int, str), int)
    dealings = Map((int, str), Dealing)
    cast_by = Map((int, str), Cast)
    hidden = Map(int, list[str])  # whose sealed votes were not shown yet
    partials = Map((int, int), list)  # by election and place of a trustee

    # --- announcing

    @action
    def announce(self, rules: Rules, voters: list[Voter]) -> int:
        """Announce a ballot, its rules and who may vote; returns its number. Nothing of it can be changed later.

        zh: 公告一次表决、其规则与选民名单；返回编号。此后不可更改。
        """
        check_rules(rules, self.now)
        require(rules.fewest <= len(voters) <= MAX_VOTERS, f"there are {rules.fewest} to {MAX_VOTERS} voters")
        number = self.count + 1
        self.count = number
        for voter in voters:
            check_key(voter.did)
            require(voter.weight >= 1, f"{voter.did} has no weight: leave it out")
            require((number, voter.did) not in self.weights, f"{voter.did} is on the list of voters twice")
            self.weights[number, voter.did] = voter.weight
        weight = sum([voter.weight for voter in voters])
        require(weight <= MAX_WEIGHT, f"all voters together weigh at most {MAX_WEIGHT}")
        nothing = [[identity(), identity()] for _ in rules.choices]
        election = Election(
            rules=rules,
            by=self.caller,
            begun=self.now,
            state=PREPARING if rules.secrecy == SECRET else VOTING,
            statement=statement_of(self.chain, self.address, number, rules, voters),
            voters=len(voters),
            weight=weight,
            sums=nothing if rules.secrecy == SECRET else [],
            counts=[0 for _ in rules.choices] if rules.secrecy != SECRET else [],
        )
        self.elections[number] = election
        emit("Announced", number=number, state=election.state, by=self.caller, rules=rules, voters=voters)
        return number

    # --- the key of a secret ballot

    @action
    def deal(self, number: int, commitments: list[bytes], proofs: list[bytes], shares: list[bytes]) -> None:
        """Deal, as a trustee, shares of a secret: one for each trustee, closed so that only that one can read it.

        zh: 受托人分发其秘密的份额：每位受托人一份，仅其本人可读。
        """
        election, rules = self.preparing(number, 1)
        require((number, self.caller) not in self.dealings, "you have dealt already: shares are dealt once")
        count = len(rules.trustees)
        degree = rules.threshold
        require(len(commitments) == degree == len(proofs), f"{degree} commitments are needed, each with its proof")
        is_whole = len(shares) == count and [share for share in shares if len(share) != POINT] == []
        require(is_whole, f"a share of {POINT} bytes for each of the {count} trustees is needed, your own included")
        context = context_of(election.statement, "trustee", self.caller)
        for place, commitment in enumerate(commitments):
            is_known = knows_secret(context, [BASE], [commitment], proofs[place])
            require(is_known, f"commitment {place + 1} comes without a proof that you know what is behind it")
        self.dealings[number, self.caller] = Dealing(commitments=commitments, shares=shares)
        emit("Dealt", number=number, trustee=self.caller, commitments=commitments, proofs=proofs, shares=shares)

    @action
    def agree(self, number: int) -> None:
        """Say, as a trustee, that all have dealt and that the shares of all the others are good.

        zh: 受托人确认各方均已分发份额，且其他各方的份额均正确。
        """
        _, rules = self.preparing(number, 2)
        missing = [did for did in rules.trustees if (number, did) not in self.dealings]
        require(missing == [], f"{len(missing)} trustees have not dealt yet: agree to shares that can be checked")
        dealing = self.dealt(number, self.caller)
        dealing.has_agreed = True
        self.dealings[number, self.caller] = dealing
        emit("Agreed", number=number, trustee=self.caller)

    @action
    def complain(self, number: int, dealer: str) -> None:
        """Say, as a trustee, that the share of a dealer does not fit its commitments; it must then show the share.

        zh: 受托人声明某方给出的份额与其承诺不符；对方须公开该份额。
        """
        self.preparing(number, 2)
        dealing = self.dealt(number, dealer)
        require(self.caller not in dealing.complaints, "you have complained of this already")
        dealing.complaints.append(self.caller)
        self.dealings[number, dealer] = dealing
        emit("Complained", number=number, dealer=dealer, by=self.caller)

    @action
    def answer(self, number: int, by: str, share: bytes) -> None:
        """Show, as a dealer, the share that was complained of; if it fits, it counts and the complaint is settled.

        zh: 公开被投诉的份额；若与承诺相符，则以之为准，投诉即告解决。
        """
        _, rules = self.preparing(number, 3)
        dealing = self.dealt(number, self.caller)
        require(by in dealing.complaints, f"there is no complaint of {by} about you that waits for an answer")
        place = rules.trustees.index(by) + 1
        expected = combine_points(powers(place, rules.threshold), dealing.commitments)
        require(len(share) == POINT, f"a share has {POINT} bytes")
        fits = combine_points([number_of(share)], [BASE]) == expected
        require(fits, "this share does not fit your commitments either: the complaint stands")
        dealing.complaints.remove(by)
        self.dealings[number, self.caller] = dealing
        emit("Answered", number=number, dealer=self.caller, by=by, share=share)

    @action
    def fix_key(self, number: int) -> list[str]:
        """Make the key out of what was dealt without an open complaint; anybody may, when all agree or time is over.

        zh: 由无未决投诉的份额合成公钥；各方均确认或期限已过后，任何人可操作。
        """
        election = self.known(number)
        rules = election.rules
        require(election.state == PREPARING, f"the key is not being dealt any more: the ballot is {election.state}")
        dealt = [did for did in rules.trustees if (number, did) in self.dealings]
        found = [self.dealings[number, did] for did in dealt]
        is_agreed = [one for one in found if one.has_agreed and not one.complaints]
        is_over = self.now > election.begun + 3 * rules.step_ms
        require(is_over or len(is_agreed) == len(rules.trustees), "some trustees have not agreed, and have time yet")
        good = [did for place, did in enumerate(dealt) if not found[place].complaints]
        if len(good) < rules.threshold:
            election.state = FAILED
        else:
            chosen = [one.commitments for one in found if not one.complaints]
            ones = [1 for _ in good]
            columns = range(rules.threshold)
            election.commitments = [combine_points(ones, [one[column] for one in chosen]) for column in columns]
            election.key = election.commitments[0]
            election.state = VOTING
        self.elections[number] = election
        emit("KeyFixed", number=number, state=election.state, trustees=good, commitments=election.commitments)
        return good

    # --- voting

    @action
    def cast(self, number: int, ballot: bytes) -> str:
        """Cast a secret ballot; returns the number by which it is found again.

        zh: 投出一张秘密选票；返回可用于查找的追踪号。
        """
        election, weight, before = self.voting(number, SECRET)
        rules, tracker = election.rules, tracker_of(ballot)
        context = context_of(election.statement, "voter", self.caller)
        why_not = ballot_fault(len(rules.choices), rules.least, rules.most, election.key, context, ballot)
        require(why_not == "", why_not)
        require(before is None or before.tracker != tracker, "this very ballot is in already: it counts once")
        closed = self.ciphertexts(election, ballot)
        election.sums = [self.added(one, 1, weight, closed[place]) for place, one in enumerate(election.sums)]
        if before is not None:
            taken = self.ciphertexts(election, before.ballot)
            election.sums = [self.added(one, 1, -weight, taken[place]) for place, one in enumerate(election.sums)]
        self.keep(number, election, Cast(ballot=ballot[: 2 * POINT * len(rules.choices)], tracker=tracker))
        emit("Cast", number=number, voter=self.caller, weight=weight, tracker=tracker, ballot=ballot)
        return tracker

    @action
    def vote(self, number: int, votes: list[int]) -> None:
        """Vote openly: 0 or 1 for each choice, in their order.

        zh: 公开投票：按顺序对每个选项投 0 或 1。
        """
        election, weight, before = self.voting(number, OPEN)
        check_votes(election.rules, votes)
        if before is not None:
            self.add(election, before.votes, -weight)
        self.add(election, votes, weight)
        self.keep(number, election, Cast(votes=votes, tracker=tracker_of(bytes(votes))))
        emit("Voted", number=number, voter=self.caller, weight=weight, votes=votes)

    @action
    def seal(self, number: int, seal: bytes) -> None:
        """Hand in a sealed vote, which nobody can read until it is shown.

        zh: 提交密封的投票；揭示之前无人可读。
        """
        election, weight, _ = self.voting(number, SEALED)
        require(len(seal) == DIGEST, f"a seal has {DIGEST} bytes")
        self.keep(number, election, Cast(ballot=seal, tracker=tracker_of(seal)))
        hidden = self.hidden.get(number, [])
        if self.caller not in hidden:
            hidden.append(self.caller)
            self.hidden[number] = hidden
        emit("Sealed", number=number, voter=self.caller, weight=weight, seal=seal)

    @action
    def reveal(self, number: int, votes: list[int], salt: bytes) -> None:
        """Show the vote that was sealed; a vote that is not shown in time counts as not cast.

        zh: 揭示已密封的投票；逾期未揭示视为未投。
        """
        election = self.known(number)
        rules = election.rules
        require(rules.secrecy == SEALED, f"this ballot is {rules.secrecy}: there is nothing to show")
        is_time = election.state in (VOTING, REVEALING) and rules.closes < self.now <= rules.until
        require(is_time, f"sealed votes are shown after {rules.closes} and until {rules.until}, block times in ms")
        hidden = self.hidden.get(number, [])
        require(self.caller in hidden, "no sealed vote of yours waits to be shown")
        check_votes(rules, votes)
        sealed = self.cast_by[number, self.caller]
        is_same = len(salt) == DIGEST and seal_of(election.statement, self.caller, votes, salt) == sealed.ballot
        require(is_same, "this is not what you sealed: show the same votes with the same salt of 32 bytes")
        hidden.remove(self.caller)
        self.hidden[number] = hidden
        election.state = REVEALING
        self.add(election, votes, self.weights[number, self.caller])
        self.elections[number] = election
        self.cast_by[number, self.caller] = Cast(votes=votes, ballot=sealed.ballot)
        emit("Revealed", number=number, state=REVEALING, voter=self.caller, votes=votes, salt=salt)

    # --- closing and counting

    @action
    def close(self, number: int) -> str:
        """Close a ballot whose time is over, or in which all have voted for good; anybody may. Returns its state.

        zh: 期满或全体已投（且不可改投）时结束表决；任何人可操作。返回状态。
        """
        election = self.known(number)
        rules = election.rules
        require(election.state in (VOTING, REVEALING), f"a ballot that is {election.state} is not closed any more")
        hidden = self.hidden.get(number, [])
        last = rules.until if rules.secrecy == SEALED else rules.closes
        is_complete = election.ballots == election.voters and not rules.may_replace and not hidden
        require(self.now > last or is_complete, f"not all have voted, and there is time until {last}, block time in ms")
        if election.ballots - len(hidden) < rules.fewest:
            election.state = VOID
        else:
            election.state = CLOSED if rules.secrecy == SECRET else COUNTED
        self.elections[number] = election
        emit(
            "Closed",
            number=number,
            state=election.state,
            ballots=election.ballots,
            sums=election.sums,
            roll=election.roll,
            counts=election.counts,
            not_shown=hidden,
        )
        return election.state

    @action
    def decrypt(self, number: int, shares: list[bytes], proof: bytes) -> int:
        """Open, as a trustee, your part of the sum of all ballots, with the proof that it is right.

        zh: 受托人对全部选票之和作部分解密，并附正确性证明。
        """
        election = self.known(number)
        rules = election.rules
        require(election.state == CLOSED, f"the sum of a ballot that is {election.state} is not opened now")
        require(self.caller in rules.trustees, "only a trustee of this ballot opens its sum")
        place = rules.trustees.index(self.caller) + 1
        require(place not in election.decrypted, "you have opened your part already")
        require(len(shares) == len(rules.choices), f"the sum has {len(rules.choices)} choices: open each of them")
        own = combine_points(powers(place, rules.threshold), election.commitments)
        bases, images = [BASE], [own]
        bases.extend([one[0] for one in election.sums])
        images.extend(shares)
        context = context_of(election.statement, "trustee", self.caller)
        is_right = knows_secret(context, bases, images, proof)
        require(is_right, "this does not prove that your part of the sum of all accepted ballots was opened rightly")
        election.decrypted.append(place)
        self.partials[number, place] = shares
        self.elections[number] = election
        emit("Decrypted", number=number, trustee=self.caller, shares=shares, proof=proof)
        return len(election.decrypted)

    @action
    def tally(self, number: int, counts: list[int]) -> None:
        """Put the counts down, which anybody can work out; they are compared with what the trustees opened.

        zh: 登记计票结果（人人可推算）；与受托人开启的内容核对。
        """
        election = self.known(number)
        rules, done = election.rules, election.decrypted
        require(election.state == CLOSED, f"the votes of a ballot that is {election.state} are not counted now")
        missing = rules.threshold - len(done)
        require(missing <= 0, f"{len(done)} trustees have opened their part; {missing} more must, so wait for them")
        require(len(counts) == len(rules.choices), f"there are {len(rules.choices)} choices: give a count of each")
        places = done[: rules.threshold]
        opened = [self.partials[number, place] for place in places]
        for choice, one in enumerate(election.sums):
            require(0 <= counts[choice] <= election.weight, "a count is from 0 to the weight of all voters")
            factors, points = [scale() * counts[choice]], [BASE]
            factors.extend([weight_at_zero(place, places) for place in places])
            points.extend([shares[choice] for shares in opened])
            fits = combine_points(factors, points) == combine_points([scale()], [one[1]])
            require(fits, f"{counts[choice]} is not what the trustees opened for choice {choice + 1}")
        election.counts = counts
        election.state = COUNTED
        self.elections[number] = election
        emit("Counted", number=number, state=COUNTED, counts=counts, places=places)

    @action
    def require_share(self, number: int, choice: str, among: list[str], part: int, whole: int) -> None:
        """Refuse unless one of these choices has more than a part of their votes: a decision may begin with this call.

        zh: 若某选项在所列选项得票中未超过给定比例则拒绝；可作为一项决定的首个调用。
        """
        election = self.known(number)
        require(election.state == COUNTED, f"ballot {number} is {election.state}: decide on it when it is counted")
        choices = election.rules.choices
        unknown = [name for name in among if name not in choices]
        require(choice in among and unknown == [], f"{choice} is not one of choices of ballot {number} to compare")
        found = election.counts[choices.index(choice)]
        total = sum([election.counts[choices.index(name)] for name in among])
        enough = found * whole > total * part
        require(enough, f"in ballot {number} {choice} got {found} of {total}, which is not more than {part}/{whole}")

    # --- reading

    @view
    def count_elections(self) -> int:
        """Count the ballots.

        zh: 表决总数。
        """
        return self.count

    @view
    def election(self, number: int) -> Election:
        """Show a ballot as it stands.

        zh: 查询一次表决的现状。
        """
        return self.known(number)

    @view
    def dealing(self, number: int, trustee: str) -> Dealing | None:
        """Show what a trustee has dealt, and who complains of it.

        zh: 查询某受托人分发的份额与相关投诉。
        """
        return self.dealings.get((number, trustee))

    @view
    def cast_of(self, number: int, voter: str) -> Cast | None:
        """Show what a voter has cast: a secret ballot stays closed.

        zh: 查询某选民已投的票；秘密选票保持密封。
        """
        return self.cast_by.get((number, voter))

    @view
    def weight_of(self, number: int, voter: str) -> int:
        """Tell with what weight somebody may vote; 0: not at all.

        zh: 查询某方的表决权重；0 表示无表决权。
        """
        return self.weights.get((number, voter), 0)

    @view
    def opened(self, number: int, place: int) -> list:
        """Show the part of the sum that a trustee has opened.

        zh: 查询某受托人开启的部分。
        """
        return self.partials.get((number, place), [])

    # --- parts of the above

    def known(self, number: int) -> Election:
        require(number in self.elections, f"there is no ballot {number}: check its number")
        return self.elections[number]

    def preparing(self, number: int, steps: int) -> tuple:
        """Return an election whose key is being dealt, to one of its trustees, within so many steps."""
        election = self.known(number)
        rules = election.rules
        require(election.state == PREPARING, f"no key is being dealt: the ballot is {election.state}")
        require(self.caller in rules.trustees, "only a trustee of this ballot may do this")
        end = election.begun + steps * rules.step_ms
        require(self.now <= end, f"this step of dealing the key ended at {end}, block time in ms")
        return (election, rules)

    def dealt(self, number: int, trustee: str) -> Dealing:
        require((number, trustee) in self.dealings, f"{trustee} has dealt no shares: this comes after dealing")
        return self.dealings[number, trustee]

    def voting(self, number: int, secrecy: str) -> tuple:
        """Return an election, the weight of the caller, and what it has cast before; refuse who may not vote now."""
        election = self.known(number)
        rules = election.rules
        require(rules.secrecy == secrecy, f"this ballot is {rules.secrecy}, not {secrecy}: vote in that way")
        weight = self.weights.get((number, self.caller), 0)
        require(weight > 0, "you are not on the list of voters of this ballot")
        require(election.state == VOTING, f"nobody can vote now: the ballot is {election.state}")
        is_time = rules.opens <= self.now <= rules.closes
        require(is_time, f"votes are taken from {rules.opens} to {rules.closes}, block times in ms; it is {self.now}")
        before = self.cast_by.get((number, self.caller))
        is_first = before is None or rules.may_replace
        require(is_first, "you have voted, and this ballot does not let a vote be replaced")
        return (election, weight, before)

    def keep(self, number: int, election: Election, cast: Cast) -> None:
        if (number, self.caller) not in self.cast_by:
            election.ballots += 1
        election.roll = enrolled(election.roll, self.caller, cast.tracker)
        self.cast_by[number, self.caller] = cast
        self.elections[number] = election

    def add(self, election: Election, votes: list[int], weight: int) -> None:
        election.counts = [total + weight * votes[place] for place, total in enumerate(election.counts)]

    def ciphertexts(self, election: Election, ballot: bytes) -> list:
        starts = [2 * POINT * place for place in range(len(election.rules.choices))]
        return [[ballot[start : start + POINT], ballot[start + POINT : start + 2 * POINT]] for start in starts]

    def added(self, total: list[bytes], one: int, weight: int, pair: list[bytes]) -> list[bytes]:
        return [combine_points([one, weight], [total[half], pair[half]]) for half in range(2)]
