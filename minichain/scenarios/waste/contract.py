# mypy: disable-error-code="type-arg"
"""Garbage custody: the rules of a waste manifest, from its draft to the certificate of treatment.

The chain proves who signed what and when; it does not prove that the waste is really there. Nothing about a person
is stored: parties are DIDs and site numbers, and everything personal is kept outside under a salted commitment.
Thresholds and deadlines are data: they stand in the rules (a jurisdiction profile) that the office adopts.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

DAY = 86_400_000  # milliseconds
MAX_LINES = 50
MAX_LEGS = 10
MAX_ITEMS = 100  # of a list inside a line
MAX_TEXT = 255
MAX_LOG = 200
PAGE = 50
OPEN_END = 9_000_000_000_000_000  # milliseconds: a permit without an end

ROLES = ("generator", "transporter", "facility", "broker", "regulator")
BEFORE_PICKUP = ("Pending", "Scheduled")
AT_FACILITY = ("Received", "ReadyForSignature")
SIGNED = ("Signed", "Corrected", "Treated", "Disposed")
FINAL = ("Cancelled", "ReturnedToGenerator", "Treated", "Disposed")
INCIDENTS = ("spill", "fire", "theft", "accident", "delay", "other")

# What one unit is: micrograms of mass, or nanolitres of volume. A pound, a short ton, a US gallon and a cubic yard
# are exact by definition.
UNITS = {
    "K": ("mass", 1_000_000_000),
    "M": ("mass", 1_000_000_000_000),
    "P": ("mass", 453_592_370),
    "T": ("mass", 907_184_740_000),
    "L": ("volume", 1_000_000_000),
    "N": ("volume", 1_000_000_000_000),
    "G": ("volume", 3_785_411_784),
    "Y": ("volume", 764_554_857_984),
}

# The fields of a waste line, of its report and of an origin; a default also says the type.
LINE = {
    "line": 0,
    "description": "",
    "hazardous": False,
    "dot": "",
    "codes": (),
    "local_codes": (),
    "waste_class": "",
    "containers": 0,
    "container_type": "",
    "container_ids": (),
    "quantity": 0,
    "unit": "",
    "density": 0,  # grams per litre; 0 is unknown
    "method": "",
    "origins": (),
}
ORIGIN = {"manifest": "", "line": 0, "part": "", "quantity": 0}
REPORT = {
    "line": 0,
    "unit": "",
    "density": 0,
    "received": 0,
    "containers": 0,
    "accepted": 0,
    "rejected": 0,
    "residue": 0,
    "loss": 0,
    "same_type": True,
    "method": "",
    "comment": "",
}
ARRIVED = {
    "received": 0,
    "received_containers": 0,
    "accepted": 0,
    "rejected": 0,
    "residue": 0,
    "loss": 0,
    "same_type": True,
    "comment": "",
}
PARTS = ("accepted", "rejected", "residue")
CORRECTABLE = (
    "description",
    "hazardous",
    "dot",
    "codes",
    "local_codes",
    "waste_class",
    "containers",
    "container_type",
    "quantity",
    "density",
    "method",
    "received",
    "received_containers",
    "accepted",
    "rejected",
    "residue",
    "loss",
    "same_type",
    "comment",
)
RULES = {
    "id": "",
    "title": "",
    "as_of": "",
    "numbers": "",
    "sites": "",
    "codes": (),
    "class_prefix": "",
    "container_types": (),
    "bulk_types": (),
    "bulk_percent": 0,
    "batch_percent": 0,
    "clocks": (),
    "sources": (),
}
CLOCK = {"id": "", "since": "", "until": "", "days": 0, "duty": "", "categories": (), "source": "", "as_of": "", "check": ""}


# --- text and numbers --------------------------------------------------------------------------------------------


def complete(given: dict, fields: dict, what: str) -> dict:
    """Return all fields of a record, defaults filled in; refuses unknown fields and wrong types."""
    for name in given.keys():
        require(name in fields, f"{what} has no field {name}: nothing else belongs on the chain, keep it in the private part")
    full = {}
    for name, default in fields.items():
        value = given.get(name, default)
        if isinstance(default, tuple):
            require(isinstance(value, (list, tuple)), f"{what}: {name} is a list")
            require(len(value) <= MAX_ITEMS, f"{what}: {name} has at most {MAX_ITEMS} items")
            value = list(value)
        elif isinstance(default, bool):
            require(isinstance(value, bool), f"{what}: {name} is True or False")
        elif isinstance(default, int):
            require(isinstance(value, int) and not isinstance(value, bool), f"{what}: {name} is a whole number")
            require(value >= 0, f"{what}: {name} is never negative")
        else:
            require(isinstance(value, str), f"{what}: {name} is text")
            require(len(value) <= MAX_TEXT, f"{what}: {name} has at most {MAX_TEXT} characters")
        full[name] = value
    return full


def fits(mask: str, text: str) -> bool:
    """Tell whether a text has the form of a mask: 9 is a digit, A a capital letter, * a letter or digit."""
    if len(mask) != len(text):
        return False
    for pattern, char in zip(mask, text):
        if pattern == "9":
            good = char.isdigit()
        elif pattern == "A":
            good = char.isalpha() and char == char.upper()
        elif pattern == "*":
            good = char.isalnum()
        else:
            good = char == pattern
        if not good:
            return False
    return True


def fits_one(masks: list, text: str) -> bool:
    for mask in masks:
        if fits(mask, text):
            return True
    return False


def is_digest(text: str) -> bool:
    for char in text:
        if not (char.isdigit() or char in "abcdef"):
            return False
    return len(text) == 64


def check_public(text: str, what: str) -> None:
    """Refuse an empty text, and one that looks as if it held a telephone number or a mail address."""
    require(text.strip() != "", f"{what} is missing: say it in one plain sentence")
    require(len(text) <= MAX_TEXT, f"{what} has at most {MAX_TEXT} characters")
    digits = text
    for char in " -.()/+":
        digits = digits.replace(char, "")
    for char in "123456789":
        digits = digits.replace(char, "0")
    is_plain = "@" not in text and "0000000" not in digits
    require(is_plain, f"{what} seems to hold a telephone number or mail address: everybody reads the chain, leave it out")


def convert(amount: int, unit: str, target: str, density: int, line: int) -> int:
    """Express an amount in another unit, to the nearest whole one; volume and mass need a density."""
    if unit == target:
        return amount
    require(unit in UNITS, f"line {line}: unit {unit} is unknown, use one of {', '.join(UNITS.keys())}")
    kind, size = UNITS[unit]
    target_kind, target_size = UNITS[target]
    total = amount * size
    if kind != target_kind:
        require(density > 0, f"line {line}: volume ({unit}) and mass ({target}) differ: state the density in grams per litre")
        total = total * density // 1000 if kind == "volume" else total * 1000 // density
    return (2 * total + target_size) // (2 * target_size)


# --- waste lines -------------------------------------------------------------------------------------------------


def check_line(rules: dict, line: dict) -> None:
    """Refuse a waste line that breaks a rule of form."""
    name = f"line {line['line']}"
    check_public(line["description"], f"{name}: the description")
    require(line["quantity"] > 0, f"{name}: the quantity is 0; weigh or measure the waste and state a whole number above 0")
    require(line["unit"] in UNITS, f"{name}: unit {line['unit']} is unknown, use one of {', '.join(UNITS.keys())}")
    require(line["containers"] > 0, f"{name}: the number of containers is 0; count them")
    types = rules["container_types"]
    require(line["container_type"] in types, f"{name}: container type {line['container_type']} is not one of {', '.join(types)}")
    ids = line["container_ids"]
    require(len(ids) in (0, line["containers"]), f"{name}: {len(ids)} container ids for {line['containers']} containers; name all or none")
    for code in line["codes"]:
        require(fits_one(rules["codes"], code), f"{name}: waste code {code} does not have the form {' or '.join(rules['codes'])}")
        prefix = rules["class_prefix"]
        if prefix:
            right = prefix + code[-2:]
            require(line["waste_class"] == right, f"{name}: code {code} belongs to class {right}, not {line['waste_class']}; correct one of them")
    has_code = len(line["codes"]) + len(line["local_codes"]) > 0
    require(has_code or not line["hazardous"], f"{name}: hazardous waste needs at least one waste code")


def differences(rules: dict, line: dict) -> list[str]:
    """Name the kinds of discrepancy of a received line; a share of exactly the threshold is none."""
    kinds = []
    is_bulk = line["container_type"] in rules["bulk_types"]
    percent = rules["bulk_percent"] if is_bulk else rules["batch_percent"]
    off = abs(line["received"] - line["quantity"]) * 100
    if off > percent * line["quantity"] and (is_bulk or percent > 0):
        kinds.append("quantity")
    if not is_bulk and line["received_containers"] != line["containers"]:
        kinds.append("pieces")
    if not line["same_type"]:
        kinds.append("type")
    if line["rejected"] > 0:
        kinds.append("rejection")
    if line["residue"] > 0:
        kinds.append("residue")
    return kinds


def check_balance(line: dict) -> None:
    """Refuse a report that loses or makes waste, or does not explain itself."""
    name = f"line {line['line']}"
    parts = line["accepted"] + line["rejected"] + line["residue"] + line["loss"]
    require(
        line["received"] == parts,
        f"{name}: {line['received']} received, but accepted + rejected + residue + explained loss is {parts}; account for all of it",
    )
    for part in PARTS:
        gone = line["onward"][part]
        require(line[part] >= gone, f"{name}: {gone} of the {part} part already left on another manifest")
    if line["loss"] > 0:
        require(line["comment"] != "", f"{name}: explain the loss in a comment")
    if line["comment"]:
        check_public(line["comment"], f"{name}: the comment")


def judge(rules: dict, manifest: dict, now: int) -> None:
    """Bring the discrepancies of a manifest into line with its figures; each needs a comment."""
    before = manifest["discrepancies"]
    after = []
    is_open = False
    for line in manifest["lines"]:
        for kind in differences(rules, line):
            require(line["comment"] != "", f"line {line['line']}: a comment is mandatory for a discrepancy of {kind}")
            known = [entry for entry in before if entry["line"] == line["line"] and entry["kind"] == kind]
            needs_answer = kind in ("quantity", "pieces", "type")
            after.append(known[0] if known else {"line": line["line"], "kind": kind, "open": needs_answer, "answer": ""})
            is_open = is_open or after[-1]["open"]
    manifest["discrepancies"] = after
    if is_open:
        manifest["times"]["discrepancy"] = manifest["times"].get("discrepancy", now)
    elif "discrepancy" in manifest["times"]:
        manifest["times"]["reconciled"] = manifest["times"].get("reconciled", now)


def total(manifest: dict, part: str) -> int:
    """Add up one figure over all lines, whatever their units: only good for asking whether there is any."""
    return sum([line.get(part, 0) for line in manifest["lines"]])


def outcome(manifest: dict) -> str:
    """Say in one word what became of the load, as far as it is known."""
    if manifest["state"] in ("Cancelled", "ReturnedToGenerator"):
        return manifest["state"]
    if manifest["rejections"] or (total(manifest, "rejected") > 0 and total(manifest, "accepted") == 0):
        return "FullyRejected"
    return "PartiallyRejected" if total(manifest, "rejected") > 0 else ""


class WasteCustody(Contract):
    """Keep the custody of waste: parties, manifests, signatures in order, discrepancies, rejections, deadlines."""

    office = Value(str)
    edition = Value(int)
    editions = Map(int, dict)
    parties = Map(str, dict)
    drafts = Map(str, dict)
    manifests = Map(str, dict)
    versions = Map((str, int), dict)
    containers = Map(str, str)  # id of a container -> the manifest it travels on
    watched = Map(str, bool)  # manifests whose clocks may run
    book = Map((str, int), str)  # reader, position -> a manifest that concerns the reader
    booked = Map(str, int)

    def setup(self, operator: str, profile: dict) -> None:
        self.office = operator
        self.keep_rules(profile)

    # --- the office ----------------------------------------------------------------------------------------------

    def keep_rules(self, profile: dict) -> None:
        rules = complete(profile, RULES, "a profile")
        rules["clocks"] = [complete(clock, CLOCK, "a clock") for clock in rules["clocks"]]
        require(rules["container_types"], "a profile lists the container types that may be used")
        self.edition += 1
        self.editions[self.edition] = rules

    def check_office(self) -> None:
        require(self.caller == self.office, "only the office may do this: ask the office")

    @action
    def adopt(self, profile: dict) -> int:
        """Adopt new rules; manifests that have a number keep the rules they were numbered under."""
        self.check_office()
        self.keep_rules(profile)
        emit("RulesAdopted", edition=self.edition, profile=profile["id"])
        return self.edition

    @action
    def register(
        self,
        did: str,
        roles: list[str],
        site: str,
        jurisdiction: str,
        category: str = "",
        codes: list[str] | None = None,
        methods: list[str] | None = None,
        valid_from: int = 0,
        valid_until: int = OPEN_END,
    ) -> None:
        """Register a party, or replace what is registered: its roles, its site and what its permit covers."""
        self.check_office()
        require(did.startswith("did:"), "a party is registered by its DID")
        require(len(roles) > 0, f"a party has at least one role of {', '.join(ROLES)}")
        for role in roles:
            require(role in ROLES, f"role {role} is unknown, use one of {', '.join(ROLES)}")
        mask = self.editions[self.edition]["sites"]
        needs_site = mask != "" and roles != ["regulator"]
        require(not needs_site or fits(mask, site), f"site number {site} does not have the form {mask}")
        require(len(site) <= 40 and len(jurisdiction) <= 40 and len(category) <= 40, "site, jurisdiction and category have at most 40 characters")
        self.parties[did] = {
            "did": did,
            "roles": roles,
            "site": site,
            "jurisdiction": jurisdiction,
            "category": category,
            "codes": codes or [],
            "methods": methods or [],
            "valid_from": valid_from,
            "valid_until": valid_until,
            "active": True,
        }
        emit("PartyRegistered", did=did, roles=roles, site=site, jurisdiction=jurisdiction)

    @action
    def suspend(self, did: str, reason: str) -> None:
        """Suspend a party: it can take over no more waste until it is registered again."""
        self.check_office()
        check_public(reason, "the reason")
        party = self.known(did)
        party["active"] = False
        self.parties[did] = party
        emit("PartySuspended", did=did, reason=reason)

    # --- looking up ----------------------------------------------------------------------------------------------

    def known(self, did: str) -> dict:
        require(did in self.parties, f"{did} is not registered: ask the office to register this party")
        return self.parties[did]

    def found(self, number: str) -> dict:
        require(number in self.manifests, f"there is no manifest {number}: check the number, or submit the draft first")
        return self.manifests[number]

    def rules_of(self, manifest: dict) -> dict:
        return self.editions[manifest["rules"]]

    def check_party(self, did: str, role: str) -> dict:
        party = self.known(did)
        require(role in party["roles"], f"{did} is not registered as {role}: choose another party, or ask the office")
        require(party["active"], f"{did} is suspended: choose another party, or ask the office")
        return party

    def check_permit(self, did: str, role: str, lines: list[dict]) -> None:
        """Refuse a party that may not take this waste now."""
        party = self.check_party(did, role)
        is_valid = party["valid_from"] <= self.now <= party["valid_until"]
        require(is_valid, f"the permit of site {party['site']} is not valid today: choose another {role}")
        for line in lines:
            for code in line["codes"] + line["local_codes"]:
                covered = code in party["codes"] or "*" in party["codes"]
                require(covered, f"line {line['line']}: waste code {code} is outside the permit of {role} site {party['site']}; choose another {role}")

    def parties_of(self, manifest: dict) -> list[str]:
        named = [manifest["generator"], manifest["offeror"]] + manifest["transporters"]
        named += [manifest["facility"], manifest["destination"], manifest["alternate"], manifest["broker"]]
        named += [rejection["by"] for rejection in manifest["rejections"]]
        return [did for did in named if did]

    def check_involved(self, manifest: dict) -> None:
        require(self.caller in self.parties_of(manifest), "only the parties on this manifest may do this")

    def check_preparer(self, manifest: dict) -> None:
        allowed = [manifest["preparer"], manifest["generator"], manifest["offeror"], manifest["broker"]]
        require(self.caller in allowed, "only the generator, or who prepared the manifest for it, may do this")

    # --- keeping -------------------------------------------------------------------------------------------------

    def enter(self, manifest: dict) -> None:
        """List the manifest for its parties and for the authorities of origin and destination."""
        readers = self.parties_of(manifest)
        ends = [manifest["generator"], manifest["facility"], manifest["destination"]]
        readers += ["in " + self.known(did)["jurisdiction"] for did in ends if did]
        for reader in readers:
            if reader not in manifest["readers"]:
                position = self.booked.get(reader, 0)
                self.book[(reader, position)] = manifest["number"]
                self.booked[reader] = position + 1
                manifest["readers"].append(reader)

    def keep(self, manifest: dict, act: str, note: str = "") -> str:
        """Write a manifest back with one more line in its log, and announce it; returns its state."""
        require(len(manifest["log"]) < MAX_LOG, f"a manifest has at most {MAX_LOG} entries: begin another one")
        last = manifest["log"][-1]["at"] if manifest["log"] else 0
        require(self.now >= last, "the time of this block lies before the last signature: send it again")
        manifest["log"].append({"at": self.now, "by": self.caller, "act": act, "note": note})
        number = manifest["number"]
        is_settled = manifest["state"] in FINAL
        if manifest["state"] in SIGNED and total(manifest, "accepted") == 0:
            is_settled = not [entry for entry in manifest["discrepancies"] if entry["open"]]
        if is_settled and number in self.watched:
            del self.watched[number]
        self.manifests[number] = manifest
        emit("Manifest", number=number, act=act, state=manifest["state"], custodian=manifest["custodian"])
        return manifest["state"]

    def sign_as(self, manifest: dict, role: str, order: int) -> None:
        manifest["signatures"].append({"role": role, "order": order, "who": self.caller, "at": self.now})

    def claim(self, manifest: dict) -> None:
        """Bind the containers, and take what this load continues out of the manifests it comes from."""
        for line in manifest["lines"]:
            for name in line["container_ids"]:
                holder = self.containers.get(name, "")
                require(holder == "", f"container {name} travels on manifest {holder}: close that one first, or correct the id")
                self.containers[name] = manifest["number"]
            for origin in line["origins"]:
                self.continue_from(manifest, line, origin)
        back = [number for number in manifest["previous"] if self.manifests[number]["generator"] == manifest["facility"]]
        manifest["returning"] = back != []

    def continue_from(self, manifest: dict, line: dict, origin: dict) -> None:
        name = f"line {line['line']}"
        parent = self.found(origin["manifest"])
        require(parent["state"] in SIGNED, f"{name}: manifest {parent['number']} is not signed by its facility yet: wait for it")
        require(parent["custodian"] == manifest["offeror"], f"{name}: the waste of manifest {parent['number']} is not with you: its holder must offer it")
        require(1 <= origin["line"] <= len(parent["lines"]), f"{name}: manifest {parent['number']} has no line {origin['line']}")
        source = parent["lines"][origin["line"] - 1]
        part = origin["part"]
        require(part in PARTS, f"{name}: the part is one of {', '.join(PARTS)}")
        left = source[part] - source["onward"][part]
        require(0 < origin["quantity"] <= left, f"{name}: {left} {source['unit']} {part} are left on manifest {parent['number']}; you ask for {origin['quantity']}")
        source["onward"][part] += origin["quantity"]
        if manifest["number"] not in parent["next"]:
            parent["next"].append(manifest["number"])
        if parent["number"] not in manifest["previous"]:
            manifest["previous"].append(parent["number"])
        self.manifests[parent["number"]] = parent

    def release(self, manifest: dict) -> None:
        for line in manifest["lines"]:
            for name in line["container_ids"]:
                if self.containers.get(name, "") == manifest["number"]:
                    del self.containers[name]

    def unclaim(self, manifest: dict) -> None:
        self.release(manifest)
        for line in manifest["lines"]:
            for origin in line["origins"]:
                parent = self.found(origin["manifest"])
                parent["lines"][origin["line"] - 1]["onward"][origin["part"]] -= origin["quantity"]
                parent["next"] = [number for number in parent["next"] if number != manifest["number"]]
                self.manifests[parent["number"]] = parent
        manifest["previous"] = []

    # --- preparing -----------------------------------------------------------------------------------------------

    @action
    def draft(
        self,
        reference: str,
        generator: str,
        transporters: list[str],
        facility: str,
        lines: list[dict],
        commitment: str,
        offeror: str = "",
        broker: str = "",
        alternate: str = "",
        consent: str = "",
    ) -> str:
        """Write or rewrite a draft; it has a reference of its own but no tracking number yet."""
        require(1 <= len(reference) <= 40, "a draft has a reference of 1 to 40 characters")
        old = self.drafts.get(reference, None)
        require(old is None or old["preparer"] == self.caller, f"draft {reference} belongs to somebody else: choose another reference")
        manifest = {
            "number": "",
            "state": "NotAssigned",
            "rules": self.edition,
            "preparer": self.caller,
            "custodian": offeror or generator,
            "position": 0,
            "offered": 0,
            "signatures": [],
            "times": {},
            "rejections": [],
            "returning": False,
            "previous": [],
            "next": [],
            "discrepancies": [],
            "incidents": [],
            "version": 1,
            "attempts": 0,
            "correction": {},
            "treatment": {},
            "readers": [],
            "log": [],
        }
        self.fill(manifest, generator, transporters, facility, lines, commitment, offeror, broker, alternate, consent)
        self.drafts[reference] = manifest
        emit("Drafted", reference=reference, by=self.caller)
        return reference

    def fill(self, manifest, generator, transporters, facility, lines, commitment, offeror, broker, alternate, consent) -> None:
        """Put the content of a form into a manifest, checked as far as it goes."""
        require(is_digest(commitment), "the commitment is the SHA-256 of salt and private part, in 64 small hex digits")
        require(1 <= len(transporters) <= MAX_LEGS, f"name 1 to {MAX_LEGS} transporters, in their order")
        require(len(lines) <= MAX_LINES, f"a manifest has at most {MAX_LINES} waste lines: use a second manifest")
        require(len(consent) <= 40, "a consent number has at most 40 characters")
        rules = self.rules_of(manifest)
        full = []
        for given in lines:
            line = complete(given, LINE, f"line {len(full) + 1}")
            require(line["line"] == len(full) + 1, f"waste lines are numbered 1, 2, 3 ... without holes: {line['line']} stands in place {len(full) + 1}")
            line["origins"] = [complete(origin, ORIGIN, "an origin") for origin in line["origins"]]
            check_line(rules, line)
            line.update(dict(ARRIVED))
            line["onward"] = {"accepted": 0, "rejected": 0, "residue": 0}
            full.append(line)
        manifest["generator"] = generator
        manifest["offeror"] = offeror or generator
        manifest["custodian"] = manifest["offeror"]
        manifest["transporters"] = transporters
        manifest["facility"] = facility
        manifest["destination"] = facility
        manifest["alternate"] = alternate
        manifest["broker"] = broker
        manifest["consent"] = consent
        manifest["commitment"] = commitment
        manifest["lines"] = full
        for did in self.parties_of(manifest):
            self.known(did)
        require(manifest["offeror"] != facility, "generator and designated facility are the same site: nothing moves")
        require(self.caller in [manifest["preparer"]] + self.parties_of(manifest), "only a party on the manifest may write it")
        require(self.known(self.caller)["active"], "you are suspended: ask the office")

    @action
    def submit(self, reference: str, number: str) -> str:
        """Give a draft its tracking number; from now on it is a pending manifest."""
        require(reference in self.drafts, f"there is no draft {reference}: write it first")
        manifest = self.drafts[reference]
        self.check_preparer(manifest)
        manifest["rules"] = self.edition
        mask = self.rules_of(manifest)["numbers"]
        is_number = fits(mask, number) if mask else 1 <= len(number) <= 40
        require(is_number, f"tracking number {number} does not have the form {mask or 'of 1 to 40 characters'}: 9 is a digit, A a capital letter")
        require(number not in self.manifests, f"tracking number {number} is taken: every manifest has its own")
        manifest["number"] = number
        manifest["state"] = "Pending"
        manifest["times"]["submitted"] = self.now
        del self.drafts[reference]
        self.watched[number] = True
        self.enter(manifest)
        return self.keep(manifest, "submitted", reference)

    @action
    def revise(
        self,
        number: str,
        transporters: list[str],
        facility: str,
        lines: list[dict],
        commitment: str,
        broker: str = "",
        alternate: str = "",
        consent: str = "",
    ) -> str:
        """Change the content of a manifest before anybody has signed it; it has to be scheduled again."""
        manifest = self.found(number)
        self.check_preparer(manifest)
        can_change = manifest["state"] in BEFORE_PICKUP and not manifest["signatures"]
        require(can_change, f"manifest {number} is {manifest['state']} and may be signed: it is corrected after the facility's signature, not changed")
        if manifest["state"] == "Scheduled":
            self.unclaim(manifest)
        self.fill(manifest, manifest["generator"], transporters, facility, lines, commitment, manifest["offeror"], broker, alternate, consent)
        manifest["state"] = "Pending"
        self.enter(manifest)
        return self.keep(manifest, "revised")

    @action
    def schedule(self, number: str) -> str:
        """Declare the manifest complete: lines, permits and containers are checked and the load may be picked up."""
        manifest = self.found(number)
        self.check_preparer(manifest)
        require(manifest["state"] == "Pending", f"manifest {number} is {manifest['state']}: only a pending one can be scheduled")
        require(len(manifest["lines"]) > 0, "a scheduled manifest has at least one waste line: revise it")
        self.claim(manifest)
        for did in manifest["transporters"]:
            self.check_permit(did, "transporter", manifest["lines"])
        if manifest["returning"]:
            self.check_return(manifest)
        else:
            self.check_permit(manifest["facility"], "facility", manifest["lines"])
        offers = self.known(manifest["offeror"])["roles"]
        require("generator" in offers or manifest["previous"], "who offers the waste must be a registered generator, or hold waste of a signed manifest")
        manifest["state"] = "Scheduled"
        manifest["times"]["scheduled"] = self.now
        return self.keep(manifest, "scheduled")

    def check_return(self, manifest: dict) -> None:
        """Let only what was rejected, or left as residue, go back to where it came from."""
        for line in manifest["lines"]:
            kept = sum([origin["quantity"] for origin in line["origins"] if origin["part"] != "accepted"])
            require(kept == line["quantity"], f"line {line['line']}: to its generator goes back only what was rejected or left as residue")

    @action
    def cancel(self, number: str, reason: str) -> str:
        """Cancel a manifest before the first transporter has taken the waste."""
        manifest = self.found(number)
        self.check_preparer(manifest)
        check_public(reason, "the reason")
        require(manifest["state"] in BEFORE_PICKUP, f"manifest {number} is {manifest['state']}: after pickup it can be rejected, not cancelled")
        if manifest["state"] == "Scheduled":
            self.unclaim(manifest)
        manifest["state"] = "Cancelled"
        manifest["offered"] = 0
        return self.keep(manifest, "cancelled", reason)

    # --- on the way ----------------------------------------------------------------------------------------------

    @action
    def hand_over(self, number: str) -> str:
        """Hand the waste to the next party; custody moves only when that party signs. The generator signs with this."""
        manifest = self.found(number)
        require(self.caller == manifest["custodian"], f"only the present custodian hands over, which is {manifest['custodian']}")
        require(manifest["state"] in ("Scheduled", "InTransit"), f"manifest {number} is {manifest['state']}: nothing is to be handed over now")
        require(manifest["offered"] == 0, "you have handed over already: the next party must sign now")
        if manifest["position"] == 0:
            self.sign_as(manifest, "generator", 0)
        if manifest["position"] == len(manifest["transporters"]):
            manifest["times"]["delivered"] = self.now
        manifest["offered"] = self.now
        return self.keep(manifest, "handed over")

    @action
    def take_over(self, number: str) -> str:
        """Sign as the next transporter: the waste is in your custody from now on."""
        manifest = self.found(number)
        require(manifest["state"] in ("Scheduled", "InTransit"), f"manifest {number} is {manifest['state']}: there is nothing to take over")
        position = manifest["position"]
        legs = manifest["transporters"]
        require(position < len(legs), f"all {len(legs)} transporters have signed: now the destination must confirm receipt")
        require(self.caller == legs[position], f"transporter {position + 1} signs next: sign when all transporters before you have signed")
        require(manifest["offered"] > 0, "the present custodian has not handed it over: wait for the hand-over")
        self.check_permit(self.caller, "transporter", manifest["lines"])
        self.sign_as(manifest, "transporter", position + 1)
        manifest["custodian"] = self.caller
        manifest["position"] = position + 1
        manifest["offered"] = 0
        manifest["state"] = "InTransit"
        manifest["times"]["accepted"] = manifest["times"].get("accepted", self.now)
        return self.keep(manifest, "taken over")

    @action
    def change_transporters(self, number: str, transporters: list[str], reason: str) -> str:
        """Let the generator replace the transporters that have not signed yet."""
        manifest = self.found(number)
        require(self.caller in (manifest["generator"], manifest["offeror"]), "only the generator may change the transporters: ask it")
        require(manifest["state"] in ("Scheduled", "InTransit"), f"manifest {number} is {manifest['state']}: its transporters can no longer change")
        check_public(reason, "the reason")
        legs = manifest["transporters"][: manifest["position"]] + transporters
        require(1 <= len(legs) <= MAX_LEGS, f"a manifest has 1 to {MAX_LEGS} transporters")
        for did in transporters:
            self.check_permit(did, "transporter", manifest["lines"])
        manifest["transporters"] = legs
        if manifest["position"] > 0:
            manifest["offered"] = 0
            manifest["times"].pop("delivered", 0)
        self.enter(manifest)
        return self.keep(manifest, "transporters changed", reason)

    @action
    def report_incident(self, number: str, kind: str, comment: str) -> str:
        """Report something that happened to the load; it stays on the manifest."""
        manifest = self.found(number)
        self.check_involved(manifest)
        require(kind in INCIDENTS, f"an incident is one of {', '.join(INCIDENTS)}")
        check_public(comment, "the comment")
        manifest["incidents"].append({"at": self.now, "by": self.caller, "kind": kind, "comment": comment})
        return self.keep(manifest, "incident", kind)

    # --- at the destination --------------------------------------------------------------------------------------

    @action
    def receive(self, number: str) -> str:
        """Confirm that the load has arrived: custody moves to the destination."""
        manifest = self.found(number)
        require(self.caller == manifest["destination"], f"this load goes to {manifest['destination']}: if it stands at your gate, call the authority")
        require(manifest["state"] == "InTransit", f"manifest {number} is {manifest['state']}: only a load in transit can be received")
        is_here = manifest["position"] == len(manifest["transporters"]) and manifest["offered"] > 0
        require(is_here, "the last transporter has not handed it over: it signs first")
        manifest["custodian"] = self.caller
        manifest["position"] += 1
        manifest["offered"] = 0
        manifest["times"]["received"] = self.now
        if manifest["rejections"] and self.caller == manifest["generator"]:
            return self.take_back(manifest)
        if not manifest["returning"]:
            self.check_permit(self.caller, "facility", manifest["lines"])
        manifest["state"] = "Received"
        return self.keep(manifest, "received")

    def take_back(self, manifest: dict) -> str:
        for line in manifest["lines"]:
            line["received"] = line["quantity"]
            line["received_containers"] = line["containers"]
            line["rejected"] = line["quantity"]
        self.sign_as(manifest, "generator", 1)
        manifest["state"] = "ReturnedToGenerator"
        manifest["times"]["signed"] = self.now
        self.release(manifest)
        return self.keep(manifest, "returned")

    @action
    def reject_on_site(self, number: str, back_to_generator: bool, comment: str, alternate: str = "") -> str:
        """Reject the whole load while its transporter is still there: the same manifest continues elsewhere."""
        manifest = self.found(number)
        require(self.caller == manifest["destination"], "only the destination can reject the load")
        at_gate = manifest["state"] == "InTransit" and manifest["position"] == len(manifest["transporters"]) and manifest["offered"] > 0
        require(
            at_gate or manifest["state"] == "Received",
            f"manifest {number} is {manifest['state']}: a whole load is rejected on arrival; later, report the rejected part and send it on with a new manifest",
        )
        self.check_not_returning(manifest)
        check_public(comment, "the comment")
        target = manifest["generator"] if back_to_generator else alternate or manifest["alternate"]
        require(target not in ("", self.caller), "name the alternate facility, or send the load back to its generator")
        if not back_to_generator:
            self.check_permit(target, "facility", manifest["lines"])
        manifest["rejections"].append({"at": self.now, "by": self.caller, "to": target, "comment": comment})
        self.sign_as(manifest, "rejecting facility", len(manifest["rejections"]))
        manifest["destination"] = target
        manifest["position"] = len(manifest["transporters"])
        manifest["custodian"] = manifest["transporters"][-1]
        manifest["offered"] = 0
        manifest["state"] = "InTransit"
        manifest["times"].pop("delivered", 0)
        manifest["times"].pop("received", 0)
        self.enter(manifest)
        return self.keep(manifest, "rejected on site", comment)

    def check_not_returning(self, manifest: dict) -> None:
        goes_back = manifest["returning"] or manifest["destination"] == manifest["generator"]
        require(not goes_back, "waste that goes back to its generator cannot be rejected again: take it and report it")

    @action
    def report(self, number: str, lines: list[dict]) -> str:
        """Account for every line: what came, what was accepted, rejected, left as residue or lost, and why."""
        manifest = self.found(number)
        require(self.caller == manifest["destination"], "only the destination reports what it received")
        require(manifest["state"] in AT_FACILITY, f"manifest {number} is {manifest['state']}: report after receipt and before signing")
        require(len(lines) == len(manifest["lines"]), f"report on each of the {len(manifest['lines'])} lines, in their order")
        permit = self.known(self.caller)
        for given, line in zip(lines, manifest["lines"]):
            entry = complete(given, REPORT, "a report line")
            require(entry["line"] == line["line"], f"report on line {line['line']} in its place, not on line {entry['line']}")
            density = entry["density"] or line["density"]
            unit = entry["unit"] or line["unit"]
            parts = entry["accepted"] + entry["rejected"] + entry["residue"] + entry["loss"]
            require(entry["received"] == parts, f"line {line['line']}: {entry['received']} received, but accepted + rejected + residue + explained loss is {parts}; account for all of it")
            for name in ("received", "rejected", "residue", "loss"):
                line[name] = convert(entry[name], unit, line["unit"], density, line["line"])
            line["accepted"] = line["received"] - line["rejected"] - line["residue"] - line["loss"]
            require(line["accepted"] >= 0, f"line {line['line']}: these amounts are too small for whole units of {line['unit']}: report them in {line['unit']}")
            line["received_containers"] = entry["containers"]
            line["same_type"] = entry["same_type"]
            line["comment"] = entry["comment"]
            line["method"] = entry["method"] or line["method"]
            if line["rejected"] > 0:
                self.check_not_returning(manifest)
            if line["hazardous"] and line["accepted"] > 0 and not manifest["returning"]:
                covered = line["method"] in permit["methods"] or "*" in permit["methods"]
                require(covered, f"line {line['line']}: name a management method that the permit of site {permit['site']} covers")
            check_balance(line)
        judge(self.rules_of(manifest), manifest, self.now)
        manifest["state"] = "ReadyForSignature"
        manifest["times"]["reported"] = self.now
        return self.keep(manifest, "reported")

    @action
    def sign(self, number: str) -> str:
        """Sign as the destination: the manifest is complete, and from now on it is corrected, never changed."""
        manifest = self.found(number)
        require(self.caller == manifest["destination"], "only the destination signs the complete manifest")
        require(manifest["state"] == "ReadyForSignature", f"manifest {number} is {manifest['state']}: report on all lines first, and sign once")
        self.sign_as(manifest, "facility", 0)
        manifest["state"] = "Signed"
        manifest["times"]["signed"] = self.now
        self.release(manifest)
        return self.keep(manifest, "signed")

    @action
    def reconcile(self, number: str, line: int, kind: str, answer: str) -> str:
        """Answer an open discrepancy as the generator or a transporter, which closes it."""
        manifest = self.found(number)
        askable = [manifest["generator"], manifest["offeror"]] + manifest["transporters"]
        require(self.caller in askable, "the generator or a transporter of this manifest answers a discrepancy")
        check_public(answer, "the answer")
        asked = [entry for entry in manifest["discrepancies"] if entry["line"] == line and entry["kind"] == kind and entry["open"]]
        require(asked, f"line {line} has no open discrepancy of {kind}")
        asked[0]["open"] = False
        asked[0]["answer"] = answer
        judge(self.rules_of(manifest), manifest, self.now)
        return self.keep(manifest, "reconciled", answer)

    @action
    def certify(self, number: str, kind: str, certificate: str) -> str:
        """Certify that the accepted waste is treated or disposed of; `certificate` is the hash of the document."""
        manifest = self.found(number)
        require(self.caller == manifest["custodian"], "only the facility that holds the waste certifies its treatment")
        require(manifest["state"] in ("Signed", "Corrected"), f"manifest {number} is {manifest['state']}: sign it first, and certify once")
        require(kind in ("Treated", "Disposed"), "the kind is Treated or Disposed")
        require(is_digest(certificate), "the certificate is the SHA-256 of the document, in 64 small hex digits")
        left = [line for line in manifest["lines"] if line["accepted"] > line["onward"]["accepted"]]
        require(left, "nothing that was accepted is left here: the facility it went to certifies its treatment")
        manifest["treatment"] = {"at": self.now, "by": self.caller, "kind": kind, "certificate": certificate}
        manifest["times"]["treated"] = self.now
        manifest["state"] = kind
        return self.keep(manifest, "certified", kind)

    # --- corrections ---------------------------------------------------------------------------------------------

    @action
    def propose_correction(self, number: str, changes: list[dict], reason: str, commitment: str = "") -> int:
        """Open a correction of a signed manifest, or rewrite your open one; returns the number of the proposal."""
        manifest = self.found(number)
        self.check_involved(manifest)
        check_public(reason, "the reason")
        is_own = manifest["correction"].get("by", "") == self.caller
        is_free = manifest["state"] in SIGNED or (manifest["state"] == "UnderCorrection" and is_own)
        require(is_free, f"manifest {number} is {manifest['state']}: only a signed manifest is corrected, one correction at a time")
        require(commitment == "" or is_digest(commitment), "the commitment is 64 small hex digits")
        state = manifest["correction"]["state"] if is_own else manifest["state"]
        fixed = self.corrected(manifest, changes)
        manifest["attempts"] += 1
        manifest["correction"] = {
            "attempt": manifest["attempts"],
            "by": self.caller,
            "at": self.now,
            "reason": reason,
            "lines": fixed,
            "commitment": commitment or manifest["commitment"],
            "state": state,
        }
        manifest["state"] = "UnderCorrection"
        self.keep(manifest, "correction proposed", reason)
        return manifest["attempts"]

    def corrected(self, manifest: dict, changes: list[dict]) -> list[dict]:
        """Return the lines as they will be; they obey the same rules as the first time."""
        require(changes, "say what changes: [{'line': 1, 'quantity': 900}]")
        rules = self.rules_of(manifest)
        trial = {"lines": manifest["lines"], "discrepancies": manifest["discrepancies"], "times": {}}
        for change in changes:
            line = change.get("line", 0)
            require(isinstance(line, int) and 1 <= line <= len(trial["lines"]), "each change names its line")
            for name in change.keys():
                may_change = name in CORRECTABLE or name == "line"
                require(may_change, f"{name} cannot be corrected: parties, facility, unit and containers stay as they were signed")
            trial["lines"][line - 1] = self.changed(rules, trial["lines"][line - 1], change)
        self.check_permit(manifest["destination"], "facility" if not manifest["returning"] else "generator", trial["lines"])
        judge(rules, trial, self.now)
        return trial["lines"]

    def changed(self, rules: dict, line: dict, change: dict) -> dict:
        fields = dict(LINE)
        fields.update(dict(ARRIVED))
        onward = line.pop("onward")
        line.update(change)
        fixed = complete(line, fields, f"line {line['line']}")
        fixed["onward"] = onward
        check_line(rules, fixed)
        check_balance(fixed)
        return fixed

    @action
    def sign_correction(self, number: str, attempt: int) -> str:
        """Sign the open correction: it becomes the new version, and the old one is kept."""
        manifest = self.found(number)
        self.check_involved(manifest)
        proposal = manifest["correction"]
        require(proposal, f"manifest {number} has no open correction")
        require(proposal["attempt"] == attempt, f"the open correction is number {proposal['attempt']}, not {attempt}: read it before you sign")
        self.versions[(number, manifest["version"])] = {
            "version": manifest["version"],
            "lines": manifest["lines"],
            "discrepancies": manifest["discrepancies"],
            "commitment": manifest["commitment"],
            "until": self.now,
            "reason": proposal["reason"],
        }
        manifest["lines"] = proposal["lines"]
        manifest["commitment"] = proposal["commitment"]
        manifest["version"] += 1
        manifest["state"] = proposal["state"] if proposal["state"] in FINAL else "Corrected"
        manifest["correction"] = {}
        judge(self.rules_of(manifest), manifest, self.now)
        return self.keep(manifest, "correction signed", proposal["reason"])

    @action
    def withdraw_correction(self, number: str) -> str:
        """Withdraw the open correction: the signed version stays as it was."""
        manifest = self.found(number)
        self.check_involved(manifest)
        require(manifest["correction"], f"manifest {number} has no open correction")
        manifest["state"] = manifest["correction"]["state"]
        manifest["correction"] = {}
        return self.keep(manifest, "correction withdrawn")

    # --- questions -----------------------------------------------------------------------------------------------

    @view
    def rules(self, edition: int = 0) -> dict:
        """Show the rules in force, or an earlier edition of them."""
        return self.editions[edition or self.edition]

    @view
    def party(self, did: str) -> dict:
        """Show what is registered about a party."""
        return self.known(did)

    @view
    def all_parties(self, start: int = 0, limit: int = PAGE) -> list[dict]:
        """List the registered parties."""
        return self.parties.values(start, limit)

    @view
    def draft_of(self, reference: str) -> dict:
        """Show a draft."""
        return self.drafts[reference]

    @view
    def manifest(self, number: str) -> dict:
        """Show a manifest with everything that was signed, and what is late."""
        manifest = self.found(number)
        manifest["outcome"] = outcome(manifest)
        manifest["late"] = self.late(manifest)
        return manifest

    @view
    def version(self, number: str, version: int) -> dict:
        """Show an earlier version of a corrected manifest."""
        require((number, version) in self.versions, f"manifest {number} has no earlier version {version}")
        return self.versions[(number, version)]

    def summary(self, number: str) -> dict:
        manifest = self.manifests[number]
        late = self.late(manifest)
        return {
            "number": number,
            "state": manifest["state"],
            "outcome": outcome(manifest),
            "generator": manifest["generator"],
            "transporters": manifest["transporters"],
            "destination": manifest["destination"],
            "custodian": manifest["custodian"],
            "lines": len(manifest["lines"]),
            "times": manifest["times"],
            "version": manifest["version"],
            "overdue": late != [],
            "late": [entry["clock"] for entry in late],
            "incident": manifest["incidents"] != [],
            "discrepancies": [entry["kind"] for entry in manifest["discrepancies"]],
        }

    @view
    def manifests_for(self, did: str, start: int = 0, limit: int = PAGE) -> dict:
        """List the manifests that concern a party: its own; for a regulator, those from or to its jurisdiction."""
        if did == self.office:
            numbers = self.manifests.keys(start, limit)
            count = len(self.manifests)
        else:
            party = self.known(did)
            reader = "in " + party["jurisdiction"] if "regulator" in party["roles"] else did
            count = self.booked.get(reader, 0)
            numbers = [self.book[(reader, position)] for position in range(start, min(start + limit, count))]
        return {"count": count, "start": start, "manifests": [self.summary(number) for number in numbers]}

    def late(self, manifest: dict) -> list[dict]:
        """List the clocks that have run out: exactly the last day is still in time."""
        if manifest["state"] in FINAL:
            return []
        entries = []
        times = manifest["times"]
        category = self.known(manifest["generator"])["category"]
        for clock in self.rules_of(manifest)["clocks"]:
            since = times.get(clock["since"], 0)
            applies = not clock["categories"] or category in clock["categories"]
            due = since + clock["days"] * DAY
            if since > 0 and applies and clock["until"] not in times and self.now > due:
                entries.append({"clock": clock["id"], "duty": clock["duty"], "since": since, "due": due, "days": (self.now - due) // DAY, "source": clock["source"]})
        return entries

    @view
    def alarms(self, did: str = "", start: int = 0, limit: int = PAGE) -> dict:
        """List what is overdue, for everybody or for one party or regulator."""
        reader = ""
        if did and did != self.office:
            party = self.known(did)
            reader = "in " + party["jurisdiction"] if "regulator" in party["roles"] else did
        found = []
        for number in self.watched.keys(start, limit):
            manifest = self.manifests[number]
            if reader == "" or reader in manifest["readers"]:
                for entry in self.late(manifest):
                    entry["number"] = number
                    entry["state"] = manifest["state"]
                    entry["custodian"] = manifest["custodian"]
                    entry["destination"] = manifest["destination"]
                    found.append(entry)
        return {"watched": len(self.watched), "start": start, "alarms": found}

    @view
    def balance(self, number: str) -> list[dict]:
        """Show for each line where its quantity went; `difference` is what did not arrive, or arrived too much."""
        names = ("received", "accepted", "rejected", "residue", "loss", "onward")
        rows = []
        for line in self.found(number)["lines"]:
            row = {name: line[name] for name in names}
            row["line"] = line["line"]
            row["description"] = line["description"]
            row["unit"] = line["unit"]
            row["shipped"] = line["quantity"]
            row["difference"] = line["quantity"] - line["received"]
            rows.append(row)
        return rows
