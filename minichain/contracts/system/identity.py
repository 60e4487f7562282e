# mypy: disable-error-code="type-arg,no-any-return"
"""Who holds an account: its keys over time, those who help when a key is lost, organisations with their roles, devices.

A person is nothing but keys here. Guardians are kept as salted digests: nobody can read who they are until they help.
They help against loss, not against theft: whoever holds the present key may refuse them. A refusal begins with the name
of the argument it is about.

Where the chain's settings name another chain as the `home` of keys, they change there, and the ledger brings what has
changed (see `crosschain.people`); all else here is this chain's own.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, sha256, view

MAX_GUARDIANS = 16
MAX_WAIT_MS = 31_622_400_000  # a year
MAX_SERVICES = 8
MAX_CERTIFICATES = 100  # of one device
MAX_SUSPENSIONS = 50  # of one device
MAX_GRANTS = 50  # of one role to one did
MAX_PAGE = 100
MAX_NAME = 64  # characters of a name, a role, a model
MAX_TEXT = 255  # of a reason or an address
WORD_SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789-"
COMMITMENT = b"minichain:commitment\x00"  # what `crypto.digest` puts before what it hashes for this purpose
PRINTABLE = ((" ", "~"), ("\u00c0", "\u024f"), ("\u4e00", "\u9fa5"))  # ASCII, Latin letters with accents, Chinese
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# The did:key of the Ed25519 keys of 32 bytes 0 and of 32 bytes 255. All others have the same length and lie between.
LOWEST_KEY = "did:key:z6MkeTG3bFFSLYVU7VqhgZxqr6YzpaGrQtFMh1uvqGy1vDnP"
HIGHEST_KEY = "did:key:z6MkwgaR63138bEEgad7uk993KMX54vBA6KTB4sFhCPnSB2e"


def check_did(parameter: str, did: str) -> None:
    """Refuse what is not the did:key of an Ed25519 key."""
    is_key = len(did) == len(LOWEST_KEY) and LOWEST_KEY <= did <= HIGHEST_KEY
    require(is_key and did[9:].strip(BASE58) == "", f"{parameter}: this is not the did:key of an Ed25519 key")


def check_text(parameter: str, text: str, most: int) -> None:
    """Refuse a text that people could not read."""
    is_trimmed = text == text.strip() and 1 <= len(text) <= most
    require(is_trimmed, f"{parameter}: 1 to {most} characters, with no space at its ends")
    for char in text:
        is_printable = True in [first <= char <= last for first, last in PRINTABLE]
        require(is_printable, f"{parameter}: letters, digits and usual signs only")


def check_word(parameter: str, word: str) -> None:
    """Refuse what cannot be part of an address, or of a sentence of a program."""
    is_short = 1 <= len(word) <= MAX_NAME
    require(is_short and word.strip(WORD_SIGNS) == "", f"{parameter}: 1 to {MAX_NAME} of a-z, 0-9 and dash")


def check_digest(parameter: str, digest: bytes) -> None:
    require(len(digest) == 32, f"{parameter}: a digest of 32 bytes")


def check_period(valid_from: int, valid_until: int) -> None:
    require(valid_from >= 0, "valid_from: a time in milliseconds, 0 or later")
    require(valid_until > valid_from, "valid_until: later than valid_from")


def page(start: int, limit: int, count: int) -> list:
    """Return the numbers on one page of a list that has so many."""
    require(start >= 0 and 0 <= limit <= MAX_PAGE, f"limit: a page starts at 0 or later and has at most {MAX_PAGE}")
    return list(range(start, min(count, start + limit)))


def check_services(services: list) -> None:
    require(len(services) <= MAX_SERVICES, f"services: at most {MAX_SERVICES}")
    names = {}
    for service in services:
        is_triple = isinstance(service, list) and len(service) == 3
        is_text = is_triple and False not in [isinstance(part, str) for part in service]
        require(is_text, "services: each is [name, type, address]")
        check_word("services", service[0])
        check_text("services", service[1], MAX_NAME)
        check_text("services", service[2], MAX_TEXT)
        is_address = service[2].startswith("https://") and " " not in service[2]
        require(is_address, "services: an address begins with https:// and has no space")
        require(service[0] not in names, "services: each has a name of its own")
        names[service[0]] = True


class Identity(Contract):
    """Keys, guardians, organisations and devices: who may act for a did, and since when."""

    home = Value(str)  # the chain where keys change; "" for this one

    # What a did's document rests on: version 1, 2, ... of each did, each the whole record as it was from then on.
    versions = Map((str, int), dict)
    latest = Map(str, int)
    held = Map((str, str), list)  # (did, key) -> [height from which on, height to which (0: now)]; a key comes once
    guardians = Map(str, dict)
    recoveries = Map((str, int), dict)  # (did, round) -> what guardians have asked for in this round
    names = Map(str, str)  # of organisations -> did
    roles = Map((str, str, str), list)  # (organisation, did, role) -> each time it was given; what was stays
    seats = Map((str, int), list)  # (organisation, number from 0) -> [did, role]
    counts = Map(str, int)  # how many of them
    offers = Map((str, str), dict)  # (organisation, device)
    devices = Map(str, dict)
    fleets = Map((str, int), str)  # (organisation, number from 0) -> device
    fleet_sizes = Map(str, int)
    certificates = Map((str, int), dict)  # (device, number from 1)

    # --- records and keys

    def record_of(self, did: str) -> dict:
        """Return the present record; that of a did nobody has spoken of is a person with its first key."""
        version = self.latest.get(did, 0)
        if version > 0:
            return self.versions[(did, version)]
        record = {"version": 0, "kind": "person", "key": did, "controller": did, "name": "", "services": []}
        record.update({"since": 0, "time": 0, "created": 0, "created_time": 0, "deactivated": False})
        return record

    def live_record(self, parameter: str, did: str) -> dict:
        check_did(parameter, did)
        record = self.record_of(did)
        require(not record["deactivated"], f"{parameter}: this did is deactivated")
        return record

    def own_record(self) -> dict:
        return self.live_record("caller", self.caller)

    def keep(self, did: str, record: dict) -> int:
        """Keep a changed record as the next version."""
        version = record["version"] + 1
        record.update({"version": version, "since": self.height, "time": self.now})
        if version == 1:
            record.update({"created": self.height, "created_time": self.now})
            self.held[(did, did)] = [0, 0]
        self.versions[(did, version)] = record
        self.latest[did] = version
        return version

    def change_key(self, did: str, record: dict, key: str) -> int:
        """Give an account another key; an old one never comes back, for it may be known to others."""
        check_did("key", key)
        require(key != did and (did, key) not in self.held, "key: this account has or had this key: take a new one")
        before = record["key"]
        version = self.leave_key(did, record, key)
        self.held[(did, key)] = [self.height, 0]
        emit("KeyChanged", did=did, key=key, before=before, version=version)
        return version

    def require_home(self) -> None:
        require(self.home == "", f"caller: the keys of accounts change on the chain {self.home}: do this there")

    def leave_key(self, did: str, record: dict, key: str) -> int:
        """Keep the record with another key, or with none."""
        before = record["key"]
        record["key"] = key
        version = self.keep(did, record)
        self.held[(did, before)] = [self.held[(did, before)][0], self.height]
        self.end_round(did)
        return version

    @action
    def rotate(self, key: str) -> int:
        """Sign with another key from now on; returns the version of the record.
        zh: 从现在起用另一把密钥签名；返回记录的版本号。
        """
        self.require_home()
        return self.change_key(self.caller, self.own_record(), key)

    @action
    def deactivate(self) -> None:
        """Close this account for ever: nobody can sign for it any more, and its roles and devices end.
        zh: 永久关闭本账户：不能再签名，其角色和设备随之终止。
        """
        self.require_home()
        self.close(self.caller, self.own_record())

    def close(self, did: str, record: dict) -> int:
        before = record["key"]
        record["deactivated"] = True
        version = self.leave_key(did, record, "")
        emit("KeyChanged", did=did, key="", before=before, version=version)
        return version

    @action
    def take_over(self, did: str, key: str) -> int:
        """Give an account the key that it has got on the chain where keys change, or none; the ledger asks.
        zh: 采用账户在身份主链上的新密钥（空表示已关闭）；由账本调用。
        """
        require(self.caller == "ledger", "caller: only the ledger does this, after it has checked a proof")
        record = self.live_record("did", did)
        return self.change_key(did, record, key) if key else self.close(did, record)

    @view
    def record(self, did: str) -> dict:
        """Show what is known of a did: kind, present key, version, since when.
        zh: 查看某 did 的记录：类别、现用密钥、版本及起始区块。
        """
        check_did("did", did)
        return self.record_of(did)

    @view
    def history(self, did: str, start: int = 0, limit: int = 100) -> list:
        """List the versions of a did's record, the oldest first.
        zh: 分页列出某 did 的各版记录，最早的在前。
        """
        check_did("did", did)
        return [self.versions[(did, number + 1)] for number in page(start, limit, self.latest.get(did, 0))]

    @view
    def version_at(self, did: str, height: int) -> int:
        """Return the version in force after the block of a height; 0 before the first.
        zh: 返回某一高度的区块之后生效的版本；尚无记录时为 0。
        """
        check_did("did", did)
        low, high = 0, self.latest.get(did, 0)
        while low < high:
            middle = (low + high + 1) // 2
            if self.versions[(did, middle)]["since"] <= height:
                low = middle
            else:
                high = middle - 1
        return low

    @view
    def was_key(self, did: str, key: str, height: int) -> bool:
        """Tell whether a key could sign for a did in the block of a height; both could, in that of the change.
        zh: 查询某密钥在某高度能否代表某 did 签名；更换当块两把都算。
        """
        check_did("did", did)
        check_did("key", key)
        if (did, key) not in self.held:
            return key == did  # the first key of an account nobody has spoken of
        first, last = self.held[(did, key)]
        return first <= height and (last == 0 or height <= last)

    # --- guardians

    @action
    def guard(self, guardians: list[bytes], threshold: int, wait_ms: int) -> None:
        """Name guardians by salted digests; `threshold` of them can give this account another key after a wait.
        zh: 以加盐摘要指定监护人；其中达到门槛的人数可在等待期后为本账户换密钥。
        """
        self.require_home()
        self.own_record()
        count = len(guardians)
        require(1 <= count <= MAX_GUARDIANS, f"guardians: 1 to {MAX_GUARDIANS}, not {count}")
        require(1 <= threshold <= count, f"threshold: 1 to {count}, the number of guardians, not {threshold}")
        require(1 <= wait_ms <= MAX_WAIT_MS, f"wait_ms: 1 to {MAX_WAIT_MS} milliseconds")
        for digest in guardians:
            check_digest("guardians", digest)
            require(guardians.count(digest) == 1, "guardians: one is named twice")
        self.end_round(self.caller)
        own = self.guarded(self.caller)
        own.update({"digests": guardians, "threshold": threshold, "wait_ms": wait_ms})
        self.guardians[self.caller] = own
        emit("Guarded", did=self.caller, guardians=count, threshold=threshold, wait_ms=wait_ms)

    def guarded(self, did: str) -> dict:
        return self.guardians.get(did, {"round": 1, "digests": [], "threshold": 0, "wait_ms": 0})

    def end_round(self, did: str) -> None:
        """Forget what guardians have asked for."""
        if did in self.guardians:
            own = self.guardians[did]
            own["round"] += 1
            self.guardians[did] = own

    @action
    def support(self, did: str, key: str, salt: bytes) -> int:
        """As a guardian, ask that an account gets another key; returns how many guardians have asked for it.
        zh: 监护人请求为某账户换上新密钥；返回已提出请求的人数。
        """
        self.require_home()
        self.live_record("did", did)
        check_did("key", key)
        require((did, key) not in self.held and key != did, "key: this account has or had this key: take a new one")
        require(self.caller != did, "caller: nobody is the guardian of the own account")
        require(len(salt) == 32, "salt: the 32 bytes that the owner gave to this guardian")
        own = self.guarded(did)
        is_guardian = sha256(COMMITMENT + salt + self.caller.encode()) in own["digests"]
        require(is_guardian, "salt: with this salt, the caller is no guardian of this account")
        asked = self.recoveries.get((did, own["round"]), {})
        for other in list(asked):
            if self.caller in asked[other]["by"]:
                require(other != key, "caller: this guardian has asked for this key already")
                asked[other]["by"].remove(self.caller)
                self.settle(did, other, asked[other], own)
        case = asked.get(key, {"by": [], "ready": 0})
        case["by"].append(self.caller)
        self.settle(did, key, case, own)
        asked[key] = case
        self.recoveries[(did, own["round"])] = {other: asked[other] for other in asked if asked[other]["by"]}
        return len(case["by"])

    def settle(self, did: str, key: str, case: dict, own: dict) -> None:
        """Let the wait begin once enough guardians have asked, and end it when there are too few again."""
        is_enough = len(case["by"]) >= own["threshold"]
        if not is_enough:
            case["ready"] = 0
        elif case["ready"] == 0:
            case["ready"] = self.now + own["wait_ms"]
            emit("RecoveryBegun", did=did, key=key, ready=case["ready"])

    @action
    def refuse(self) -> None:
        """As the owner, refuse what guardians have asked for.
        zh: 账户本人拒绝监护人提出的请求。
        """
        self.own_record()
        own = self.guarded(self.caller)
        require((self.caller, own["round"]) in self.recoveries, "caller: no guardian of this account asks for anything")
        self.end_round(self.caller)
        emit("RecoveryRefused", did=self.caller)

    @action
    def recover(self, did: str, key: str) -> int:
        """Give an account the key that its guardians have asked for, after the wait; anybody may.
        zh: 等待期满后，为账户换上监护人请求的密钥；任何人可操作。
        """
        self.require_home()
        record = self.live_record("did", did)
        check_did("key", key)
        own = self.guarded(did)
        asked = self.recoveries.get((did, own["round"]), {})
        require(key in asked, "key: no guardian asks for this key: see recovery")
        needed, count = own["threshold"], len(asked[key]["by"])
        require(count >= needed, f"key: {count} of the {needed} guardians needed have asked for it")
        ready = asked[key]["ready"]
        require(self.now >= ready, f"key: the owner may refuse until {ready}, it is {self.now}")
        return self.change_key(did, record, key)

    @view
    def recovery(self, did: str) -> dict:
        """Show how an account is guarded, and which keys its guardians ask for.
        zh: 查看某账户的监护设置以及监护人请求的密钥。
        """
        check_did("did", did)
        own = self.guarded(did)
        asked = self.recoveries.get((did, own["round"]), {})
        count = len(own["digests"])
        return {"guardians": count, "threshold": own["threshold"], "wait_ms": own["wait_ms"], "asked": asked}

    # --- organisations

    @action
    def found(self, name: str, services: list) -> None:
        """Make this account that of an organisation, with a public name and services [name, type, address].
        zh: 将本账户登记为机构，公开其名称和服务 [名称, 类型, 地址]。
        """
        record = self.own_record()
        require(record["kind"] == "person", "caller: this account is that of an organisation or a device already")
        check_text("name", name, MAX_NAME)
        require(name not in self.names, "name: another organisation has it")
        check_services(services)
        self.names[name] = self.caller
        record.update({"kind": "organisation", "name": name, "services": services})
        self.keep(self.caller, record)
        emit("Founded", did=self.caller, name=name)

    @action
    def publish(self, services: list) -> None:
        """Replace the services of this organisation.
        zh: 更新本机构公布的服务。
        """
        record = self.organisation("caller", self.caller)
        check_services(services)
        record["services"] = services
        self.keep(self.caller, record)
        emit("Published", did=self.caller)

    def organisation(self, parameter: str, did: str) -> dict:
        record = self.live_record(parameter, did)
        is_one = record["kind"] == "organisation"
        require(is_one, f"{parameter}: this did is not that of an organisation: found it first")
        return record

    @action
    def grant_role(self, did: str, role: str, valid_from: int, valid_until: int) -> None:
        """Give a role in this organisation for a time, in milliseconds; from now on at the earliest.
        zh: 在本机构内授予角色，并规定起止时间（毫秒）；最早从现在起。
        """
        self.organisation("caller", self.caller)
        self.live_record("did", did)
        check_word("role", role)
        check_period(valid_from, valid_until)
        require(valid_until > self.now, "valid_until: later than now")
        place = (self.caller, did, role)
        grants = self.roles.get(place, [])
        require(len(grants) < MAX_GRANTS, f"role: this did was given it {MAX_GRANTS} times already")
        if not grants:
            number = self.counts.get(self.caller, 0)
            self.seats[(self.caller, number)] = [did, role]
            self.counts[self.caller] = number + 1
        begin = max(valid_from, self.now)
        grants.append({"from": begin, "until": valid_until, "revoked": 0})
        self.roles[place] = grants
        period = {"from": begin, "until": valid_until}
        emit("RoleGranted", organisation=self.caller, did=did, role=role, period=period)

    @action
    def revoke_role(self, did: str, role: str) -> None:
        """Take a role away from now on, also one that is still to begin; what was done with it before stands.
        zh: 即刻收回角色；此前以该角色所做之事仍然有效。
        """
        self.organisation("caller", self.caller)
        grants = self.roles.get((self.caller, did, role), [])
        present = [grant for grant in grants if grant["revoked"] == 0 and self.now < grant["until"]]
        require(len(present) > 0, "role: this did does not have it here")
        for grant in present:
            grant["revoked"] = self.now
        self.roles[(self.caller, did, role)] = grants
        emit("RoleRevoked", organisation=self.caller, did=did, role=role)

    @view
    def has_role(self, organisation: str, did: str, role: str, at: int = 0) -> bool:
        """Tell whether a did has a role in an organisation at a time (0: now).
        zh: 查询某 did 在某一时刻是否在某机构担任某角色（0 表示现在）。
        """
        check_did("organisation", organisation)
        check_did("did", did)
        check_word("role", role)
        time, grants = at or self.now, self.roles.get((organisation, did, role), [])
        is_closed = self.is_closed(did, time) or self.is_closed(organisation, time)
        return True in [self.is_open(grant, time) for grant in grants] and not is_closed

    def is_open(self, grant: dict, time: int) -> bool:
        return grant["from"] <= time < grant["until"] and (grant["revoked"] == 0 or time < grant["revoked"])

    def is_closed(self, did: str, time: int) -> bool:
        record = self.record_of(did)
        return record["deactivated"] and record["time"] <= time

    @view
    def role_holders(self, organisation: str, start: int = 0, limit: int = 100) -> list:
        """List the roles an organisation gave, as it last did: [did, role, valid_from, valid_until, revoked (0: not)].
        zh: 分页列出机构最近授予的角色：[did, 角色, 起, 止, 收回时间（0 为未收回）]。
        """
        check_did("organisation", organisation)
        found = []
        for number in page(start, limit, self.counts.get(organisation, 0)):
            did, role = self.seats[(organisation, number)]
            grant = self.roles[(organisation, did, role)][-1]
            found.append([did, role, grant["from"], grant["until"], grant["revoked"]])
        return found

    # --- devices

    @action
    def enrol(self, device: str, model: str, serial: bytes, accreditor: str) -> None:
        """Offer a device a place: its model, a salted commitment to its serial number, who accredits laboratories.
        zh: 为设备提供登记名额：型号、序列号的加盐承诺、负责认可实验室的机构。
        """
        self.organisation("caller", self.caller)
        self.organisation("accreditor", accreditor)
        check_text("model", model, MAX_NAME)
        check_digest("serial", serial)
        require(self.live_record("device", device)["kind"] == "person", "device: this did has a place already")
        self.offers[(self.caller, device)] = {"model": model, "serial": serial, "accreditor": accreditor}
        emit("DeviceOffered", organisation=self.caller, device=device)

    @action
    def join(self, organisation: str) -> None:
        """As a device, take the place that an organisation has offered.
        zh: 设备接受某机构提供的登记名额。
        """
        record = self.own_record()
        require(record["kind"] == "person", "caller: this account is that of an organisation or a device already")
        self.organisation("organisation", organisation)
        offered = (organisation, self.caller) in self.offers
        require(offered, "organisation: it has offered this device no place: enrol it first")
        record.update({"kind": "device", "controller": organisation})
        self.keep(self.caller, record)
        device = self.offers[(organisation, self.caller)]
        device.update({"organisation": organisation, "enrolled": self.now, "certificates": 0, "suspensions": []})
        device.update({"revoked": 0, "why": ""})
        self.devices[self.caller] = device
        number = self.fleet_sizes.get(organisation, 0)
        self.fleets[(organisation, number)] = self.caller
        self.fleet_sizes[organisation] = number + 1
        emit("DeviceEnrolled", organisation=organisation, device=self.caller, model=device["model"])

    def device_of(self, did: str) -> dict:
        check_did("device", did)
        require(did in self.devices, "device: this did is not that of an enrolled device")
        return self.devices[did]

    def own_device(self, did: str) -> dict:
        device = self.device_of(did)
        require(device["organisation"] == self.caller, "caller: only the organisation that enrolled this device may")
        require(device["revoked"] == 0, "device: it is revoked for good")
        return device

    @action
    def certify(self, device: str, digest: bytes, valid_from: int, valid_until: int) -> int:
        """As an accredited laboratory, say for how long a device measures truly; returns the certificate's number.
        zh: 经认可的实验室出具校准证书的摘要及有效期；返回证书编号。
        """
        known = self.device_of(device)
        check_digest("digest", digest)
        check_period(valid_from, valid_until)
        is_accredited = self.has_role(known["accreditor"], self.caller, "laboratory")
        require(is_accredited, "caller: this did is not a laboratory that the device's accreditor has accredited")
        require(known["revoked"] == 0, "device: it is revoked for good")
        number = known["certificates"] + 1
        require(number <= MAX_CERTIFICATES, f"device: it has {MAX_CERTIFICATES} certificates already: enrol a new one")
        known["certificates"] = number
        self.devices[device] = known
        certificate = {"digest": digest, "by": self.caller, "from": valid_from, "until": valid_until}
        self.certificates[(device, number)] = certificate
        emit("Certified", device=device, number=number, by=self.caller, valid_from=valid_from, valid_until=valid_until)
        return number

    @action
    def suspend(self, device: str, reason: str) -> None:
        """Let a device not count until it is reinstated.
        zh: 暂停设备，并说明理由；恢复之前其数据不计。
        """
        known = self.own_device(device)
        check_text("reason", reason, MAX_TEXT)
        spans = known["suspensions"]
        require(not spans or spans[-1][1] > 0, "device: it is suspended already")
        require(len(spans) < MAX_SUSPENSIONS, f"device: it was suspended {MAX_SUSPENSIONS} times already: revoke it")
        spans.append([self.now, 0, reason])
        self.devices[device] = known
        emit("DeviceSuspended", device=device, reason=reason)

    @action
    def reinstate(self, device: str) -> None:
        """Let a suspended device count again.
        zh: 恢复被暂停的设备。
        """
        known = self.own_device(device)
        spans = known["suspensions"]
        require(len(spans) > 0 and spans[-1][1] == 0, "device: it is not suspended")
        spans[-1][1] = self.now
        self.devices[device] = known
        emit("DeviceReinstated", device=device)

    @action
    def revoke_device(self, device: str, reason: str) -> None:
        """Let a device never count again; what it measured before stands.
        zh: 永久注销设备；此前的测量仍然有效。
        """
        known = self.own_device(device)
        check_text("reason", reason, MAX_TEXT)
        known.update({"revoked": self.now, "why": reason})
        self.devices[device] = known
        emit("DeviceRevoked", device=device, reason=reason)

    @view
    def device(self, did: str) -> dict:
        """Show a device: its organisation, model, commitment to its serial number, suspensions.
        zh: 查看设备：所属机构、型号、序列号承诺、暂停记录。
        """
        check_did("did", did)
        return self.device_of(did)

    @view
    def device_certificates(self, did: str, start: int = 0, limit: int = 100) -> list:
        """List the calibration certificates of a device, the oldest first.
        zh: 分页列出设备的校准证书，最早的在前。
        """
        count = self.device_of(did)["certificates"]
        return [self.certificates[(did, number + 1)] for number in page(start, limit, count)]

    @view
    def fleet(self, organisation: str, start: int = 0, limit: int = 100) -> list:
        """List the devices of an organisation, in the order in which they were enrolled.
        zh: 分页列出机构的设备，按登记先后排列。
        """
        check_did("organisation", organisation)
        count = self.fleet_sizes.get(organisation, 0)
        return [self.fleets[(organisation, number)] for number in page(start, limit, count)]

    @view
    def device_state(self, did: str, at: int = 0) -> dict:
        """Answer whether a device counts at a time (0: now): active, or why it does not.
        zh: 回答设备在某一时刻是否有效（0 表示现在），以及原因。
        """
        known = self.device_of(did)
        time = at or self.now
        require(time >= known["enrolled"], "at: the device was not enrolled then")
        if known["revoked"] > 0 and time >= known["revoked"]:
            return {"state": "revoked", "reason": known["why"], "certificate": 0}
        if self.is_closed(did, time) or self.is_closed(known["organisation"], time):
            return {"state": "revoked", "reason": "its account or its organisation is deactivated", "certificate": 0}
        for begun, ended, reason in known["suspensions"]:
            if begun <= time and (ended == 0 or time < ended):
                return {"state": "suspended", "reason": reason, "certificate": 0}
        return self.calibration(did, known["certificates"], time)

    def calibration(self, did: str, last: int, time: int) -> dict:
        """Look for the newest certificate that covers a time."""
        ended = 0
        for number in reversed(range(1, last + 1)):
            found = self.certificates[(did, number)]
            if found["from"] <= time < found["until"]:
                return {"state": "active", "reason": "calibrated", "certificate": number}
            if found["until"] <= time:
                ended = max(ended, found["until"])
        if ended > 0:
            return {"state": "expired", "reason": f"its calibration ended at {ended}", "certificate": 0}
        return {"state": "not yet calibrated", "reason": "no certificate covers this time", "certificate": 0}
