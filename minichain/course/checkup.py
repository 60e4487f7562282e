"""The doctor as a cell: what is well on this computer, what to do about the rest, and a code to read out."""

from __future__ import annotations

from dataclasses import dataclass

from minichain.course import place
from minichain.course.material import phrases


@dataclass(frozen=True, slots=True)
class Checkup:
    """What the doctor found: name and remedy of each finding (none if it is well), and the arrival code."""

    findings: tuple[tuple[str, str], ...]
    code: str
    language: str

    @property
    def is_well(self) -> bool:
        return not any(fix for _, fix in self.findings)

    def __repr__(self) -> str:
        well = phrases()["well"](self.language)
        lines = (f"{'✗' if fix else '✓'} {name}: {fix or well}" for name, fix in self.findings)
        return "\n".join((*lines, phrases()["arrival"](self.language, code=self.code)))


def doctor() -> Checkup:
    """Look at this computer; what is not well comes with what to do, in the language of the folder."""
    from minichain.live.doctor import arrival_code, examine, told  # noqa: PLC0415 - a check should not wait for it
    from minichain.live.home import Home  # noqa: PLC0415

    findings, language = examine(Home()), place.bundle().language
    return Checkup(tuple(told(one, language) for one in findings), arrival_code(findings), language)
