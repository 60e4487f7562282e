"""The style sheet keeps its word: enough contrast, a phone's width, motion only if wanted, no other host."""

from __future__ import annotations

import re

import pytest

from minichain.views import server
from minichain.views.panels import STYLE_SHEET

CSS = STYLE_SHEET.read_text("utf-8")
COLOURS = dict(re.findall(r"--mc-([\w-]+): (#[0-9a-f]{6});", CSS))

PAIRS = [
    *((text, ground) for text in ("ink", "soft", "accent", "bad", "warn", "info") for ground in ("paper", "sheet")),
    *((text, f"{text}-ground") for text in ("accent", "warn", "bad", "info")),
    *(("ink", f"{state}-ground") for state in ("plain", "accent", "warn", "bad", "info")),
    *(("soft", f"{state}-ground") for state in ("plain", "bad")),
    *(("sheet", ground) for ground in ("accent", "bad", "ink")),
]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(text, ground):
    assert contrast(COLOURS[text], COLOURS[ground]) >= 4.5


@pytest.mark.parametrize("line", ["edge", "focus", "accent"])
def test_what_marks_a_control_stands_out(line):
    assert contrast(COLOURS[line], COLOURS["sheet"]) >= 3


def test_every_colour_named_is_defined():
    assert set(re.findall(r"var\(--mc-([a-z]+(?:-ground)?)\)", CSS)) <= set(re.findall(r"--mc-([\w-]+):", CSS)) | {
        "part",
        "span",
        "stops",
    }


def test_braces_balance_and_nothing_is_fetched_from_elsewhere():
    assert CSS.count("{") == CSS.count("}")
    assert "@import" not in CSS
    assert "url(" not in CSS


def test_people_who_asked_for_less_motion_get_none():
    assert re.search(r"prefers-reduced-motion: reduce\) \{ \*.*?animation: none !important; transition: none", CSS)


def test_what_moves_without_end_moves_in_few_steps():
    """Sixty pictures a second of one small dot keep a third of a processor busy."""
    endless = re.findall(r"animation: ([^;]*infinite)", CSS)
    assert endless
    assert [each for each in endless if "steps(" not in each] == []


def test_our_templates_and_scripts_name_no_other_host():
    folder = STYLE_SHEET.parents[4]
    files = [*folder.glob("voila/**/*.*"), *folder.glob("esm/*.js")]
    assert len(files) > 10
    for path in files:
        hosts = set(re.findall(r"https?://([\w.-]+)", path.read_text("utf-8"))) - {"www.w3.org"}
        assert not hosts, path


def test_scripts_never_write_markup():
    for path in (STYLE_SHEET.parents[4] / "esm").glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", path.read_text()
        ), path


def test_the_browser_is_told_to_talk_to_this_host_only():
    policy = dict(part.split(" ", 1) for part in server.CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'self'"
    assert not re.search(r"https?:|\*", server.CONTENT_SECURITY_POLICY)
