"""Do we need a chain at all? The worksheet, four published frameworks and twenty cases, as data that can be audited."""

from __future__ import annotations

from minichain.scenarios.need.worksheet import (
    NO,
    RUNGS,
    UNSURE,
    YES,
    Answers,
    Card,
    Opinion,
    Question,
    Verdict,
    agreement,
    cards,
    data,
    fingerprint,
    funnel,
    judge,
    may_decide,
    opinions,
)

__all__ = [
    "NO",
    "RUNGS",
    "UNSURE",
    "YES",
    "Answers",
    "Card",
    "Opinion",
    "Question",
    "Verdict",
    "agreement",
    "cards",
    "data",
    "fingerprint",
    "funnel",
    "judge",
    "may_decide",
    "opinions",
]
