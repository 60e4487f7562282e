"""The whole life of a manifest as a plan: which role sends which action, in which order. Nothing is sent here.

A document says that something differed, was rejected or left over, but e-Manifest JSON does not say how much; the
story then takes the smallest thing that shows the rule: one container or 15 % less, half rejected, a twentieth left.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from minichain.crypto import digest
from minichain.errors import UsageError
from minichain.scenarios import Dids, Step
from minichain.scenarios.waste.document import Document, Line, Site, public_lines, split_private

REGISTRY: Final = "waste-registry"
CUSTODY: Final = "waste"
OFFICE: Final = "office"
BLANK_METHOD: Final = "H141"  # storage and transfer: what a facility may always say of waste it keeps for now
PRIVATE: Final = "Explained in the private part of the document."

_PROFILES: Final = Path(__file__).with_name("profiles")


def profile(name: str) -> dict[str, Any]:
    """Return a jurisdiction profile as the registry takes it: us_rcra, cn_hw, eu_wsr or household."""
    path = _PROFILES / f"{name}.json"
    if not path.is_file():
        raise UsageError(f"there is no profile {name!r}: choose one of {', '.join(sorted(profiles()))}")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def profiles() -> dict[str, Path]:
    """Return the files of all profiles by name."""
    return {path.stem: path for path in sorted(_PROFILES.glob("*.json"))}


# --- who takes part ----------------------------------------------------------------------------------------------


def sites(document: Document) -> dict[str, Site]:
    """Name the sites of a document by role; a site that appears twice has the role in which it appears first."""
    rejection = document.rejection
    named: list[tuple[str, Site | None]] = [("generator", document.generator)]
    named += [(f"transporter-{order}", site) for order, site in enumerate(document.transporters, 1)]
    named += [("facility", document.facility), ("alternate", rejection.alternate if rejection else None)]
    named += [("broker", document.broker)]
    found: dict[str, Site] = {}
    for role, site in named:
        if site and site.number not in [known.number for known in found.values()]:
            found[role] = site
    return found


def role_of(document: Document, site: Site) -> str:
    """Return the role that acts for a site."""
    return next(role for role, known in sites(document).items() if known.number == site.number)


def roles(document: Document) -> tuple[str, ...]:
    """Return the wallets a story needs: the office, one for each site, one for each authority concerned."""
    return (OFFICE, *sites(document), *_regulators(document))


def _regulators(document: Document) -> dict[str, str]:
    """Name the authorities by their jurisdiction; origin and destination may be the same."""
    origin, end = document.generator.jurisdiction, document.facility.jurisdiction
    return {"regulator-origin": origin} if origin == end else {"regulator-origin": origin, "regulator-destination": end}


def setup(document: Document, dids: Dids) -> dict[str, dict[str, Any]]:
    """Return the arguments with which each contract is deployed, by its address."""
    registry = {"operator": dids[OFFICE], "profile": profile(document.profile)}
    return {REGISTRY: registry, CUSTODY: {"registry": REGISTRY}}


# --- the plan ----------------------------------------------------------------------------------------------------


def plan(document: Document, dids: Dids, salt: bytes) -> tuple[Step, ...]:
    """Plan the life of a manifest, from registering its parties to the certificate of treatment.

    `dids` gives the DID of each of `roles(document)`; `salt` hides the private part and should be fresh and random.
    """
    if missing := [role for role in roles(document) if role not in dids]:
        raise UsageError(f"no DID is given for {', '.join(missing)}: make a wallet for each of roles(document)")
    return tuple(_Story(document, dids, salt).tell())


def number_of(document: Document, salt: bytes) -> str:
    """Return the tracking number, or the one a draft gets: in the form its profile asks for."""
    if document.number:
        return document.number
    mask = profile(document.profile)["numbers"] or "999999999999"
    digits = str(int.from_bytes(digest("waste number", salt))).rjust(40, "0")[-40:]
    letters = "ELC" if mask.endswith("AAA") else ""
    return "".join(digits[place] if char == "9" else char for place, char in enumerate(mask.replace("AAA", letters)))


class _Story:
    """Tells one document. What the load is like on arrival is decided once, in `_arrival`."""

    def __init__(self, document: Document, dids: Dids, salt: bytes) -> None:
        self.document = document
        self.dids = dids
        self.number = number_of(document, salt)
        self.commitment = split_private(document, salt).commitment
        self.legs = [role_of(document, site) for site in document.transporters]

    def tell(self) -> Iterator[Step]:
        document, rejection = self.document, self.document.rejection
        yield from self._register()
        yield from self._prepare()
        if not document.lines:
            return  # a draft without waste lines stays pending
        yield from self._travel()
        holder = "facility"
        if rejection and rejection.is_full and rejection.transporter_on_site:
            yield from self._reject_on_site()
            holder = (
                "generator"
                if rejection.back_to_generator
                else role_of(document, rejection.alternate or document.facility)
            )
        yield from self._arrive(holder)
        if document.rejection and not document.rejection.transporter_on_site:
            yield from self._send_on()
        if document.is_corrected and holder != "generator":
            yield from self._correct()
        if holder != "generator" and any(report["accepted"] for report in self._reports()):
            yield from self._certify(holder)

    def _do(self, role: str, action: str, sentence: str, **args: Any) -> Step:
        return Step(role, action, {"number": self.number, **args}, sentence, CUSTODY)

    # who

    def _register(self) -> Iterator[Step]:
        document = self.document
        lines = document.lines
        codes = sorted({code for line in lines for code in (*line.codes, *line.local_codes)})
        methods = sorted({line.method or BLANK_METHOD for line in lines})
        for role, site in sites(document).items():
            kinds = sorted(self._kinds(site))
            permit = {"codes": codes, "methods": methods if "facility" in kinds else []}
            category = document.category if "generator" in kinds else ""
            yield self._registration(role, kinds, site.number, site.jurisdiction, category=category, **permit)
        for role, place in _regulators(document).items():
            yield self._registration(role, ["regulator"], "", place)

    def _kinds(self, site: Site) -> set[str]:
        document = self.document
        alternate = document.rejection.alternate if document.rejection else None
        kinds = {"generator": (document.generator,), "transporter": document.transporters}
        kinds |= {"facility": (document.facility, alternate), "broker": (document.broker,)}  # type: ignore[dict-item]
        return {kind for kind, known in kinds.items() if site.number in [one.number for one in known if one]}

    def _registration(self, role: str, kinds: list[str], site: str, place: str, **permit: Any) -> Step:
        args = {"did": self.dids[role], "roles": kinds, "site": site, "jurisdiction": place, **permit}
        return Step(OFFICE, "register", args, SENTENCES["register"], REGISTRY)

    # the way

    def _prepare(self) -> Iterator[Step]:
        document, dids, reference = self.document, self.dids, f"draft-{self.commitment[:12]}"
        content = {
            "reference": reference,
            "generator": dids["generator"],
            "transporters": [dids[role] for role in self.legs],
            "facility": dids["facility"],
            "lines": public_lines(document),
            "commitment": self.commitment,
            "broker": self._did(document.broker),
            "alternate": self._did(document.rejection.alternate if document.rejection else None),
            "consent": document.consent,
        }
        yield Step("generator", "draft", content, SENTENCES["draft"], CUSTODY)
        args = {"reference": reference, "number": self.number}
        yield Step("generator", "submit", args, SENTENCES["submit"], CUSTODY)

    def _did(self, site: Site | None) -> str:
        return self.dids[role_of(self.document, site)] if site else ""

    def _travel(self) -> Iterator[Step]:
        yield self._do("generator", "schedule", SENTENCES["schedule"])
        yield self._do("generator", "hand_over", SENTENCES["generator signs"])
        for role in self.legs:
            yield self._do(role, "take_over", SENTENCES["take over"])
            yield self._do(role, "hand_over", SENTENCES["hand over"])

    def _reject_on_site(self) -> Iterator[Step]:
        rejection = self.document.rejection
        assert rejection
        args = {"back_to_generator": rejection.back_to_generator, "comment": PRIVATE}
        yield self._do("facility", "reject_on_site", SENTENCES["reject on site"], **args)
        yield self._do(self.legs[-1], "hand_over", SENTENCES["hand over"])

    def _arrive(self, holder: str) -> Iterator[Step]:
        if holder == "generator":
            yield self._do(holder, "receive", SENTENCES["take back"])
            return
        yield self._do(holder, "receive", SENTENCES["receive"])
        yield self._do(holder, "report", SENTENCES["report"], lines=self._reports())
        yield self._do(holder, "sign", SENTENCES["sign"])
        for line in self.document.lines:
            for kind in _open_kinds(self.document, line):
                args = {"line": line.line, "kind": kind, "answer": PRIVATE}
                yield self._do("generator", "reconcile", SENTENCES["reconcile"], **args)

    def _reports(self) -> list[dict[str, Any]]:
        return [_arrival(self.document, line) for line in self.document.lines]

    def _send_on(self) -> Iterator[Step]:
        """Send what was rejected on with new manifests that name the old one."""
        rejection = self.document.rejection
        assert rejection
        numbers = rejection.new_numbers or (_next_number(self.number),)
        for place, number in enumerate(numbers):
            lines = [_continued(self.number, line, report, place, len(numbers)) for line, report in self._rejected()]
            yield from self._new_manifest(number, [line for line in lines if line["quantity"]])

    def _rejected(self) -> list[tuple[Line, dict[str, Any]]]:
        return [
            (line, report)
            for line, report in zip(self.document.lines, self._reports(), strict=True)
            if report["rejected"]
        ]

    def _new_manifest(self, number: str, lines: list[dict[str, Any]]) -> Iterator[Step]:
        """Tell a new manifest to the alternate facility, or back to the generator. What it is called follows
        40 CFR 264.72 (e) and (f): to another facility the generator stays the generator; on the way back it is the
        rejecting facility.
        """
        numbered = [{**line, "line": place} for place, line in enumerate(lines, 1)]
        if not numbered:
            return
        rejection = self.document.rejection
        assert rejection
        goes_on = rejection.alternate is not None and not rejection.back_to_generator
        target = role_of(self.document, rejection.alternate) if goes_on and rejection.alternate else "generator"
        leg, reference = self.legs[-1], f"draft-{number}"
        content = {
            "reference": reference,
            "generator": self.dids["generator" if goes_on else "facility"],
            "offeror": self.dids["facility"],
            "transporters": [self.dids[leg]],
            "facility": self.dids[target],
            "lines": numbered,
            "commitment": self.commitment,
        }
        args = {"number": number}
        yield Step("facility", "draft", content, SENTENCES["draft again"], CUSTODY)
        yield Step("facility", "submit", {"reference": reference, **args}, SENTENCES["submit"], CUSTODY)
        for role, action, key in (
            *(("facility", "schedule", "schedule"), ("facility", "hand_over", "offeror signs")),
            *((leg, "take_over", "take over"), (leg, "hand_over", "hand over"), (target, "receive", "receive")),
        ):
            yield Step(role, action, args, SENTENCES[key], CUSTODY)
        reports = [_whole(line) for line in numbered]
        yield Step(target, "report", {**args, "lines": reports}, SENTENCES["report"], CUSTODY)
        yield Step(target, "sign", args, SENTENCES["sign"], CUSTODY)

    # afterwards

    def _correct(self) -> Iterator[Step]:
        line = self.document.lines[0]
        changes = [{"line": 1, "description": f"{line.description} (corrected)"[:255]}]
        yield self._do("facility", "propose_correction", SENTENCES["propose"], changes=changes, reason=PRIVATE)
        yield self._do("generator", "sign_correction", SENTENCES["correct"], attempt=1)

    def _certify(self, holder: str) -> Iterator[Step]:
        certificate = digest("waste certificate", self.number.encode()).hex()
        yield self._do(holder, "certify", SENTENCES["certify"], kind="Treated", certificate=certificate)


# Each sentence is also its message id: translate them with the words of the page.
SENTENCES: Final = {
    "register": "The office registers a party: its roles, its site and what its permit covers.",
    "draft": "The generator drafts the manifest; names and telephone numbers stay outside, under a commitment.",
    "draft again": "The facility drafts a new manifest for what it rejected; it names the old one.",
    "submit": "The draft gets its tracking number.",
    "schedule": "The manifest is complete: permits and containers are checked.",
    "generator signs": "The generator signs and hands the load to the first transporter.",
    "offeror signs": "The facility signs in the place of the generator and hands the load over.",
    "take over": "The transporter signs: the load is in its custody.",
    "hand over": "The transporter hands the load over; custody moves when the next party signs.",
    "reject on site": "The facility rejects the whole load while the truck waits; the same manifest goes on.",
    "take back": "The generator takes its load back and signs.",
    "receive": "The destination confirms that the load has arrived.",
    "report": "The destination accounts for every line: accepted, rejected, residue, loss.",
    "sign": "The destination signs; from now on the manifest is corrected, never changed.",
    "reconcile": "The generator answers the discrepancy.",
    "propose": "The facility proposes a correction; everybody on the manifest sees it.",
    "correct": "The generator signs the correction; the old version is kept.",
    "certify": "The facility certifies the treatment with the hash of its certificate.",
}


# --- what the story takes for granted ----------------------------------------------------------------------------


def _open_kinds(document: Document, line: Line) -> list[str]:
    """Name the discrepancies of a line that somebody must answer."""
    is_bulk = line.container_type in profile(document.profile)["bulk_types"]
    kinds = {"quantity": "quantity" if is_bulk else "pieces", "type": "type"}
    return [kinds[kind] for kind in line.differs]


def _arrival(document: Document, line: Line) -> dict[str, Any]:
    """Report one line on arrival, in the way the document describes it."""
    rejection, received, containers = document.rejection, line.quantity, line.containers
    if "quantity" in line.differs:
        received = max(1, line.quantity * 85 // 100)
        containers = max(0, line.containers - 1)
    is_rejected = rejection is not None and not rejection.transporter_on_site
    rejected = received if is_rejected and rejection and rejection.is_full else -(-received // 2) if is_rejected else 0
    residue = min(received - rejected, max(1, received // 20)) if line.residue else 0
    remarkable = bool(line.differs or rejected or residue)
    return {
        "line": line.line,
        "received": received,
        "containers": containers,
        "accepted": received - rejected - residue,
        "rejected": rejected,
        "residue": residue,
        "same_type": "type" not in line.differs,
        "method": line.method or BLANK_METHOD,
        "comment": PRIVATE if remarkable else "",
    }


def _continued(number: str, line: Line, report: dict[str, Any], place: int, shares: int) -> dict[str, Any]:
    """Describe the share of a rejected line that travels on one of several new manifests."""
    each, rest = divmod(report["rejected"], shares)
    quantity = each + (place < rest)
    count = max(1, line.containers // (2 * shares))
    origin = {"manifest": number, "line": line.line, "part": "rejected", "quantity": quantity}
    plain = {"description": line.description, "hazardous": line.hazardous, "dot": line.dot, "codes": list(line.codes)}
    plain |= {"local_codes": list(line.local_codes), "waste_class": line.waste_class, "density": line.density}
    amount = {"containers": count, "container_type": line.container_type, "quantity": quantity, "unit": line.unit}
    return {"line": line.line, **plain, **amount, "method": line.method or BLANK_METHOD, "origins": [origin]}


def _whole(line: dict[str, Any]) -> dict[str, Any]:
    """Report a line that arrived as it was sent."""
    amount = {"received": line["quantity"], "accepted": line["quantity"], "containers": line["containers"]}
    return {"line": line["line"], **amount, "method": line["method"]}


def _next_number(number: str) -> str:
    """Return the number after this one, in the same form."""
    digits = "".join(char for char in number if char.isdigit())
    following = str((int(digits) + 1) % 10 ** len(digits)).zfill(len(digits))
    fresh = iter(following)
    return "".join(next(fresh) if char.isdigit() else char for char in number)
