# mypy: disable-error-code="type-arg,no-any-return"
"""Who may handle waste, and by which rules. A contract of its own, so that others can ask it too.

Thresholds and deadlines are data: they stand in a profile that the office adopts, with source and date, and a manifest
keeps the edition it was numbered under. Parties are DIDs and site numbers; nothing about a person is stored.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

DAY = 86_400_000  # milliseconds
MAX_ITEMS = 100  # of a list
MAX_TEXT = 255
MAX_WORD = 40
FOR_EVER = 9_000_000_000_000_000  # milliseconds: a permit without an end
ROLES = ("generator", "transporter", "facility", "broker", "regulator")
PARTS = ("accepted", "rejected", "residue")

# What one unit is: micrograms of mass, or nanolitres of volume. Pound, short ton, US gallon and cubic yard are exact.
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

# The fields of records that come from outside; a default also says the type.
RULES = {
    "id": "",
    "title": "",
    "as_of": "",
    "numbers": "",  # form of a tracking number, see `fits`
    "sites": "",
    "codes": (),
    "class_prefix": "",
    "container_types": (),
    "bulk_types": (),
    "bulk_percent": 0,
    "batch_percent": 0,  # 0: pieces are counted, not weighed
    "clocks": (),
    "sources": (),
}
CLOCK = {
    "id": "",
    "since": "",
    "until": "",
    "days": 0,
    "duty": "",
    "categories": (),
    "source": "",
    "as_of": "",
    "check": "",
}
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
SOURCE = {"what": "", "source": "", "as_of": "", "check": ""}
RECORDS = ("origins", "clocks", "sources")  # the lists that hold records; all others hold words
SENTENCES = ("description", "comment", "title", "source", "what", "check")  # the texts longer than a word
AS_SIGNED = ("unit", "container_ids", "origins", "onward")  # what a correction leaves alone


# --- records and texts -------------------------------------------------------------------------------------------


def complete(given: dict, fields: dict, what: str) -> dict:
    """Return all fields of a record, defaults filled in; refuses unknown fields and wrong types."""
    for name in given:
        require(name in fields, f"{what} has no field {name}: leave it out, or keep it in the private part")
    full = {}
    for name, default in fields.items():
        value = given.get(name, default)
        if isinstance(default, tuple):
            require(isinstance(value, (list, tuple)), f"{what}: {name} is a list")
            require(len(value) <= MAX_ITEMS, f"{what}: {name} has at most {MAX_ITEMS} items")
            for item in value:
                is_word = isinstance(item, str) and len(item) <= MAX_WORD
                is_right = isinstance(item, dict) if name in RECORDS else is_word
                require(is_right, f"{what}: {name} lists words of at most {MAX_WORD} characters, and origins records")
            value = list(value)
        elif isinstance(default, bool):
            require(isinstance(value, bool), f"{what}: {name} is True or False")
        elif isinstance(default, int):
            require(isinstance(value, int) and not isinstance(value, bool), f"{what}: {name} is a whole number")
            require(value >= 0, f"{what}: {name} is never negative")
        else:
            require(isinstance(value, str), f"{what}: {name} is text")
            most = MAX_TEXT if name in SENTENCES else MAX_WORD
            require(len(value) <= most, f"{what}: {name} has at most {most} characters")
        full[name] = value
    return full


def label(line: dict) -> str:
    place = line["line"]
    return f"line {place}"


def listed(names: list | tuple) -> str:
    return ", ".join(names)


def fits(mask: str, text: str) -> bool:
    """Tell whether a text has the form of a mask: 9 is a digit, A a capital letter, * a letter or digit."""
    if len(mask) != len(text):
        return False
    for place, char in enumerate(text):
        pattern = mask[place]
        good = char == pattern
        if pattern == "9":
            good = char.isdigit()
        elif pattern == "A":
            good = char.isalpha() and char == char.upper()
        elif pattern == "*":
            good = char.isalnum()
        if not good:
            return False
    return True


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
    require(is_plain, f"{what} seems to hold a telephone number or mail address: everybody can read it, leave it out")


# --- waste lines -------------------------------------------------------------------------------------------------


def check_line(rules: dict, line: dict) -> None:
    """Refuse a waste line that breaks a rule of form."""
    name, unit = label(line), line["unit"]
    check_public(line["description"], f"{name}: the description")
    require(line["quantity"] > 0, f"{name}: the quantity is 0; weigh the waste and state a whole number above 0")
    require(unit in UNITS, f"{name}: unit {unit} is unknown; use one of {listed(list(UNITS))}")
    require(line["containers"] > 0, f"{name}: the number of containers is 0; count them")
    kind, kinds, count = line["container_type"], rules["container_types"], line["containers"]
    require(kind in kinds, f"{name}: container type {kind} is unknown; use one of {listed(kinds)}")
    named = len(line["container_ids"])
    require(named in (0, line["containers"]), f"{name}: {named} ids for {count} containers; name all or none")
    forms = rules["codes"]
    for code in line["codes"]:
        is_code = True in [fits(mask, code) for mask in forms]
        require(is_code, f"{name}: waste code {code} does not have the form {listed(forms)}")
        right, given = rules["class_prefix"] + code[-2:], line["waste_class"]
        is_class = rules["class_prefix"] == "" or given == right
        require(is_class, f"{name}: code {code} belongs to class {right}, not to {given}; correct one of them")
    has_code = len(line["codes"]) + len(line["local_codes"]) > 0
    require(has_code or not line["hazardous"], f"{name}: hazardous waste has at least one waste code; name it")


def convert(amount: int, unit: str, line: dict, density: int) -> int:
    """Express an amount in the unit of a line, to the nearest whole one; volume and mass need a density."""
    name, target = label(line), line["unit"]
    if unit == target:
        return amount
    require(unit in UNITS, f"{name}: unit {unit} is unknown; use one of {listed(list(UNITS))}")
    (kind, size), (target_kind, target_size) = UNITS[unit], UNITS[target]
    total = amount * size
    if kind != target_kind:
        require(
            density > 0, f"{name}: {unit} is {kind} and {target} is {target_kind}: state the density in grams per litre"
        )
        total = total * density // 1000 if kind == "volume" else total * 1000 // density
    return (2 * total + target_size) // (2 * target_size)


def check_sum(figures: dict, line: int) -> None:
    """Refuse figures that lose waste or make some."""
    received = figures["received"]
    parts = figures["accepted"] + figures["rejected"] + figures["residue"] + figures["loss"]
    require(
        received == parts,
        f"line {line}: {received} received, but {parts} accepted, rejected, left and lost: account for all of it",
    )


def arrive(line: dict, given: dict) -> None:
    """Put what the destination reports into a waste line, in the unit of the line."""
    entry = complete(given, REPORT, "a report")
    number, place, own = line["line"], entry["line"], line["unit"]
    require(place == number, f"report on line {number} in its place, not on line {place}")
    check_sum(entry, number)
    density, unit = entry["density"] or line["density"], entry["unit"] or line["unit"]
    for name in ("received", "rejected", "residue", "loss"):
        line[name] = convert(entry[name], unit, line, density)
    line["accepted"] = line["received"] - line["rejected"] - line["residue"] - line["loss"]
    require(line["accepted"] >= 0, f"line {number}: too little for whole units of {own}; report in {own}")
    line["received_containers"] = entry["containers"]
    line["same_type"] = entry["same_type"]
    line["comment"] = entry["comment"]
    line["method"] = entry["method"] or line["method"]


def check_arrival(line: dict) -> None:
    """Refuse a received line that does not add up or does not explain itself."""
    name = label(line)
    check_sum(line, line["line"])
    for part in PARTS:
        gone = line["onward"][part]
        require(line[part] >= gone, f"{name}: {gone} {part} already left on another manifest; it cannot be less")
    require(line["comment"] or not line["loss"], f"{name}: explain the loss in a comment")
    if line["comment"]:
        check_public(line["comment"], f"{name}: the comment")


def differences(rules: dict, line: dict) -> list[str]:
    """Name the kinds of discrepancy of a received line; a share of exactly the threshold is none."""
    kinds = []
    is_bulk = line["container_type"] in rules["bulk_types"]
    percent = rules["bulk_percent"] if is_bulk else rules["batch_percent"]
    is_weighed = is_bulk or percent > 0
    if is_weighed and abs(line["received"] - line["quantity"]) * 100 > percent * line["quantity"]:
        kinds.append("quantity")
    if not is_bulk and line["received_containers"] != line["containers"]:
        kinds.append("pieces")
    if not line["same_type"]:
        kinds.append("type")
    return kinds + [part for part in ("rejected", "residue") if line[part] > 0]


class WasteRegistry(Contract):
    """Know the parties, their permits and the rules; judge waste lines by them."""

    office = Value(str)
    edition = Value(int)
    editions = Map(int, dict)
    parties = Map(str, dict)

    def setup(self, operator: str, profile: dict) -> None:
        self.office = operator
        self.keep(profile)

    def keep(self, profile: dict) -> None:
        rules = complete(profile, RULES, "a profile")
        rules["clocks"] = [complete(clock, CLOCK, "a clock") for clock in rules["clocks"]]
        rules["sources"] = [complete(source, SOURCE, "a source") for source in rules["sources"]]
        require(rules["container_types"], "a profile lists the container types that may be used")
        self.edition += 1
        rules["edition"] = self.edition
        self.editions[self.edition] = rules

    def check_office(self) -> None:
        require(self.caller == self.office, "only the office may do this: ask the office")

    # --- the office

    @action
    def adopt(self, profile: dict) -> int:
        """Adopt new rules; manifests that have a number keep the rules they were numbered under."""
        self.check_office()
        self.keep(profile)
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
        valid_until: int | None = None,
    ) -> None:
        """Register a party: its roles, its site, and the waste codes and methods of its permit (* is all)."""
        self.check_office()
        require(did.startswith("did:"), "a party is registered by its DID")
        require(roles, f"a party has at least one role of {listed(ROLES)}")
        for role in roles:
            require(role in ROLES, f"role {role} is unknown; use one of {listed(ROLES)}")
        mask = self.editions[self.edition]["sites"]
        needs_site = mask != "" and roles != ["regulator"]
        require(not needs_site or fits(mask, site), f"site number {site} does not have the form {mask}")
        for text in (site, jurisdiction, category):
            require(len(text) <= MAX_WORD, f"site, jurisdiction and category have at most {MAX_WORD} characters")
        self.parties[did] = {
            "did": did,
            "roles": roles,
            "site": site,
            "jurisdiction": jurisdiction,
            "category": category,
            "codes": codes or [],
            "methods": methods or [],
            "valid_from": valid_from,
            "valid_until": FOR_EVER if valid_until is None else valid_until,
            "active": True,
        }
        emit("PartyRegistered", did=did, roles=roles, site=site, jurisdiction=jurisdiction)

    @action
    def suspend(self, did: str, reason: str) -> None:
        """Suspend a party: it can take over no more waste until it is registered again."""
        self.check_office()
        check_public(reason, "the reason")
        party = self.party(did)
        party["active"] = False
        self.parties[did] = party
        emit("PartySuspended", did=did, reason=reason)

    # --- parties

    @view
    def party(self, did: str) -> dict:
        """Show what is registered about a party."""
        require(did in self.parties, f"{did} is not registered: ask the office to register this party")
        return self.parties[did]

    @view
    def all_parties(self, start: int = 0, limit: int = 100) -> list[dict]:
        """List the registered parties."""
        return self.parties.values(start, limit)

    @view
    def is_office(self, did: str) -> bool:
        """Tell whether a DID is the office."""
        return did == self.office

    @view
    def jurisdictions(self, dids: list[str]) -> list[str]:
        """Show where registered parties belong; refuses one that is not registered."""
        return [self.party(did)["jurisdiction"] for did in dids]

    @view
    def check_permit(self, did: str, role: str, lines: list[dict]) -> None:
        """Refuse a party that may not take this waste now."""
        party = self.party(did)
        site = party["site"]
        require(role in party["roles"], f"{did} is not registered as {role}: choose another party, or ask the office")
        require(party["active"], f"site {site} is suspended: choose another {role}, or ask the office")
        is_valid = party["valid_from"] <= self.now <= party["valid_until"]
        require(is_valid, f"the permit of site {site} is not valid today: choose another {role}")
        for line in lines:
            for code in line["codes"] + line["local_codes"]:
                is_covered = code in party["codes"] or "*" in party["codes"]
                require(
                    is_covered,
                    f"{label(line)}: waste code {code} is outside the permit of site {site}: choose another {role}",
                )

    # --- rules

    @view
    def rules(self, edition: int = 0) -> dict:
        """Show the rules in force, or an edition of them."""
        return self.editions[edition or self.edition]

    @view
    def number_rules(self, number: str) -> int:
        """Refuse a tracking number of a wrong form; tells the edition of the rules in force."""
        mask = self.rules()["numbers"]
        is_number = fits(mask, number) if mask else 1 <= len(number) <= MAX_WORD
        form = mask or f"of 1 to {MAX_WORD} characters"
        require(is_number, f"tracking number {number} does not have the form {form} (9: digit, A: capital letter)")
        return self.edition

    @view
    def check_text(self, text: str, what: str) -> None:
        """Refuse a text that is empty, too long, or looks personal."""
        check_public(text, what)

    @view
    def vet(self, lines: list[dict]) -> list[dict]:
        """Complete new waste lines; refuses what breaks a rule of form."""
        full: list[dict] = []
        for given in lines:
            place = len(full) + 1
            line = complete(given, LINE, f"line {place}")
            number = line["line"]
            require(number == place, f"lines are numbered 1, 2, 3, ...: the one in place {place} is {number}")
            line["origins"] = [complete(origin, ORIGIN, f"line {place}: an origin") for origin in line["origins"]]
            check_line(self.rules(), line)
            line.update(dict(ARRIVED))
            line["onward"] = {"accepted": 0, "rejected": 0, "residue": 0}
            full.append(line)
        return full

    @view
    def account(self, lines: list[dict], reports: list[dict], facility: str) -> list[dict]:
        """Put the report of a facility into the lines; refuses what does not add up or has no permitted method."""
        require(len(lines) == len(reports), f"report on each of the {len(lines)} lines, in their order")
        permit = self.party(facility)
        site = permit["site"]
        for place, line in enumerate(lines):
            arrive(line, reports[place])
            check_arrival(line)
            needs_method = line["hazardous"] and line["accepted"] > 0 and "facility" in permit["roles"]
            method = line["method"] or "(none)"
            is_covered = method in permit["methods"] or "*" in permit["methods"]
            name = label(line)
            require(
                is_covered or not needs_method,
                f"{name}: method {method} is not in the permit of site {site}: name a management method that is",
            )
        return lines

    @view
    def correct(self, lines: list[dict], changes: list[dict], edition: int) -> list[dict]:
        """Apply changes such as [{"line": 1, "quantity": 900}]; the result obeys the same rules as the first time."""
        require(changes, "say what changes, line by line")
        rules = self.rules(edition)
        fields = dict(LINE)
        fields.update(dict(ARRIVED))
        for change in changes:
            place = change.get("line", 0)
            require(isinstance(place, int) and 1 <= place <= len(lines), "each change names its line")
            for name in change:
                may_change = name in fields and name not in AS_SIGNED
                require(
                    may_change, f"{name} cannot be corrected: parties, facility, units and containers stay as signed"
                )
            line = lines[place - 1]
            onward = line.pop("onward")
            line.update(change)
            line = complete(line, fields, f"line {place}")
            line["onward"] = onward
            check_line(rules, line)
            check_arrival(line)
            lines[place - 1] = line
        return lines

    @view
    def judge(self, lines: list[dict], known: list[dict], edition: int) -> list[dict]:
        """List the discrepancies of received lines; refuses one without a comment. `known` keep their answers."""
        entries = []
        rules = self.rules(edition)
        for line in lines:
            for kind in differences(rules, line):
                require(line["comment"], f"{label(line)}: a comment is mandatory, because of the {kind}; explain it")
                same = [entry for entry in known if entry["line"] == line["line"] and entry["kind"] == kind]
                is_open = kind in ("quantity", "pieces", "type")
                entries.append(same[0] if same else {"line": line["line"], "kind": kind, "open": is_open, "answer": ""})
        return entries

    @view
    def late(self, times: dict, generator: str, edition: int) -> list[dict]:
        """List the clocks that have run out: the last day itself is still in time."""
        entries = []
        category = self.party(generator)["category"]
        for clock in self.rules(edition)["clocks"]:
            since = times.get(clock["since"], 0)
            due = since + clock["days"] * DAY
            applies = not clock["categories"] or category in clock["categories"]
            if since > 0 and applies and clock["until"] not in times and self.now > due:
                names = ("id", "duty", "source", "check")
                entry = {name: clock[name] for name in names}
                entry["since"] = since
                entry["due"] = due
                entry["days"] = (self.now - due) // DAY
                entries.append(entry)
        return entries
