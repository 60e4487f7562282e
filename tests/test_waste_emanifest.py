"""Reading e-Manifest JSON: what is valid is read, and everything else is refused by its field and its rule."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wastetown import public_samples

from minichain.errors import DocumentError, UsageError
from minichain.scenarios.waste import SCENARIO
from minichain.scenarios.waste.document import commitment, is_private_part, split_private
from minichain.scenarios.waste.emanifest import MAX_BYTES, load, parse, problems

SAMPLES = {name: path.read_bytes() for name, path in SCENARIO.samples.items()}
FICTIONAL_PHONE = re.compile(r"202-555-01\d\d")


def sample(name: str) -> Any:
    return parse(SAMPLES[name])


def at(raw: Any, path: str) -> tuple[Any, str | int]:
    """Return the object that holds a dotted path, and the last step."""
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    for step in steps[:-1]:
        raw = raw[step]
    return raw, steps[-1]


def broken(raw: Any, path: str, value: Any) -> Any:
    """Return a copy with one field replaced, or removed if the value is None."""
    made = copy.deepcopy(raw)
    holder, step = at(made, path)
    if value is None:
        del holder[step]
    else:
        holder[step] = value
    return made


def leaves(raw: Any, path: str = "") -> Iterator[str]:
    if isinstance(raw, dict):
        for name, value in raw.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(raw, list):
        for place, value in enumerate(raw):
            yield from leaves(value, f"{path}[{place}]")
    else:
        yield path


EVERY_LEAF = [(name, path) for name in SAMPLES for path in leaves(sample(name))]


# --- what is read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_our_samples_are_valid_and_synthetic(name: str) -> None:
    raw = sample(name)
    assert problems(raw) == []
    text = SAMPLES[name].decode()
    phones = re.findall(r"\d{3}-\d{3}-\d{4}", text)
    assert phones
    assert all(FICTIONAL_PHONE.fullmatch(phone) for phone in phones)


def test_a_document_says_what_the_chain_needs() -> None:
    document = load(SAMPLES["full_electronic"])
    assert document.number == ""  # a draft: its number is assigned when it becomes pending
    assert [site.number for site in document.transporters] == ["MDTESTTRN001", "OHTESTTRN002"]
    assert (document.generator.jurisdiction, document.facility.jurisdiction) == ("US-VA", "US-OH")
    drum, tank, gloves = document.lines
    assert (drum.containers, drum.container_type, drum.quantity, drum.unit) == (40, "DM", 7200, "K")
    assert drum.codes == ("D001", "F003", "F005")
    assert tank.dot == "UN1830"
    assert not gloves.hazardous


def test_a_rejection_and_a_density_are_read() -> None:
    document = load(SAMPLES["full_reject_on_site"])
    assert document.rejection
    assert document.rejection.is_full
    assert document.rejection.transporter_on_site
    assert document.rejection.alternate
    assert document.rejection.alternate.number == "PATESTFAC002"
    assert document.lines[0].density == 1840  # grams per litre of a specific gravity of 1.84


def test_pounds_per_gallon_become_grams_per_litre() -> None:
    raw = sample("full_reject_on_site")
    raw["wastes"][0]["brInfo"] = {"density": 8.34, "densityUnitOfMeasurement": {"code": "1"}}
    assert load(json.dumps(raw).encode()).lines[0].density == 999


def test_the_flags_of_a_line_are_read() -> None:
    first, second = load(SAMPLES["partial_reject"]).lines
    assert (first.differs, first.residue) == (("quantity",), False)
    assert (second.differs, second.residue) == ((), True)
    assert load(SAMPLES["corrected"]).is_corrected


def test_a_path_and_its_bytes_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(SAMPLES["corrected"])
    assert load(path) == load(str(path)) == load(SAMPLES["corrected"])
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "missing.json")


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_every_single_field_of_a_wrong_type_is_refused_by_its_name(name: str) -> None:
    raw = sample(name)
    paths = list(leaves(raw))
    assert len(paths) > 40
    for path in paths:
        for wrong in ({"wrong": "type"}, [["wrong"]]):
            found = problems(broken(raw, path, wrong))
            assert path in [problem.field for problem in found], (path, wrong, found)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_field_nobody_knows_is_refused_wherever_it_stands(name: str) -> None:
    raw = sample(name)
    objects = {path.rpartition(".")[0] for path in leaves(raw) if not path.endswith("]")}
    for path in objects:
        made = copy.deepcopy(raw)
        holder = made
        if path:
            inner, step = at(made, path)
            holder = inner[step]
        holder["driverName"] = "somebody"
        (problem,) = problems(made)
        assert (problem.field, problem.rule) == (f"{path}.driverName".lstrip("."), "unknown-field")


REQUIRED = """
submissionType generator transporters designatedFacility generator.epaSiteId transporters[1].epaSiteId
designatedFacility.epaSiteId wastes[0].lineNumber wastes[0].dotHazardous wastes[0].epaWaste wastes[0].pcb wastes[0].br
wastes[0].quantity wastes[0].quantity.containerNumber wastes[0].quantity.containerType wastes[0].quantity.quantity
wastes[0].quantity.unitOfMeasurement wastes[0].quantity.unitOfMeasurement.code wastes[0].dotInformation.idNumber
wastes[0].dotInformation.printedDotInformation generator.contact.phone.number generator.siteAddress.address1
rejectionInfo.transporterOnSite rejectionInfo.rejectionType rejectionInfo.rejectionComments
"""


@pytest.mark.parametrize("path", REQUIRED.split())
def test_a_missing_field_is_named(path: str) -> None:
    found = problems(broken(sample("partial_reject"), path, None))
    assert (path, "required") in [(problem.field, problem.rule) for problem in found]


# sample, field that is broken, bad value (None: removed), rule, and the field that is named if it is another one
BROKEN: list[tuple[Any, ...]] = [
    ("corrected", "manifestTrackingNumber", "12345678ELC", "tracking-number"),
    ("corrected", "manifestTrackingNumber", "100200304elc", "tracking-number"),
    ("partial_reject", "manifestTrackingNumber", None, "tracking-number"),
    ("partial_reject", "rejectionInfo.newManifestTrackingNumbers[0]", "x", "tracking-number"),
    ("corrected", "generator.epaSiteId", "VATEST1", "site-id"),
    ("corrected", "generator.epaSiteId", "12TESTGEN001", "site-id"),
    ("corrected", "transporters[0].epaSiteId", "vatesttrn001", "site-id"),
    ("corrected", "designatedFacility.siteAddress.state.code", "TX", "site-id"),
    ("corrected", "generator", [{}, {}], "one-generator"),
    ("corrected", "transporters", [], "transporter-order"),
    ("partial_reject", "transporters[1].order", 3, "transporter-order"),
    ("partial_reject", "transporters[0].order", 2, "transporter-order"),
    ("corrected", "designatedFacility.epaSiteId", "VATESTGEN002", "destination"),
    ("corrected", "generator.emergencyPhone", None, "emergency-phone", "generator.emergencyPhone.number"),
    ("corrected", "generator.emergencyPhone.number", "911", "emergency-phone"),
    ("corrected", "transporters[0].contact.phone.number", "(202) 555-0101", "phone"),
    ("corrected", "receivedDate", "2025-03-01T00:00:00.000+0000", "date-order"),
    ("corrected", "receivedDate", "yesterday", "type"),
    *[
        ("partial_reject", f"{site}.paperSignatureInfo.signatureDate", "2025-03-01T00:00:00.000+0000", "date-order")
        for site in ("transporters[0]", "transporters[1]", "designatedFacility")
    ],
    ("corrected", "wastes", [], "waste-line"),
    ("partial_reject", "wastes[1].lineNumber", 3, "line-number"),
    ("partial_reject", "wastes[0].lineNumber", 0, "line-number"),
    ("corrected", "wastes[0].quantity.quantity", 0, "whole-quantity"),
    ("corrected", "wastes[0].quantity.quantity", 1.67, "type"),
    ("corrected", "wastes[0].quantity.quantity", True, "type"),
    ("corrected", "wastes[0].quantity.quantity", 100_000_000_000, "whole-quantity"),
    ("corrected", "wastes[0].quantity.containerNumber", 0, "whole-quantity"),
    ("corrected", "wastes[0].quantity.containerType.code", "AB", "container-type"),
    ("corrected", "wastes[0].quantity.unitOfMeasurement.code", "KG", "unit"),
    ("corrected", "wastes[0].managementMethod.code", "020", "management-method"),
    ("corrected", "wastes[0].managementMethod", None, "management-method", "wastes[0].managementMethod.code"),
    ("corrected", "wastes[0].dotInformation", None, "dot"),
    ("corrected", "wastes[0].dotInformation.idNumber.code", "1993", "dot"),
    ("full_electronic", "wastes[2].wasteDescription", None, "dot"),
    ("full_electronic", "wastes[2].wasteDescription", "x" * 501, "length"),
    ("corrected", "wastes[0].hazardousWaste", None, "waste-codes", "wastes[0].hazardousWaste.federalWasteCodes"),
    ("corrected", "wastes[0].hazardousWaste.federalWasteCodes[1].code", "FOO3", "waste-codes"),
    ("full_reject_on_site", "wastes[0].brInfo", None, "density"),
    ("full_reject_on_site", "wastes[0].brInfo.density", 0, "density"),
    (
        *("full_reject_on_site", "wastes[0].brInfo.densityUnitOfMeasurement", None, "density"),
        "wastes[0].brInfo.densityUnitOfMeasurement.code",
    ),
    ("corrected", "wastes[0].pcb", True, "pcb", "wastes[0].pcbInfos"),
    ("corrected", "wastes[0].discrepancyResidueInfo.discrepancyComments", None, "discrepancy-comment"),
    ("corrected", "discrepancy", False, "discrepancy"),
    ("partial_reject", "residue", False, "residue"),
    ("partial_reject", "rejectionInfo", None, "rejection"),
    ("partial_reject", "rejection", False, "rejection"),
    ("partial_reject", "rejectionInfo.transporterOnSite", True, "rejection"),
    ("partial_reject", "rejectionInfo.rejectionType", "Some", "choice"),
    ("full_reject_on_site", "rejectionInfo.alternateDesignatedFacility", None, "rejection"),
    ("full_reject_on_site", "rejectionInfo.alternateDesignatedFacilityType", None, "rejection"),
    ("full_reject_on_site", "rejectionInfo.newManifestTrackingNumbers", ["100200305FLE"], "rejection"),
    (
        *("partial_reject", "containsPreviousRejectOrResidue", True, "cross-reference"),
        "additionalInfo.originalManifestTrackingNumbers",
    ),
    (
        *("partial_reject", "additionalInfo.originalManifestTrackingNumbers", ["100200300ELC"], "cross-reference"),
        "containsPreviousRejectOrResidue",
    ),
    ("full_electronic", "import", True, "import", "importInfo"),
    ("corrected", "correctionInfo", None, "correction"),
    ("corrected", "wastes[0].dotInformation.printedDotInformation", "Solvent, ask 202 555 0101", "personal-data"),
    ("full_electronic", "wastes[2].wasteDescription", "Gloves of a@example.org", "personal-data"),
    ("corrected", "wastes[0].hazardousWaste.federalWasteCodes[0].code", "D" * 41, "length"),
    ("full_reject_on_site", "rejectionInfo.alternateDesignatedFacility.epaSiteId", "OHTESTFAC001", "rejection"),
    (
        "corrected",
        "transporters",
        [{"epaSiteId": "MDTESTTRN001", "order": n} for n in range(1, 12)],
        "transporter-order",
    ),
    ("corrected", "correctionInfo.versionNumber", 0, "correction"),
    ("corrected", "submissionType", "Fax", "choice"),
    ("corrected", "status", "Lost", "choice"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case[1]}-{case[3]}")
def test_one_broken_field_is_refused_by_its_name_and_rule(case: tuple[Any, ...]) -> None:
    name, path, value, rule, *named = case
    found = problems(broken(sample(name), path, value))
    expected = (named[0] if named else path, rule)
    assert expected in [(problem.field, problem.rule) for problem in found], found
    with pytest.raises(DocumentError) as refusal:
        load(json.dumps(broken(sample(name), path, value)).encode())
    assert refusal.value.field == found[0].field
    assert refusal.value.rule in str(refusal.value)


def test_consent_numbers_are_for_imports() -> None:
    raw = sample("full_electronic")
    raw["wastes"][0]["additionalInfo"]["consentNumber"] = "123456I12345"
    (problem,) = problems(raw)
    assert (problem.field, problem.rule) == ("wastes[0].additionalInfo.consentNumber", "import")
    raw["import"], raw["importInfo"] = True, {"portOfEntry": {"cityPort": "EXAMPLE"}}
    assert problems(raw) == []
    assert load(json.dumps(raw).encode()).consent == "123456I12345"
    raw["wastes"][0]["additionalInfo"]["consentNumber"] = "12"
    assert [problem.rule for problem in problems(raw)] == ["import"]


def test_an_official_sees_all_problems_at_once() -> None:
    raw = sample("partial_reject")
    for path, value in (("generator.epaSiteId", "V"), ("wastes[1].quantity.quantity", 1.5), ("rejection", False)):
        raw = broken(raw, path, value)
    fields = [problem.field for problem in problems(raw)]
    assert fields == ["wastes[1].quantity.quantity", "generator.epaSiteId", "rejection"]


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"\xff\xfe{}", "json"),
        (b'{"a": NaN}', "json"),
        (b'{"status": "Signed", "status": "Pending"}', "duplicate-field"),
        (b"[" * 100_000, "json"),
        (b" " * (MAX_BYTES + 1), "size"),
        (b"[]", "type"),
        (b"null", "type"),
    ],
)
def test_what_is_not_a_manifest_is_refused(data: bytes, rule: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        load(data)
    assert refusal.value.rule == rule


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(where=st.sampled_from(EVERY_LEAF), cut=st.integers(0, 6), value=JSON)
def test_whatever_stands_in_a_manifest_it_is_read_or_refused(where: tuple[str, str], cut: int, value: Any) -> None:
    """Put any JSON in the place of any part: there is an answer, and `load` agrees with `problems`."""
    name, path = where
    parts = re.findall(r"\.?[^.\[\]]+|\[\d+\]", path)
    shorter = "".join(parts[: max(1, len(parts) - cut)])
    raw = broken(sample(name), shorter, value) if value is not None else broken(sample(name), shorter, None)
    found = problems(raw)
    data = json.dumps(raw).encode()
    if found:
        with pytest.raises(DocumentError):
            load(data)
    else:
        assert load(data).generator


# --- the private part --------------------------------------------------------------------------------------------


def test_everything_about_people_is_in_the_private_part_and_nothing_of_it_in_the_public_one() -> None:
    for name, data in SAMPLES.items():
        document = load(data)
        split = split_private(document, b"s" * 16)
        public = repr(split.public)
        private = {str(value) for value in document.private.values()}
        assert any("Signatory" in value or "Contact" in value for value in private), name
        told = {value for value in private if len(value) > 4 and value in public}
        assert told <= set(split.public["sites"]), name  # a comment may name a site by its number
        for word in ("555-", "Contact", "Signatory", "@", "Example Road", "shift leader", "telephoned"):
            assert word not in public


def test_the_commitment_binds_and_hides() -> None:
    document = load(SAMPLES["corrected"])
    split = split_private(document, b"salt" * 4)
    assert is_private_part(split.private, b"salt" * 4, split.commitment)
    assert not is_private_part(split.private + b"x", b"salt" * 4, split.commitment)
    assert not is_private_part(split.private, b"tlas" * 4, split.commitment)
    assert commitment(b"ab", b"c") != commitment(b"b", b"ca")  # nothing moves between salt and content
    assert re.fullmatch("[0-9a-f]{64}", split.commitment)


# --- EPA's own samples -------------------------------------------------------------------------------------------


def test_the_valid_public_samples_are_read_and_the_two_without_a_number_are_drafts() -> None:
    found = sorted(public_samples().glob("emanifest-save-valid-*.json"))
    assert len(found) >= 4
    for path in found:
        assert load(path).number == "", path.name


def test_the_invalid_public_sample_is_refused_by_field_and_rule() -> None:
    path = public_samples() / "emanifest-save-invalid-example.json"
    with pytest.raises(DocumentError) as refusal:
        load(path)
    assert (refusal.value.field, refusal.value.rule) == ("generator.epaSiteId", "required")
    found = {(problem.field, problem.rule) for problem in problems(parse(path.read_bytes()))}
    assert {
        ("wastes[0].quantity.quantity", "type"),
        ("wastes[0].dotHazardous", "required"),
        ("wastes[0].hazardous", "unknown-field"),
        ("manifestTrackingNumber", "tracking-number"),
    } <= found
