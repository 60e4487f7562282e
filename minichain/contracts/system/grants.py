# mypy: disable-error-code="type-arg,no-any-return"
"""Who may read which record, for what and until when, decided by the subject; and who asked, answered or refused.

A record is known here by a salted commitment, its subject by a did made for this one purpose: there is nothing on the
chain that names a person, and no free text in which anybody could. Only the subject's own signature grants. Every
access is recorded before anything is handed out, and so is every access that is refused.

An order of supervision may stay out of the subject's view until a stated time. That is a courtesy of this view, and
bounded: whoever reads the blocks themselves sees it at once.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

DIGEST = 32  # bytes
DAY_MS = 86_400_000
MAX_GRANT_MS = 366 * DAY_MS
MAX_ORDER_MS = 92 * DAY_MS
MAX_SILENCE_MS = 92 * DAY_MS
MAX_PURPOSES = 32
SUPERVISION = "supervision"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def check_party(did: str) -> None:
    """Refuse what is not the did:key of an Ed25519 key: words could name a person."""
    is_key = len(did) == 56 and did.startswith("did:key:z6Mk") and did[9:].strip(BASE58) == ""
    require(is_key, "a party is named by its did:key")


class Grants(Contract):
    """Data authorisation: grants, accesses, orders, erasure.

    zh: 数据授权：授权、读取、命令、删除。
    """

    office = Value(str)  # appoints those who may issue orders
    purposes = Value(dict)  # code -> sentence: the only words that stand here
    orderers = Map(str, str)  # did -> role
    records = Map(bytes, dict)
    grants = Map((bytes, str, str), dict)  # (record, party, purpose)
    orders = Map((bytes, str), dict)  # (record, party)
    accesses = Map((bytes, int), dict)
    counts = Map(bytes, int)

    def setup(self, purposes: dict) -> None:
        require(1 <= len(purposes) <= MAX_PURPOSES, f"there are 1 to {MAX_PURPOSES} purposes")
        for code, sentence in purposes.items():
            require(1 <= len(code) <= 32 and code.isalnum(), "the code of a purpose has 1 to 32 letters and digits")
            require(1 <= len(sentence) <= 200, "a purpose is said in 1 to 200 characters")
        require(SUPERVISION not in purposes, "supervision is no purpose to grant: it needs an order")
        self.office = self.caller
        self.purposes = purposes

    # --- the subject

    @action
    def register(self, record: bytes) -> None:
        """Register the commitment to a record that is kept elsewhere; the caller is its subject.

        zh: 登记存放在别处的一份记录的承诺值；调用者是本人。
        """
        require(self.caller == self.signer, "only the subject's own signature registers")
        require(len(record) == DIGEST, f"a commitment has {DIGEST} bytes")
        require(record not in self.records, "this commitment is registered already: draw a new salt")
        self.records[record] = {"subject": self.caller, "since": self.now, "erased": 0}
        emit("Registered", record=record, subject=self.caller)

    @action
    def grant(self, record: bytes, party: str, purpose: str, until: int) -> None:
        """Let a party read a record for one purpose, until a time.

        zh: 允许一方在某时之前为一种用途读取记录。
        """
        self.require_subject(record)
        check_party(party)
        require(purpose in self.purposes, f"there is no purpose {purpose}: see purposes")
        require(self.now < until <= self.now + MAX_GRANT_MS, "a grant ends in the future, within a year")
        self.grants[(record, party, purpose)] = {"since": self.now, "until": until, "revoked": 0}
        emit("Granted", record=record, party=party, purpose=purpose, until=until)

    @action
    def revoke(self, record: bytes, party: str, purpose: str) -> None:
        """Take a grant back, from this block on.

        zh: 从本区块起收回授权。
        """
        self.require_subject(record)
        found = self.grants.get((record, party, purpose), {})
        require(found.get("revoked") == 0, "there is no such grant to take back")
        found["revoked"] = self.now
        self.grants[(record, party, purpose)] = found
        emit("Revoked", record=record, party=party, purpose=purpose)

    @action
    def erase(self, record: bytes) -> None:
        """Declare that a record is destroyed: nobody gets it any more, under no grant and no order.

        zh: 声明一份记录已销毁：凭任何授权或命令都不能再取得。
        """
        self.require_subject(record)
        found = self.records[record]
        found["erased"] = self.now
        self.records[record] = found
        emit("Erased", record=record)

    def require_subject(self, record: bytes) -> None:
        require(record in self.records, "this record is not registered")
        found = self.records[record]
        is_own = found["subject"] == self.caller and self.caller == self.signer
        require(is_own, "only the subject's own signature decides about a record: nobody can stand in")
        require(found["erased"] == 0, "this record was erased")

    # --- who wants to read

    @action
    def access(self, record: bytes, purpose: str) -> dict:
        """Ask for a record, for one purpose. It is recorded, whatever the answer: {number, allowed, why}.

        zh: 为一种用途请求一份记录。无论结果如何都会被记录。
        """
        why = self.hindrance(record, self.caller, purpose)
        number = self.counts.get(record, 0) + 1
        order = self.orders.get((record, self.caller), {}) if purpose == SUPERVISION else {}
        entry = {"number": number, "party": self.caller, "purpose": purpose, "at": self.now, "allowed": why == ""}
        entry.update({"why": why, "order": order.get("reference", b""), "shown": order.get("shown", 0)})
        self.counts[record] = number
        self.accesses[(record, number)] = entry
        emit("Accessed", record=record, number=number, party=self.caller, purpose=purpose, allowed=why == "")
        return {"number": number, "allowed": why == "", "why": why}

    @view
    def hindrance(self, record: bytes, party: str, purpose: str) -> str:
        """Say why a party may not read a record for a purpose now; nothing if it may.

        zh: 说明一方现在为何不能读取；可以则为空。
        """
        require(len(record) == DIGEST, f"a commitment has {DIGEST} bytes")
        require(purpose in self.purposes or purpose == SUPERVISION, f"there is no purpose {purpose}: see purposes")
        if record not in self.records:
            return "not registered"
        if self.records[record]["erased"] > 0:
            return "erased"
        if purpose == SUPERVISION:
            order = self.orders.get((record, party))
            return "no order" if order is None else "order ended" if self.now >= order["until"] else ""
        found = self.grants.get((record, party, purpose))
        if found is None:
            return "not granted"
        if found["revoked"] > 0:
            return "revoked"
        return "expired" if self.now >= found["until"] else ""

    # --- supervision

    @action
    def appoint(self, did: str, role: str) -> None:
        """Let an account issue orders of supervision in a role; an empty role ends that.

        zh: 让一个账户以某种角色下达监督命令；角色为空则终止。
        """
        require(self.caller == self.office, "only the office that keeps the rules appoints")
        check_party(did)
        require(len(role) <= 64, "a role has at most 64 characters")
        self.orderers[did] = role
        emit("Appointed", did=did, role=role)

    @action
    def order(self, record: bytes, party: str, reference: bytes, until: int, shown: int = 0) -> None:
        """Order that a party may read a record, until a time; `reference` is the digest of the written order.

        zh: 命令允许一方在某时之前读取记录；附书面命令的摘要。

        The subject's view shows it from the time `shown` on, at once if that is 0.
        """
        role = self.orderers.get(self.caller, "")
        require(role != "", "only who was appointed to it orders supervision")
        check_party(party)
        require(self.caller != party, "who orders does not read: separate the two")
        require(record in self.records, "this record is not registered")
        require(self.records[record]["erased"] == 0, "this record was erased")
        require(len(reference) == DIGEST, f"the reference is the digest of the written order, of {DIGEST} bytes")
        require(self.now < until <= self.now + MAX_ORDER_MS, "an order ends in the future, within 92 days")
        require(0 <= shown <= self.now + MAX_SILENCE_MS, "an order is shown to the subject within 92 days")
        found = {"by": self.caller, "role": role, "reference": reference, "at": self.now, "until": until}
        found["shown"] = shown
        self.orders[(record, party)] = found
        emit("Ordered", record=record, party=party, role=role, reference=reference, until=until)

    # --- what can be read

    @view
    def record(self, record: bytes) -> dict:
        """Show a record: its subject, since when, when it was erased (0: it was not), how often it was asked for.

        zh: 显示一份记录：本人、起始、删除时间、被请求的次数。
        """
        require(record in self.records, "this record is not registered")
        found = self.records[record]
        found["accesses"] = self.counts.get(record, 0)
        return found

    @view
    def granted(self, record: bytes, party: str, purpose: str) -> dict:
        """Show a grant: since, until, and when it was taken back (0: it was not).

        zh: 显示一项授权：起始、截止、收回时间（0 表示未收回）。
        """
        return self.grants.get((record, party, purpose), {})

    @view
    def entry(self, record: bytes, number: int) -> dict:
        """Show one access by its number, for whoever hands out the record.

        zh: 按编号显示一次读取请求，供交付记录者查验。
        """
        return self.accesses.get((record, number), {})

    @view
    def log(self, record: bytes, start: int = 0, limit: int = 100) -> list:
        """List who asked for a record, when and for what, oldest first; what an order keeps back comes later.

        zh: 列出谁在何时为何请求过记录，最早的在前；命令暂缓公布的稍后出现。
        """
        require(start >= 0 and 0 <= limit <= 100, "ask for at most 100 entries at a time")
        end = min(start + limit, self.counts.get(record, 0))
        entries = [self.accesses[(record, number)] for number in range(start + 1, end + 1)]
        return [entry for entry in entries if entry["shown"] <= self.now]

    @view
    def order_on(self, record: bytes, party: str) -> dict:
        """Show the order under which a party may read a record, from the time on that it names.

        zh: 显示一方据以读取记录的命令，自其载明的时间起。
        """
        found = self.orders.get((record, party), {})
        return found if found and found["shown"] <= self.now else {}

    @view
    def purpose_words(self) -> dict:
        """Say each purpose in a sentence.

        zh: 用一句话说明每种用途。
        """
        return self.purposes
