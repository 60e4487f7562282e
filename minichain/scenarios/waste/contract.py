# mypy: disable-error-code="type-arg,no-any-return"
"""Garbage custody: a waste manifest from its draft to the certificate of treatment.

The chain proves who signed what and when; it does not prove that the waste is really there. Nothing about a person
is stored: everything personal is kept outside, under a salted commitment. What a line, a party or a deadline must be
like is asked of the registry; this contract keeps who holds the waste and what was signed.
"""

from __future__ import annotations

from minichain.contracts.api import Contract, Map, Value, action, emit, require, view

MAX_LINES = 50
MAX_LEGS = 10
MAX_LOG = 200

BEFORE_PICKUP = ("Pending", "Scheduled")
MOVING = ("Scheduled", "InTransit")
AT_FACILITY = ("Received", "ReadyForSignature")
SIGNED = ("Signed", "Corrected", "Treated", "Disposed", "ReturnedToGenerator")
FINAL = ("Cancelled", "ReturnedToGenerator", "Treated", "Disposed")
PARTS = ("accepted", "rejected", "residue")
INCIDENTS = ("spill", "fire", "theft", "accident", "delay", "other")


def label(line: dict) -> str:
    place = line["line"]
    return f"line {place}"


def listed(names: tuple) -> str:
    return ", ".join(names)


def check_digest(text: str, what: str) -> None:
    strange = [char for char in text if char not in "0123456789abcdef"]
    require(len(text) == 64 and not strange, f"{what} is a SHA-256, in 64 small hex digits")


def amount(form: dict, part: str) -> int:
    """Add up one figure over lines of whatever unit: good only for asking whether there is any."""
    return sum([line[part] for line in form["lines"]])


def outcome(form: dict) -> str:
    """Say in one word what became of the load, as far as it is known."""
    if form["state"] in ("Cancelled", "ReturnedToGenerator"):
        return form["state"]
    has_rejected = amount(form, "rejected") > 0
    if form["rejections"] or (has_rejected and amount(form, "accepted") == 0):
        return "FullyRejected"
    return "PartiallyRejected" if has_rejected else ""


def parties(form: dict) -> list[str]:
    """List everybody on a manifest, each once."""
    sites = ("generator", "offeror", "facility", "destination", "alternate", "broker")
    named = [form[name] for name in sites] + form["transporters"] + [past["by"] for past in form["rejections"]]
    each = {did: True for did in named if did}
    return list(each.keys())


class WasteCustody(Contract):
    """Keep the custody of waste: manifests, signatures in their order, discrepancies, rejections and corrections."""

    registry = Value(str)
    drafts = Map(str, dict)
    manifests = Map(str, dict)
    versions = Map((str, int), dict)
    containers = Map(str, str)  # id of a container -> the manifest it travels on
    watched = Map(str, bool)  # manifests whose clocks may run
    book = Map((str, int), str)  # reader, position -> a manifest that concerns the reader
    booked = Map(str, int)

    def setup(self, registry: str) -> None:
        self.registry = registry

    # --- reading and keeping

    def found(self, number: str) -> dict:
        require(number in self.manifests, f"there is no manifest {number}: check the number, or submit the draft first")
        return self.manifests[number]

    def opened(self, number: str, states: tuple, advice: str) -> dict:
        """Return a manifest that must be in one of these states."""
        form = self.found(number)
        state = form["state"]
        require(state in states, f"manifest {number} is {state}: {advice}")
        return form

    def only(self, allowed: list, who: str) -> None:
        require(self.caller in allowed, f"only {who} may do this")

    def only_preparer(self, form: dict) -> None:
        self.only(
            [form["preparer"], form["generator"], form["offeror"], form["broker"]], "the generator or its preparer"
        )

    def only_involved(self, form: dict) -> None:
        self.only(parties(form), "a party on this manifest")

    def check_text(self, text: str, what: str) -> None:
        self.call(self.registry, "check_text", text=text, what=what)

    def check_permit(self, did: str, role: str, form: dict) -> None:
        self.call(self.registry, "check_permit", did=did, role=role, lines=form["lines"])

    def enter(self, form: dict) -> None:
        """List the manifest for its parties, and for the authorities of origin and destination."""
        ends = [form["generator"], form["facility"], form["destination"]]
        places = self.call(self.registry, "jurisdictions", dids=ends)
        for reader in parties(form) + ["in " + place for place in places]:
            if reader not in form["readers"]:
                position = self.booked.get(reader, 0)
                self.book[(reader, position)] = form["number"]
                self.booked[reader] = position + 1
                form["readers"].append(reader)

    def keep(self, form: dict, act: str, note: str = "") -> str:
        """Write a manifest back with one more line in its log, and announce it; returns its state."""
        log, number = form["log"], form["number"]
        require(len(log) < MAX_LOG, f"a manifest has at most {MAX_LOG} entries: continue with a new one")
        is_later = not log or self.now >= log[-1]["at"]
        require(is_later, "the time of this block lies before the last entry: send it again")
        log.append({"at": self.now, "by": self.caller, "act": act, "note": note})
        is_settled = form["state"] in FINAL
        if form["state"] in SIGNED and amount(form, "accepted") == 0:
            is_settled = not [entry for entry in form["discrepancies"] if entry["open"]]
        if is_settled and number in self.watched:
            del self.watched[number]
        self.manifests[number] = form
        emit("Manifest", number=number, act=act, state=form["state"], custodian=form["custodian"])
        return form["state"]

    def judge(self, form: dict) -> None:
        """Bring the discrepancies of a manifest into line with its figures."""
        known, edition, times = form["discrepancies"], form["edition"], form["times"]
        entries = self.call(self.registry, "judge", lines=form["lines"], known=known, edition=edition)
        form["discrepancies"] = entries
        if [entry for entry in entries if entry["open"]]:
            times.setdefault("discrepancy", times.get("received", self.now))
            times.pop("reconciled", 0)
        elif "discrepancy" in times:
            times.setdefault("reconciled", self.now)

    def sign_as(self, form: dict, role: str, order: int) -> None:
        form["signatures"].append({"role": role, "order": order, "who": self.caller, "at": self.now})

    # --- what a load binds and continues

    def claim(self, form: dict) -> None:
        """Bind the containers, and take what this load continues out of the manifests it comes from."""
        for line in form["lines"]:
            for name in line["container_ids"]:
                holder = self.containers.get(name, "")
                require(
                    holder == "", f"container {name} travels on manifest {holder}: close that one, or correct the id"
                )
                self.containers[name] = form["number"]
            for origin in line["origins"]:
                self.continue_from(form, line, origin)

    def continue_from(self, form: dict, line: dict, origin: dict) -> None:
        name = label(line)
        parent = self.opened(origin["manifest"], SIGNED, "its facility signs first, then its waste can go on")
        number, source, part, wanted = origin["manifest"], origin["line"], origin["part"], origin["quantity"]
        is_holder = parent["custodian"] == form["offeror"]
        require(is_holder, f"{name}: the waste of manifest {number} is not with you: its holder must offer it")
        require(1 <= source <= len(parent["lines"]), f"{name}: manifest {number} has no line {source}")
        require(part in PARTS, f"{name}: the part is one of {listed(PARTS)}")
        is_there = part != "accepted" or not parent["treatment"]
        require(is_there, f"{name}: what was accepted on manifest {number} is treated already")
        held = parent["lines"][source - 1]
        has_codes = not [code for code in held["codes"] if code not in line["codes"]]
        require(part == "accepted" or has_codes, f"{name}: what was rejected or left keeps its waste codes")
        require(held["unit"] == line["unit"], f"{name}: what continues a manifest is counted in its unit")
        left, unit = held[part] - held["onward"][part], held["unit"]
        require(
            0 < wanted <= left,
            f"{name}: of manifest {number}, {left} {unit} {part} are left, not {wanted}",
        )
        held["onward"][part] += wanted
        if form["number"] not in parent["next"]:
            parent["next"].append(form["number"])
        if number not in form["previous"]:
            form["previous"].append(number)
        form["returning"] = form["returning"] or (part != "accepted" and parent["generator"] == form["facility"])
        self.manifests[number] = parent

    def release(self, form: dict) -> None:
        for line in form["lines"]:
            for name in line["container_ids"]:
                if self.containers.get(name, "") == form["number"]:
                    del self.containers[name]

    def unclaim(self, form: dict) -> None:
        self.release(form)
        for line in form["lines"]:
            for origin in line["origins"]:
                parent = self.found(origin["manifest"])
                parent["lines"][origin["line"] - 1]["onward"][origin["part"]] -= origin["quantity"]
                parent["next"] = [number for number in parent["next"] if number != form["number"]]
                self.manifests[parent["number"]] = parent

    def check_source(self, form: dict) -> None:
        """Refuse waste of doubtful origin: new waste in another's name, more than there was, a wrong return."""
        owners = [form["offeror"]] + [self.manifests[number]["generator"] for number in form["previous"]]
        for line in form["lines"]:
            name, origins = label(line), line["origins"]
            whole = sum([origin["quantity"] for origin in origins])
            require(not origins or whole == line["quantity"], f"{name}: it continues {whole}: ship just that quantity")
            is_back = origins and "accepted" not in [origin["part"] for origin in origins]
            require(
                is_back or not form["returning"], f"{name}: to its generator returns only what was rejected or left"
            )
            if not origins:
                owners = [form["offeror"]]
                self.call(self.registry, "check_permit", did=form["offeror"], role="generator", lines=[])
        require(form["generator"] in owners, "new waste is offered by its own generator, other waste named by its own")

    # --- preparing

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
        """Write or rewrite a draft: it has a reference, and no tracking number yet."""
        require(1 <= len(reference) <= 40 and len(consent) <= 40, "reference and consent have at most 40 characters")
        old = self.drafts.get(reference)
        is_free = old is None or old["preparer"] == self.caller
        require(is_free, f"draft {reference} belongs to somebody else: choose another reference")
        check_digest(commitment, "the commitment to the private part")
        require(1 <= len(transporters) <= MAX_LEGS, f"name 1 to {MAX_LEGS} transporters, in their order")
        require(len(lines) <= MAX_LINES, f"a manifest has at most {MAX_LINES} waste lines: use a second manifest")
        form = {
            "number": "",
            "state": "NotAssigned",
            "edition": self.call(self.registry, "rules")["edition"],
            "version": 1,
            "preparer": self.caller,
            "generator": generator,
            "offeror": offeror or generator,
            "transporters": transporters,
            "facility": facility,
            "destination": facility,
            "alternate": alternate,
            "broker": broker,
            "consent": consent,
            "commitment": commitment,
            "lines": self.call(self.registry, "vet", lines=lines),
            "custodian": offeror or generator,
            "position": 0,  # 0: with the offeror; n: with transporter n; one more: at the destination
            "offered": 0,
            "signatures": [],
            "times": {},
            "rejections": [],
            "returning": False,
            "previous": [],
            "next": [],
            "discrepancies": [],
            "incidents": [],
            "attempts": 0,
            "correction": {},
            "treatment": {},
            "readers": [],
            "log": [],
        }
        self.only_involved(form)
        require(form["offeror"] != facility, "the waste is offered by the site it goes to: nothing moves")
        self.call(self.registry, "jurisdictions", dids=parties(form))
        self.drafts[reference] = form
        emit("Drafted", reference=reference, by=self.caller)
        return reference

    @action
    def submit(self, reference: str, number: str) -> str:
        """Give a draft its tracking number; from now on it is a pending manifest."""
        require(reference in self.drafts, f"there is no draft {reference}: write it first")
        form = self.drafts[reference]
        self.only_preparer(form)
        edition = self.call(self.registry, "number_rules", number=number)
        require(form["edition"] == edition, "the rules have changed since this was drafted: draft it again")
        require(number not in self.manifests, f"tracking number {number} is taken: every manifest has its own")
        form["number"] = number
        form["state"] = "Pending"
        form["times"]["submitted"] = self.now
        del self.drafts[reference]
        self.watched[number] = True
        self.enter(form)
        return self.keep(form, "submitted", reference)

    @action
    def schedule(self, number: str) -> str:
        """Declare the manifest complete: permits and containers are checked, and the load may be picked up."""
        form = self.opened(number, ("Pending",), "only a pending one is scheduled")
        self.only_preparer(form)
        require(form["lines"], "a scheduled manifest has at least one waste line: cancel it and draft it again")
        self.claim(form)
        for did in form["transporters"]:
            self.check_permit(did, "transporter", form)
        self.check_source(form)
        if not form["returning"]:
            self.check_permit(form["facility"], "facility", form)
        form["state"] = "Scheduled"
        form["times"]["scheduled"] = self.now
        return self.keep(form, "scheduled")

    @action
    def cancel(self, number: str, reason: str) -> str:
        """Cancel a manifest before the first transporter has taken the waste."""
        form = self.opened(number, BEFORE_PICKUP, "after pickup it can be rejected, not cancelled")
        self.only_preparer(form)
        self.check_text(reason, "the reason")
        if form["state"] == "Scheduled":
            self.unclaim(form)
        form["state"] = "Cancelled"
        form["offered"] = 0
        return self.keep(form, "cancelled", reason)

    # --- on the way

    @action
    def hand_over(self, number: str) -> str:
        """Hand the waste to the next party, whose signature moves the custody. The generator signs with this."""
        form = self.opened(number, MOVING, "nothing is to be handed over now")
        custodian = form["custodian"]
        self.only([custodian], f"the present custodian, {custodian},")
        require(form["offered"] == 0, "you have handed it over already: the next party must sign now")
        if form["position"] == 0:
            self.sign_as(form, "generator", 0)
        if form["position"] == len(form["transporters"]):
            form["times"]["delivered"] = self.now
        form["offered"] = self.now
        return self.keep(form, "handed over")

    @action
    def take_over(self, number: str) -> str:
        """Sign as the next transporter: the waste is in your custody from now on."""
        form = self.opened(number, MOVING, "there is nothing to take over")
        legs, order = form["transporters"], form["position"] + 1
        require(order <= len(legs), f"all {len(legs)} transporters have signed: now the destination confirms receipt")
        self.only([legs[order - 1]], f"transporter {order}, who signs next,")
        require(form["offered"] > 0, "it was not handed over to you yet: the present custodian does that first")
        self.check_permit(self.caller, "transporter", form)
        self.sign_as(form, "transporter", order)
        form["custodian"] = self.caller
        form["position"] = order
        form["offered"] = 0
        form["state"] = "InTransit"
        form["times"].setdefault("accepted", self.now)
        return self.keep(form, "taken over")

    @action
    def change_transporters(self, number: str, transporters: list[str], reason: str) -> str:
        """Let the generator replace the transporters that have not signed yet."""
        form = self.opened(number, MOVING, "its transporters can no longer change")
        self.only([form["generator"], form["offeror"]], "the generator")
        self.check_text(reason, "the reason")
        form["transporters"] = form["transporters"][: form["position"]] + transporters
        require(1 <= len(form["transporters"]) <= MAX_LEGS, f"a manifest has 1 to {MAX_LEGS} transporters")
        for did in transporters:
            self.check_permit(did, "transporter", form)
        if form["position"] > 0:
            form["offered"] = 0
            form["times"].pop("delivered", 0)
        self.enter(form)
        return self.keep(form, "transporters changed", reason)

    @action
    def report_incident(self, number: str, kind: str, comment: str) -> str:
        """Report something that happened to the load; it stays on the manifest."""
        form = self.found(number)
        self.only_involved(form)
        require(kind in INCIDENTS, f"an incident is one of {listed(INCIDENTS)}")
        self.check_text(comment, "the comment")
        form["incidents"].append({"at": self.now, "by": self.caller, "kind": kind, "comment": comment})
        return self.keep(form, "incident", kind)

    # --- at the destination

    def is_at_gate(self, form: dict) -> bool:
        is_last = form["position"] == len(form["transporters"])
        return form["state"] == "InTransit" and is_last and form["offered"] > 0

    @action
    def receive(self, number: str) -> str:
        """Confirm that the load has arrived: custody moves to the destination."""
        form = self.opened(number, ("InTransit",), "only a load in transit is received")
        destination = form["destination"]
        self.only([destination], f"the destination, {destination},")
        require(self.is_at_gate(form), "the last transporter has not handed it over: it signs first")
        form["custodian"] = self.caller
        form["position"] += 1
        form["offered"] = 0
        form["times"]["received"] = self.now
        if form["rejections"] and self.caller == form["generator"]:
            return self.take_back(form)
        if not self.goes_back(form):
            self.check_permit(self.caller, "facility", form)
        form["state"] = "Received"
        return self.keep(form, "received")

    def take_back(self, form: dict) -> str:
        for line in form["lines"]:
            line["received"] = line["quantity"]
            line["received_containers"] = line["containers"]
            line["rejected"] = line["quantity"]
            line["comment"] = form["rejections"][-1]["comment"]
        self.judge(form)
        self.sign_as(form, "generator", 1)
        form["state"] = "ReturnedToGenerator"
        form["times"]["signed"] = self.now
        self.release(form)
        return self.keep(form, "returned")

    @action
    def reject_on_site(self, number: str, back_to_generator: bool, comment: str, alternate: str = "") -> str:
        """Reject the whole load while its transporter is still there: the same manifest continues elsewhere."""
        form = self.found(number)
        state = form["state"]
        self.only([form["destination"]], "the destination")
        require(
            state == "Received" or self.is_at_gate(form),
            f"manifest {number} is {state}: a whole load is rejected on arrival; later, report what is rejected",
        )
        self.check_not_returning(form)
        self.check_text(comment, "the comment")
        target = form["generator"] if back_to_generator else alternate or form["alternate"]
        require(target not in ("", self.caller), "name an alternate facility, or send the load back to its generator")
        if not back_to_generator:
            self.check_permit(target, "facility", form)
        form["rejections"].append({"at": self.now, "by": self.caller, "to": target, "comment": comment})
        self.sign_as(form, "rejecting facility", len(form["rejections"]))
        form["destination"] = target
        form["position"] = len(form["transporters"])
        form["custodian"] = form["transporters"][-1]
        form["offered"] = 0
        form["state"] = "InTransit"
        form["times"].pop("delivered", 0)
        form["times"].pop("received", 0)
        self.enter(form)
        return self.keep(form, "rejected on site", comment)

    def goes_back(self, form: dict) -> bool:
        return form["returning"] or form["destination"] == form["generator"]

    def check_not_returning(self, form: dict) -> None:
        require(not self.goes_back(form), "waste that returns to its generator cannot be rejected again: accept it")

    @action
    def report(self, number: str, lines: list[dict]) -> str:
        """Account for every line: what came, what was accepted, rejected, left as residue or lost, and why."""
        form = self.opened(number, AT_FACILITY, "the report comes after receipt and before the signature")
        self.only([form["destination"]], "the destination")
        form["lines"] = self.call(self.registry, "account", lines=form["lines"], reports=lines, facility=self.caller)
        if amount(form, "rejected") > 0:
            self.check_not_returning(form)
        form["discrepancies"] = []  # a new report is asked about anew
        self.judge(form)
        form["state"] = "ReadyForSignature"
        form["times"]["reported"] = self.now
        return self.keep(form, "reported")

    @action
    def sign(self, number: str) -> str:
        """Sign as the destination: the manifest is complete; from now on it is corrected, never changed."""
        form = self.opened(number, ("ReadyForSignature",), "report on all its lines first, and sign once")
        self.only([form["destination"]], "the destination")
        self.sign_as(form, "facility", 0)
        form["state"] = "ReturnedToGenerator" if form["returning"] else "Signed"
        form["times"]["signed"] = self.now
        self.release(form)
        return self.keep(form, "signed")

    @action
    def reconcile(self, number: str, line: int, kind: str, answer: str) -> str:
        """Answer an open discrepancy as the generator or a transporter, which closes it."""
        form = self.found(number)
        self.only([form["generator"], form["offeror"]] + form["transporters"], "the generator or a transporter")
        self.check_text(answer, "the answer")
        entries = form["discrepancies"]
        asked = [entry for entry in entries if entry["open"] and entry["line"] == line and entry["kind"] == kind]
        require(asked, f"line {line} has no open discrepancy of {kind}: look at the manifest again")
        asked[0]["open"] = False
        asked[0]["answer"] = answer
        self.judge(form)
        return self.keep(form, "reconciled", answer)

    @action
    def certify(self, number: str, kind: str, certificate: str) -> str:
        """Certify that the accepted waste was treated or disposed of; `certificate` is the hash of the document."""
        form = self.opened(number, ("Signed", "Corrected"), "it is certified once, after the facility has signed")
        self.only([form["custodian"]], "the facility that holds the waste")
        require(kind in ("Treated", "Disposed"), "the kind is Treated or Disposed")
        check_digest(certificate, "the certificate")
        left = [line for line in form["lines"] if line["accepted"] > line["onward"]["accepted"]]
        require(left, "nothing that was accepted is left here: who received it certifies its treatment")
        form["treatment"] = {"at": self.now, "by": self.caller, "kind": kind, "certificate": certificate}
        form["times"]["treated"] = self.now
        form["state"] = kind
        return self.keep(form, "certified", kind)

    # --- corrections

    @action
    def propose_correction(self, number: str, changes: list[dict], reason: str, commitment: str = "") -> int:
        """Open a correction of a signed manifest; returns its number. Everybody on the manifest sees it."""
        form = self.opened(number, SIGNED, "one correction at a time, and only of a signed manifest")
        self.only_involved(form)
        self.check_text(reason, "the reason")
        if commitment:
            check_digest(commitment, "the commitment to the private part")
        edition, destination = form["edition"], form["destination"]
        fixed = self.call(self.registry, "correct", lines=form["lines"], changes=changes, edition=edition)
        self.call(self.registry, "judge", lines=fixed, known=[], edition=edition)  # what it refuses, nobody could sign
        if not self.goes_back(form):
            self.call(self.registry, "check_permit", did=destination, role="facility", lines=fixed)
        form["attempts"] += 1
        form["correction"] = {
            "attempt": form["attempts"],
            "by": self.caller,
            "reason": reason,
            "lines": fixed,
            "commitment": commitment or form["commitment"],
            "before": form["state"],
        }
        form["state"] = "UnderCorrection"
        self.keep(form, "correction proposed", reason)
        return form["attempts"]

    @action
    def sign_correction(self, number: str, attempt: int) -> str:
        """Sign the open correction: it becomes the new version, and the old one is kept."""
        form = self.opened(number, ("UnderCorrection",), "it has no open correction")
        self.only_involved(form)
        proposal = form["correction"]
        current = proposal["attempt"]
        require(current == attempt, f"the open correction is number {current}, not {attempt}: read it before you sign")
        names = ("version", "lines", "discrepancies", "commitment")
        old = {name: form[name] for name in names}
        old["until"] = self.now
        old["reason"] = proposal["reason"]
        self.versions[(number, form["version"])] = old
        form["version"] += 1
        for place, line in enumerate(proposal["lines"]):
            line["onward"] = form["lines"][place]["onward"]  # what was sent on may have come back meanwhile
        form["lines"] = proposal["lines"]
        form["commitment"] = proposal["commitment"]
        form["state"] = proposal["before"] if proposal["before"] in FINAL else "Corrected"
        form["correction"] = {}
        self.judge(form)
        return self.keep(form, "correction signed", old["reason"])

    @action
    def withdraw_correction(self, number: str) -> str:
        """Withdraw the open correction: the signed version stays as it was."""
        form = self.opened(number, ("UnderCorrection",), "it has no open correction")
        self.only_involved(form)
        form["state"] = form["correction"]["before"]
        form["correction"] = {}
        return self.keep(form, "correction withdrawn")

    # --- questions

    @view
    def manifest(self, number: str) -> dict:
        """Show a manifest with everything that was signed, what became of it, and what is late."""
        form = self.found(number)
        form["outcome"] = outcome(form)
        form["late"] = self.late(form)
        return form

    @view
    def draft_of(self, reference: str) -> dict:
        """Show a draft."""
        require(reference in self.drafts, f"there is no draft {reference}: it was submitted, or never written")
        return self.drafts[reference]

    @view
    def version(self, number: str, version: int) -> dict:
        """Show an earlier version of a corrected manifest."""
        require((number, version) in self.versions, f"manifest {number} has no earlier version {version}")
        return self.versions[(number, version)]

    @view
    def manifests_for(self, did: str = "", start: int = 0, limit: int = 50) -> dict:
        """List the manifests of a party; for a regulator those from or to its jurisdiction; for nobody, all."""
        if did:
            reader = self.reader(did)
            count = self.booked.get(reader, 0)
            numbers = [self.book[(reader, place)] for place in range(start, min(start + limit, count))]
        else:
            count = len(self.manifests)
            numbers = self.manifests.keys(start, limit)
        return {"count": count, "start": start, "manifests": [self.summary(number) for number in numbers]}

    @view
    def alarms(self, did: str = "", start: int = 0, limit: int = 50) -> dict:
        """List what is overdue on a page of the watched manifests: for a party, a regulator, or all."""
        reader = self.reader(did) if did else ""
        found = []
        for number in self.watched.keys(start, limit):
            form = self.manifests[number]
            if reader == "" or reader in form["readers"]:
                for entry in self.late(form):
                    for name in ("number", "state", "custodian", "destination"):
                        entry[name] = form[name]
                    found.append(entry)
        return {"count": len(self.watched), "start": start, "alarms": found}

    @view
    def balance(self, number: str) -> list[dict]:
        """Show where the quantity of each line went; `difference` never arrived, or came in excess."""
        names = ("line", "description", "unit", "received", "accepted", "rejected", "residue", "loss", "onward")
        rows = []
        for line in self.found(number)["lines"]:
            row = {name: line[name] for name in names}
            row["shipped"] = line["quantity"]
            row["difference"] = line["quantity"] - line["received"]
            rows.append(row)
        return rows

    def reader(self, did: str) -> str:
        party = self.call(self.registry, "party", did=did)
        return "in " + party["jurisdiction"] if "regulator" in party["roles"] else did

    def late(self, form: dict) -> list:
        if form["state"] in FINAL:
            return []
        generator, edition = form["generator"], form["edition"]
        return self.call(self.registry, "late", times=form["times"], generator=generator, edition=edition)

    def summary(self, number: str) -> dict:
        form = self.manifests[number]
        names = ("number", "state", "generator", "transporters", "destination", "custodian", "times", "version")
        row = {name: form[name] for name in names}
        row["outcome"] = outcome(form)
        row["late"] = [entry["id"] for entry in self.late(form)]
        row["incidents"] = [entry["kind"] for entry in form["incidents"]]
        row["discrepancies"] = [entry["kind"] for entry in form["discrepancies"]]
        row["next"] = form["next"]
        row["previous"] = form["previous"]
        return row
