"""US EPA e-Manifest JSON in, a `Document` out; what is refused is refused by the name of its field and of its rule.

`problems` finds everything at once, so that an official sees the whole list; `load` raises the first. The form of each
field is a table after the public EPA schema 1.3; the rules that a schema cannot say follow it, one function a topic.
A document without a number (absent, or the placeholder of EPA's own samples) is a draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from minichain.errors import DocumentError, UsageError
from minichain.scenarios.waste.document import Document, Line, Rejection, Site

MAX_BYTES: Final = 1_000_000
MAX_LINES: Final = 50  # this and the next are limits of the contract
MAX_LEGS: Final = 10
PLACEHOLDERS: Final = ("", "CHANGE ME")
TRACKING_NUMBER: Final = re.compile(r"[0-9]{9}[A-Z]{3}")
SITE_ID: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{10}")
PHONE: Final = re.compile(r"[0-9]{3}-[0-9]{3}-[0-9]{4}")
PHONE_LIKE: Final = re.compile(r"(?:[0-9][ ().+/-]*){7}")
CONSENT: Final = re.compile(r"[0-9]{6}I[0-9]{5}")
METHOD: Final = re.compile(r"H[0-9]{3}")
FEDERAL_CODE: Final = re.compile(r"[DFKPU][0-9]{3}")
DOT_ID: Final = re.compile(r"(UN|NA)[0-9]{4}|NOID")
DATES: Final = ("%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z")
CONTAINERS: Final = ("BA", "CF", "CM", "CW", "CY", "DF", "DM", "DT", "DW", "HG", "TC", "TP", "TT")
UNITS: Final = ("P", "T", "K", "M", "G", "L", "Y", "N")
VOLUMES: Final = ("G", "L", "Y", "N")
BEFORE_SCHEDULED: Final = ("NotAssigned", "Pending")
STATUSES: Final = (
    *BEFORE_SCHEDULED,
    *("Scheduled", "InTransit", "ReadyForSignature", "Signed", "Corrected", "UnderCorrection", "MtnValidationFailed"),
)
PAPER: Final = ("DataImage5Copy", "Image")
LOADS: Final = ("Container", "ArticleInContainer", "ArticleNotInContainer", "BulkWaste")


class Problem(NamedTuple):
    """One broken rule, at one field."""

    field: str
    rule: str
    message: str


# --- the form of each field --------------------------------------------------------------------------------------

# A kind is: bool, date, whole (number), number, any; text or text:80 (longest); one of words; @Shape; 1@Shape refuses
# several by a rule of its own; [kind] is a list.
SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "Manifest": {
        "createdDate": "date",
        "updatedDate": "date",
        "manifestTrackingNumber": "text",
        "status": STATUSES,
        "isPublic": "bool",
        "submissionType": ("FullElectronic", "DataImage5Copy", "Hybrid", "Image"),
        "signatureStatus": "bool",
        "originType": ("Web", "Service", "Mail"),
        "shippedDate": "date",
        "potentialShipDate": "date",
        "receivedDate": "date",
        "certifiedDate": "date",
        "certifiedBy": "any",
        "lastUpdatedBy": "any",
        "generator": "1@Site",
        "transporters": "[@Site]",
        "designatedFacility": "@Site",
        "broker": "@Site",
        "wastes": "[@Waste]",
        "rejection": "bool",
        "rejectionInfo": "@Rejection",
        "discrepancy": "bool",
        "residue": "bool",
        "residueNewManifestTrackingNumbers": "[text]",
        "import": "bool",
        "importInfo": "@Import",
        "correctionRequests": "any",
        "containsPreviousRejectOrResidue": "bool",
        "printedDocument": "@File",
        "formDocument": "@File",
        "additionalInfo": "@Additional",
        "correctionInfo": "@Correction",
        "ppcStatus": "text",
        "mtnValidationInfo": "any",
        "provideImageGeneratorInfo": "bool",
        "locked": "bool",
        "lockReason": ("AsyncSign", "EpaChangeBiller", "EpaCorrection"),
    },
    "Site": {
        "siteType": ("Tsdf", "Generator", "Transporter", "Broker"),
        "epaSiteId": "text",
        "name": "text:80",
        "mailingAddress": "@Address",
        "siteAddress": "@Address",
        "contact": "@Contact",
        "emergencyPhone": "@Phone",
        "paperSignatureInfo": "@Signature",
        "electronicSignaturesInfo": "any",
        "order": "whole",
        "registered": "bool",
        "modified": "bool",
        "limitedEsign": "bool",
        "canEsign": "bool",
        "siteState": "@Place",
        "hasRegisteredEmanifestUser": "bool",
        "gisPrimary": "bool",
        "signatureType": ("NotSigned", "TypedName", "QuickSign", "CROMERRSign", "QuickerSign"),
    },
    "Address": {
        "streetNumber": "text:12",
        "address1": "text:50",
        "address2": "text:50",
        "city": "text:25",
        "state": "@Place",
        "country": "@Place",
        "zip": "text:50",
    },
    "Place": {"code": "text:2", "name": "text:100"},
    "Contact": {
        "firstName": "text:38",
        "middleInitial": "text:1",
        "lastName": "text:38",
        "phone": "@Phone",
        "email": "text:255",
        "companyName": "text:80",
    },
    "Phone": {"number": "text", "extension": "text:6"},
    "Signature": {"printedName": "text:255", "signatureDate": "date"},
    "File": {"name": "text:255", "size": "whole", "mimeType": ("APPLICATION_PDF", "TEXT_HTML")},
    "Code": {"code": "text:40", "description": "text:255"},
    "Waste": {
        "lineNumber": "whole",
        "dotHazardous": "bool",
        "epaWaste": "bool",
        "pcb": "bool",
        "br": "bool",
        "dotInformation": "@Dot",
        "wasteDescription": "text:500",
        "quantity": "@Quantity",
        "brInfo": "@Density",
        "hazardousWaste": "@Codes",
        "pcbInfos": "[@Pcb]",
        "discrepancyResidueInfo": "@Difference",
        "managementMethod": "@Code",
        "additionalInfo": "@Additional",
    },
    "Dot": {"idNumber": "@Code", "printedDotInformation": "text:500"},
    "Quantity": {
        "containerNumber": "whole",
        "containerType": "@Code",
        "quantity": "whole",
        "unitOfMeasurement": "@Code",
    },
    "Density": {
        "density": "number",
        "densityUnitOfMeasurement": "@Code",
        "formCode": "@Code",
        "sourceCode": "@Code",
        "wasteMinimizationCode": "@Code",
        "mixedRadioactiveWaste": "bool",
    },
    "Codes": {
        "federalWasteCodes": "[@Code]",
        "tsdfStateWasteCodes": "[@Code]",
        "generatorStateWasteCodes": "[@Code]",
        "txWasteCodes": "[text]",
    },
    "Pcb": {
        "loadType": "@Code",
        "articleContainerId": "text:255",
        "dateOfRemoval": "date",
        "weight": "number",
        "wasteType": "text:255",
        "bulkIdentity": "text:255",
    },
    "Difference": {
        "wasteQuantity": "bool",
        "wasteType": "bool",
        "discrepancyComments": "text:255",
        "residue": "bool",
        "residueComments": "text:255",
    },
    "Additional": {
        "originalManifestTrackingNumbers": "[text]",
        "newManifestDestination": ("OriginalGenerator", "Tsdf"),
        "consentNumber": "text",
        "comments": "[@Comment]",
        "handlingInstructions": "text:4000",
        "pcbAlternateDesignatedFacility": "@Site",
    },
    "Comment": {"label": "text:255", "description": "text:255", "handlerId": "text:12"},
    "Rejection": {
        "transporterOnSite": "bool",
        "rejectionType": ("FullReject", "PartialReject"),
        "alternateDesignatedFacilityType": ("Generator", "Tsdf"),
        "generatorPaperSignature": "@Signature",
        "generatorElectronicSignature": "any",
        "alternateDesignatedFacility": "@Site",
        "newManifestTrackingNumbers": "[text]",
        "rejectionComments": "text:255",
    },
    "Import": {"importGenerator": "@ForeignSite", "portOfEntry": "@Port"},
    "ForeignSite": {
        "name": "text:80",
        "address": "text:50",
        "city": "text:25",
        "country": "@Place",
        "postalCode": "text:25",
        "province": "text:50",
    },
    "Port": {"state": "@Place", "cityPort": "text:100"},
    "Correction": {
        "versionNumber": "whole",
        "active": "bool",
        "ppcActive": "bool",
        "electronicSignatureInfo": "any",
        "epaSiteId": "text",
        "initiatorRole": ("Industry", "State", "PPC", "EPA"),
        "updateRole": ("Industry", "State", "Ppc", "Epa"),
    },
}
REQUIRED: Final = {
    "Manifest": ("submissionType", "generator", "transporters", "designatedFacility"),
    "Site": ("epaSiteId",),
    "Address": ("address1",),
    "Place": ("code",),
    "Phone": ("number",),
    "Code": ("code",),
    "Waste": ("lineNumber", "dotHazardous", "epaWaste", "pcb", "br", "quantity"),
    "Dot": ("idNumber", "printedDotInformation"),
    "Quantity": ("containerNumber", "containerType", "quantity", "unitOfMeasurement"),
    "Rejection": ("transporterOnSite", "rejectionType", "rejectionComments"),
    "Correction": ("versionNumber",),
}


def _shape(value: Any, shape: str, field: str) -> Iterator[Problem]:
    """Check an object against its table."""
    if not isinstance(value, dict):
        yield Problem(field or "(document)", "type", f"an object is expected here, not {_say(value)}")
        return
    fields = SHAPES[shape]
    for name in REQUIRED.get(shape, ()):
        if value.get(name) is None:
            yield Problem(_join(field, name), "required", "is missing: fill it in")
    for name, item in value.items():
        if name not in fields:
            yield Problem(
                _join(field, name), "unknown-field", f"is not a field of the manifest; expected {', '.join(fields)}"
            )
        elif item is not None:
            yield from _kind(item, fields[name], _join(field, name))


def _kind(value: Any, kind: Any, field: str) -> Iterator[Problem]:
    if isinstance(kind, tuple):
        if value not in kind:
            yield Problem(field, "choice", f"{_say(value)} is not one of {', '.join(kind)}")
    elif kind.startswith("1@") and isinstance(value, list):
        yield Problem(field, f"one-{field}", f"a manifest has exactly one {field}: write one manifest for each")
    elif "@" in kind and not kind.startswith("["):
        yield from _shape(value, kind.partition("@")[2], field)
    elif kind.startswith("["):
        if not isinstance(value, list):
            yield Problem(field, "type", f"a list is expected here, not {_say(value)}")
            return
        for place, item in enumerate(value):
            yield from _kind(item, kind[1:-1], f"{field}[{place}]")
    else:
        yield from _leaf(value, kind, field)


def _leaf(value: Any, kind: str, field: str) -> Iterator[Problem]:
    name, _, longest = kind.partition(":")
    expected, is_right = _LEAVES[name]
    if not is_right(value):
        yield Problem(field, "type", f"{expected} is expected here, not {_say(value)}")
    elif longest and len(value) > int(longest):
        yield Problem(field, "length", f"has {len(value)} characters: at most {longest} are allowed")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_LEAVES: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "any": ("something", lambda value: True),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "text": ("text", lambda value: isinstance(value, str)),
    "number": ("a number", _is_number),
    "whole": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "date": ("a date such as 2025-03-01T04:00:00.000+0000", lambda value: _date(value) is not None),
}


def _date(value: Any) -> datetime | None:
    """Read a date; None if it is none. EPA writes +0000 or Z."""
    for form in DATES if isinstance(value, str) else ():
        try:
            return datetime.strptime(value, form)
        except ValueError:
            continue
    return None


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else str(name)


def _say(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."


# --- what a table cannot say -------------------------------------------------------------------------------------


def _get(raw: Any, *path: str | int) -> Any:
    """Follow a path; None where it ends early."""
    for step in path:
        if isinstance(step, int):
            raw = raw[step] if isinstance(raw, list) and step < len(raw) else None
        else:
            raw = raw.get(step) if isinstance(raw, dict) else None
    return raw


def _items(raw: Any, *path: str | int) -> list[Any]:
    found = _get(raw, *path)
    return found if isinstance(found, list) else []


def _wastes(raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, waste in enumerate(_items(raw, "wastes")):
        if isinstance(waste, dict):
            yield f"wastes[{place}]", waste


def _sites(raw: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """List every site with its path."""
    found = {"generator": _get(raw, "generator")}
    found |= {f"transporters[{n}]": site for n, site in enumerate(_items(raw, "transporters"))}
    found |= {name: _get(raw, name) for name in ("designatedFacility", "broker")}
    path = "rejectionInfo.alternateDesignatedFacility"
    found[path] = _get(raw, *path.split("."))
    yield from ((field, site) for field, site in found.items() if isinstance(site, dict))


def _numbers(raw: Any) -> Iterator[Problem]:
    """Tracking numbers: nine digits and three capital letters. A paper manifest has its number printed on it."""
    form = "nine digits and three capital letters, such as 100200300ELC"
    number = _get(raw, "manifestTrackingNumber")
    if number is None and _get(raw, "submissionType") in PAPER:
        yield Problem("manifestTrackingNumber", "tracking-number", f"is missing: copy it from the paper form, {form}")
    fields = {"manifestTrackingNumber": [] if number in PLACEHOLDERS else [number]}
    lists = ("residueNewManifestTrackingNumbers",), ("rejectionInfo", "newManifestTrackingNumbers")
    for path in (*lists, ("additionalInfo", "originalManifestTrackingNumbers")):
        fields[".".join(path)] = _items(raw, *path)
    for field, values in fields.items():
        for place, value in enumerate(values):
            if isinstance(value, str) and not TRACKING_NUMBER.fullmatch(value):
                name = field if field == "manifestTrackingNumber" else f"{field}[{place}]"
                yield Problem(name, "tracking-number", f"{_say(value)} does not have the form {form}")


def _site_ids(raw: Any) -> Iterator[Problem]:
    for field, site in _sites(raw):
        number = site.get("epaSiteId")
        if not isinstance(number, str):
            continue
        if not SITE_ID.fullmatch(number):
            said = f"{_say(number)} is not an EPA site id: 2 letters of the state and 10 letters or digits"
            yield Problem(f"{field}.epaSiteId", "site-id", said)
        state = _get(site, "siteAddress", "state", "code")
        if SITE_ID.fullmatch(number) and isinstance(state, str) and number[:2] != state:
            said = f"{_say(state)} is not the state of site {number}: correct the address or the site id"
            yield Problem(f"{field}.siteAddress.state.code", "site-id", said)


def _parties(raw: Any) -> Iterator[Problem]:
    """Transporters are 1 to n without holes; nobody ships to itself."""
    legs = _get(raw, "transporters")
    if legs == []:
        yield Problem("transporters", "transporter-order", "a manifest has at least one transporter: name it")
    if len(_items(raw, "transporters")) > MAX_LEGS:
        yield Problem("transporters", "transporter-order", f"has {len(legs)} entries: at most {MAX_LEGS} are handled")
    for place, leg in enumerate(_items(raw, "transporters")):
        order = _get(leg, "order")
        if order != place + 1:
            said = f"transporters are listed in their order 1, 2, 3 ...: this one is {place + 1}, not {_say(order)}"
            yield Problem(f"transporters[{place}].order", "transporter-order", said)
    sites = [_get(raw, name, "epaSiteId") for name in ("generator", "designatedFacility")]
    if sites[0] is not None and sites[0] == sites[1]:
        yield Problem("designatedFacility.epaSiteId", "destination", "is the generator itself: nothing moves")


def _phones(raw: Any) -> Iterator[Problem]:
    """Telephone numbers as ###-###-####; the generator's emergency number is mandatory."""
    if isinstance(_get(raw, "generator"), dict) and _get(raw, "generator", "emergencyPhone") is None:
        said = "is missing: a number that answers 24 hours a day is mandatory"
        yield Problem("generator.emergencyPhone.number", "emergency-phone", said)
    for field, site in _sites(raw):
        for path in (("emergencyPhone",), ("contact", "phone")):
            number = _get(site, *path, "number")
            if isinstance(number, str) and not PHONE.fullmatch(number):
                rule = "emergency-phone" if path == ("emergencyPhone",) else "phone"
                said = f"does not have the form ###-###-####, but {len(number)} characters of another form"
                yield Problem(f"{field}.{'.'.join(path)}.number", rule, said)


def _dates(raw: Any) -> Iterator[Problem]:
    """A signature may not be earlier than the one before it."""
    fields = ["createdDate", "shippedDate", "receivedDate", "certifiedDate"]
    yield from _in_order([(field, _date(_get(raw, field))) for field in fields])
    signed = [(field, _date(_get(site, "paperSignatureInfo", "signatureDate"))) for field, site in _sites(raw)]
    yield from _in_order(
        [(f"{field}.paperSignatureInfo.signatureDate", date) for field, date in signed if field != "broker"]
    )


def _in_order(dates: list[tuple[str, datetime | None]]) -> Iterator[Problem]:
    known = [(field, date) for field, date in dates if date]
    for (earlier, first), (field, second) in pairwise(known):
        if second < first:
            yield Problem(field, "date-order", f"is earlier than {earlier}: the dates must be in order")


def _lines(raw: Any) -> Iterator[Problem]:
    """A waste line is required from Scheduled on; lines are numbered from 1."""
    wastes = _items(raw, "wastes")
    is_early = _get(raw, "status") in (None, *BEFORE_SCHEDULED)
    if not wastes and not is_early:
        yield Problem("wastes", "waste-line", "a manifest that is scheduled has at least one waste line")
    if len(wastes) > MAX_LINES:
        yield Problem("wastes", "waste-line", f"has {len(wastes)} lines: at most {MAX_LINES}; use a second manifest")
    for place, (field, waste) in enumerate(_wastes(raw), 1):
        if _is_number(waste.get("lineNumber")) and waste["lineNumber"] != place:
            said = f"lines are numbered 1, 2, 3 ...: this one is {place}, not {_say(waste['lineNumber'])}"
            yield Problem(f"{field}.lineNumber", "line-number", said)


def _quantities(raw: Any) -> Iterator[Problem]:
    for field, waste in _wastes(raw):
        amount = _get(waste, "quantity") or {}
        for name, most in (("quantity", 99_999_999_999), ("containerNumber", 99_999)):
            value = _get(amount, name)
            if isinstance(value, int) and not isinstance(value, bool) and not 0 < value <= most:
                said = f"is {_say(value)}: a whole number from 1 to {most} is expected"
                yield Problem(f"{field}.quantity.{name}", "whole-quantity", said)
        for name, rule, known in (
            ("containerType", "container-type", CONTAINERS),
            ("unitOfMeasurement", "unit", UNITS),
        ):
            code = _get(amount, name, "code")
            if isinstance(code, str) and code not in known:
                yield Problem(f"{field}.quantity.{name}.code", rule, f"{_say(code)} is not one of {', '.join(known)}")


def _hazards(raw: Any) -> Iterator[Problem]:
    """Hazardous goods carry DOT information, others a description; EPA waste carries a waste code."""
    for field, waste in _wastes(raw):
        is_dot = waste.get("dotHazardous")
        if is_dot is True and waste.get("dotInformation") is None:
            yield Problem(f"{field}.dotInformation", "dot", "is mandatory because dotHazardous is true")
        if is_dot is False and not waste.get("wasteDescription"):
            yield Problem(f"{field}.wasteDescription", "dot", "is mandatory because dotHazardous is false")
        identity = _get(waste, "dotInformation", "idNumber", "code")
        if isinstance(identity, str) and not DOT_ID.fullmatch(identity):
            said = f"{_say(identity)} is not an id number: UN or NA and four digits, or NOID"
            yield Problem(f"{field}.dotInformation.idNumber.code", "dot", said)
        if waste.get("epaWaste") is True and not any(_codes(waste)):
            said = "is empty, but epaWaste is true: name at least one waste code"
            yield Problem(f"{field}.hazardousWaste.federalWasteCodes", "waste-codes", said)
        for place, code in enumerate(_items(waste, "hazardousWaste", "federalWasteCodes")):
            value = _get(code, "code")
            if isinstance(value, str) and not FEDERAL_CODE.fullmatch(value):
                name = f"{field}.hazardousWaste.federalWasteCodes[{place}].code"
                yield Problem(name, "waste-codes", f"{_say(value)} is not D, F, K, P or U with three digits")


def _published(raw: Any) -> Iterator[Problem]:
    """What a line says is published, so it must not name a telephone or a mailbox."""
    for field, waste in _wastes(raw):
        for path in (("wasteDescription",), ("dotInformation", "printedDotInformation")):
            text = _get(waste, *path)
            if isinstance(text, str) and ("@" in text or PHONE_LIKE.search(text)):
                said = "seems to hold a telephone number or mail address, and would be published: leave it out"
                yield Problem(f"{field}.{'.'.join(path)}", "personal-data", said)


def _codes(waste: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the federal and the local waste codes of a line."""
    lists = [_items(waste, "hazardousWaste", f"{who}WasteCodes") for who in ("federal", "tsdfState", "generatorState")]
    federal, tsdf, generator = ([str(_get(code, "code")) for code in codes] for codes in lists)
    texan = _items(waste, "hazardousWaste", "txWasteCodes")
    return federal, list(dict.fromkeys([*tsdf, *generator, *map(str, texan)]))


def _methods(raw: Any) -> Iterator[Problem]:
    """The management method may be blank until receipt; paper manifests are entered after it."""
    is_late = _get(raw, "submissionType") == "DataImage5Copy" or _get(raw, "status") in ("Signed", "Corrected")
    for field, waste in _wastes(raw):
        code = _get(waste, "managementMethod", "code")
        if code is None and is_late and waste.get("epaWaste") is True:
            yield Problem(f"{field}.managementMethod.code", "management-method", "is mandatory after receipt: name it")
        if isinstance(code, str) and not METHOD.fullmatch(code):
            said = f"{_say(code)} is not a management method: H and three digits, such as H020"
            yield Problem(f"{field}.managementMethod.code", "management-method", said)


def _densities(raw: Any) -> Iterator[Problem]:
    """A density goes with a volume and a unit: 1 is pounds per gallon, 2 is specific gravity."""
    for field, waste in _wastes(raw):
        density = _get(waste, "brInfo", "density")
        if waste.get("br") is True and waste.get("brInfo") is None:
            yield Problem(f"{field}.brInfo", "density", "is mandatory because br is true")
        if not _is_number(density):
            continue
        if not 0 < density <= 999.99:
            yield Problem(
                f"{field}.brInfo.density", "density", f"is {density}: more than 0 and at most 999.99 is expected"
            )
        if _get(waste, "brInfo", "densityUnitOfMeasurement", "code") not in ("1", "2"):
            said = "is missing or unknown: 1 is pounds per gallon, 2 is specific gravity"
            yield Problem(f"{field}.brInfo.densityUnitOfMeasurement.code", "density", said)


def _pcbs(raw: Any) -> Iterator[Problem]:
    for field, waste in _wastes(raw):
        infos = waste.get("pcbInfos")
        if waste.get("pcb") is True and not infos:
            yield Problem(f"{field}.pcbInfos", "pcb", "is mandatory because pcb is true")
        for place, info in enumerate(infos if isinstance(infos, list) else []):
            where = f"{field}.pcbInfos[{place}]"
            load = _get(info, "loadType", "code")
            if load not in LOADS:
                yield Problem(f"{where}.loadType.code", "pcb", f"{_say(load)} is not one of {', '.join(LOADS)}")
            needed = ["dateOfRemoval", "weight", "bulkIdentity" if load == "BulkWaste" else "articleContainerId"]
            for name in needed:
                if _get(info, name) is None:
                    yield Problem(f"{where}.{name}", "pcb", f"is mandatory for PCB load type {_say(load)}")


def _discrepancies(raw: Any) -> Iterator[Problem]:
    """A comment is mandatory for a discrepancy; the flags of the manifest follow from its lines."""
    flags = {"discrepancy": False, "residue": False}
    for field, waste in _wastes(raw):
        info = waste.get("discrepancyResidueInfo")
        differs = _get(info, "wasteQuantity") is True or _get(info, "wasteType") is True
        flags["discrepancy"] |= differs
        flags["residue"] |= _get(info, "residue") is True
        if differs and not _get(info, "discrepancyComments"):
            said = "is mandatory because wasteQuantity or wasteType is true"
            yield Problem(f"{field}.discrepancyResidueInfo.discrepancyComments", "discrepancy-comment", said)
    for name, is_set in flags.items():
        if isinstance(_get(raw, name), bool) and _get(raw, name) != is_set:
            said = f"is {_say(not is_set)}, but the waste lines say {_say(is_set)}: correct the lines or the flag"
            yield Problem(name, "discrepancy" if name == "discrepancy" else "residue", said)


def _rejections(raw: Any) -> Iterator[Problem]:
    """A full load may continue on the same manifest while its transporter waits; everything else needs new ones."""
    info = _get(raw, "rejectionInfo")
    if _get(raw, "rejection") is True and info is None:
        yield Problem("rejectionInfo", "rejection", "is mandatory because rejection is true")
    if info is not None and _get(raw, "rejection") is not True:
        yield Problem("rejection", "rejection", "is not true, but rejectionInfo is given: correct one of them")
    if not isinstance(info, dict):
        return
    on_site, is_full = info.get("transporterOnSite"), info.get("rejectionType") == "FullReject"
    target, new = info.get("alternateDesignatedFacilityType"), info.get("newManifestTrackingNumbers")
    if on_site and not is_full:
        said = "is true, but only a fully rejected load continues on the same manifest: a part needs a new manifest"
        yield Problem("rejectionInfo.transporterOnSite", "rejection", said)
    path = ("rejectionInfo", "alternateDesignatedFacility", "epaSiteId")
    if (site := _get(raw, *path)) is not None and site == _get(raw, "designatedFacility", "epaSiteId"):
        yield Problem(".".join(path), "rejection", "is the facility that rejects: name another one")
    if on_site and is_full and target is None:
        yield Problem("rejectionInfo.alternateDesignatedFacilityType", "rejection", "is missing: Generator or Tsdf")
    if on_site and is_full and target == "Tsdf" and info.get("alternateDesignatedFacility") is None:
        yield Problem("rejectionInfo.alternateDesignatedFacility", "rejection", "is missing: where does the load go?")
    if on_site and new:
        said = "is given, but no new manifest is made while the transporter is on site"
        yield Problem("rejectionInfo.newManifestTrackingNumbers", "rejection", said)


def _references(raw: Any) -> Iterator[Problem]:
    """Imports and what continues an earlier manifest name their papers."""
    follows = _get(raw, "containsPreviousRejectOrResidue")
    originals = _get(raw, "additionalInfo", "originalManifestTrackingNumbers")
    if follows is True and not originals:
        said = "is empty, but containsPreviousRejectOrResidue is true: name the original manifests"
        yield Problem("additionalInfo.originalManifestTrackingNumbers", "cross-reference", said)
    if originals and follows is not True:
        said = "is not true, but original manifests are named: correct one of them"
        yield Problem("containsPreviousRejectOrResidue", "cross-reference", said)
    if _get(raw, "import") is True and _get(raw, "importInfo") is None:
        yield Problem("importInfo", "import", "is mandatory because import is true")
    for field, waste in _wastes(raw):
        consent = _get(waste, "additionalInfo", "consentNumber")
        if consent is not None and _get(raw, "import") is not True:
            yield Problem(f"{field}.additionalInfo.consentNumber", "import", "is for imports only: import is not true")
        elif isinstance(consent, str) and not CONSENT.fullmatch(consent):
            said = f"{_say(consent)} does not have the form of a consent number: six digits, I, five digits"
            yield Problem(f"{field}.additionalInfo.consentNumber", "import", said)


def _corrections(raw: Any) -> Iterator[Problem]:
    info, status = _get(raw, "correctionInfo"), _get(raw, "status")
    if status in ("Corrected", "UnderCorrection") and info is None:
        yield Problem("correctionInfo", "correction", f"is missing, but the status is {status}")
    version = _get(info, "versionNumber")
    if isinstance(version, int) and version < 1:
        yield Problem("correctionInfo.versionNumber", "correction", f"is {version}: versions are counted from 1")


RULES: Final[tuple[Callable[[Any], Iterator[Problem]], ...]] = (
    *(
        _numbers,
        _site_ids,
        _parties,
        _phones,
        _dates,
        _lines,
        _quantities,
        _hazards,
        _published,
        _methods,
        _densities,
        _pcbs,
    ),
    *(_discrepancies, _rejections, _references, _corrections),
)


def problems(raw: Any) -> list[Problem]:
    """List every broken rule of a manifest that was read from JSON; an empty list is a valid manifest."""
    found = list(_shape(raw, "Manifest", ""))
    told = {problem.field for problem in found}
    for rule in RULES:
        found += [problem for problem in rule(raw) if problem.field not in told]
    return found


# --- reading -----------------------------------------------------------------------------------------------------


def parse(data: bytes) -> Any:
    """Read JSON of bounded size, in which no field stands twice and no number is infinite."""
    if len(data) > MAX_BYTES:
        raise DocumentError("(document)", "size", f"has {len(data)} bytes: at most {MAX_BYTES} are read")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DocumentError("(document)", "json", f"is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(twice, "duplicate-field", "stands twice in the same object: keep one")
    return made


def _no_constant(word: str) -> None:
    raise DocumentError("(document)", "json", f"holds {word}, which is not a JSON number")


def load(source: bytes | str | Path) -> Document:
    """Read an e-Manifest file, or its bytes; raises `DocumentError` with the first field that breaks a rule."""
    raw = parse(source if isinstance(source, bytes) else _read(Path(source)))
    for field, rule, message in problems(raw):
        raise DocumentError(field, rule, message)
    return _document(raw)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): give the path of an e-Manifest JSON file"
        ) from None


def _document(raw: dict[str, Any]) -> Document:
    number = raw.get("manifestTrackingNumber") or ""
    broker = raw.get("broker")
    return Document(
        profile="us_rcra",
        number="" if number in PLACEHOLDERS else number,
        generator=_site(raw["generator"]),
        transporters=tuple(map(_site, raw["transporters"])),
        facility=_site(raw["designatedFacility"]),
        broker=_site(broker) if broker else None,
        lines=tuple(map(_line, raw.get("wastes") or ())),
        rejection=_rejection(raw),
        consent=next(
            (str(c) for w in raw.get("wastes") or () if (c := _get(w, "additionalInfo", "consentNumber"))), ""
        ),
        is_corrected=raw.get("status") in ("Corrected", "UnderCorrection"),
        private=dict(_private(raw, "", "")),
    )


def _site(raw: dict[str, Any]) -> Site:
    return Site(raw["epaSiteId"], f"US-{raw['epaSiteId'][:2]}")


def _line(raw: dict[str, Any]) -> Line:
    amount, info = raw["quantity"], raw.get("discrepancyResidueInfo")
    federal, local = _codes(raw)
    flags = {"quantity": _get(info, "wasteQuantity"), "type": _get(info, "wasteType")}
    return Line(
        line=raw["lineNumber"],
        description=(raw.get("wasteDescription") or raw["dotInformation"]["printedDotInformation"])[:255],
        hazardous=raw["epaWaste"],
        dot=_get(raw, "dotInformation", "idNumber", "code") or "",
        codes=tuple(federal),
        local_codes=tuple(local),
        containers=amount["containerNumber"],
        container_type=amount["containerType"]["code"],
        quantity=amount["quantity"],
        unit=amount["unitOfMeasurement"]["code"],
        density=_density(raw),
        method=_get(raw, "managementMethod", "code") or "",
        differs=tuple(name for name, is_set in flags.items() if is_set),
        residue=bool(_get(info, "residue")),
    )


def _density(raw: dict[str, Any]) -> int:
    """Return the density in whole grams per litre; 1 lb/gal is 119.826 g/L."""
    density = _get(raw, "brInfo", "density") or 0
    factor = 119.826427 if _get(raw, "brInfo", "densityUnitOfMeasurement", "code") == "1" else 1000
    return int(density * factor + 0.5)


def _rejection(raw: dict[str, Any]) -> Rejection | None:
    info = raw.get("rejectionInfo")
    if not raw.get("rejection") or info is None:
        return None
    alternate = info.get("alternateDesignatedFacility")
    return Rejection(
        is_full=info["rejectionType"] == "FullReject",
        transporter_on_site=info["transporterOnSite"],
        back_to_generator=info.get("alternateDesignatedFacilityType") == "Generator",
        alternate=_site(alternate) if alternate else None,
        new_numbers=tuple(info.get("newManifestTrackingNumbers") or ()),
    )


# What may be published, by path without list indices. Everything that is not named here is private.
PUBLIC: Final = re.compile(
    r"manifestTrackingNumber|status|submissionType|(created|updated|shipped|received|certified)Date"
    r"|rejection|discrepancy|residue|import|containsPreviousRejectOrResidue|residueNewManifestTrackingNumbers"
    r"|(generator|transporters|designatedFacility|broker)\.(epaSiteId|order|siteType|registered)"
    r"|rejectionInfo\.(transporterOnSite|rejectionType|alternateDesignatedFacilityType|newManifestTrackingNumbers)"
    r"|rejectionInfo\.alternateDesignatedFacility\.epaSiteId"
    r"|wastes\.(lineNumber|dotHazardous|epaWaste|pcb|br|wasteDescription)"
    r"|wastes\.(dotInformation|quantity|brInfo|hazardousWaste|managementMethod)\..+"
    r"|wastes\.discrepancyResidueInfo\.(wasteQuantity|wasteType|residue)"
    r"|wastes\.additionalInfo\.consentNumber|additionalInfo\.originalManifestTrackingNumbers"
)


def _private(value: Any, field: str, path: str) -> Iterator[tuple[str, Any]]:
    """List the private leaves with their dotted paths; a number with a fraction becomes text."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _private(item, _join(field, name), _join(path, name))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _private(item, f"{field}[{place}]", path)
    elif value is not None and not PUBLIC.fullmatch(path):
        yield field, str(value) if isinstance(value, float) else value
