"""How sure a figure is: confidence intervals over runs with independent seeds.

Means:   m ± t(1-a/2, n-1) · s/√n, with Student's t, s with n-1 in its denominator, and a confidence of 1-a. Over few
         runs of a figure that is far from normal it covers less than it says: take more seeds.
Shares:  of yes or no, Wilson (1927): with z the normal quantile,
         (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). Unlike p ± z√(p(1-p)/n) it is right near 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import atan, cos, inf, pi, sin, sqrt
from statistics import NormalDist, fmean, stdev
from typing import Final

from minichain.codec import Plain
from minichain.errors import UsageError

FORMULAS: Final = {
    "t": "m ± t(1-a/2, n-1) · s/√n",
    "Wilson": "(p + z²/2n ± z√(p(1-p)/n + z²/4n²)) / (1 + z²/n)",
}
LEAST, MOST = 50, 99  # percent


class Interval(Plain):
    """A mean over `runs`, and where the true one is, with a confidence in percent; after one run, anywhere."""

    mean: float
    low: float
    high: float
    runs: int
    confidence: int
    method: str

    @property
    def is_bounded(self) -> bool:
        """Tell whether it says anything: one run tells nothing about others."""
        return self.low > -inf


def of_means(values: Sequence[float], confidence: int = 95) -> Interval:
    """Return the mean of figures and its t interval."""
    mean, runs = fmean(values), len(values)
    half = inf if runs == 1 else student(1 - _alpha(confidence) / 2, runs - 1) * stdev(values) / sqrt(runs)
    return Interval(mean, mean - half, mean + half, runs, confidence, "t")


def of_shares(values: Sequence[int], confidence: int = 95) -> Interval:
    """Return the share of ones among zeros and ones, and its Wilson interval."""
    runs, share = len(values), fmean(values)
    z = NormalDist().inv_cdf(1 - _alpha(confidence) / 2)
    middle = share + z * z / (2 * runs)
    half = z * sqrt(share * (1 - share) / runs + z * z / (4 * runs * runs))
    scale = 1 + z * z / runs
    low = 0.0 if share == 0 else (middle - half) / scale  # what rounding leaves there is not a number of anything
    high = 1.0 if share == 1 else (middle + half) / scale
    return Interval(share, low, high, runs, confidence, "Wilson")


def check(confidence: int) -> None:
    """Raise `UsageError` for a confidence that nobody means."""
    if not LEAST <= confidence <= MOST:
        raise UsageError(f"a confidence is {LEAST} to {MOST} percent, not {confidence}")


def _alpha(confidence: int) -> float:
    check(confidence)
    return 1 - confidence / 100


def student(probability: float, freedom: int) -> float:
    """Return the quantile, for a probability of at least 1/2, of Student's t with so many degrees of freedom."""
    low, high = 0.0, 1.0
    while _below(high, freedom) < probability:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, freedom) < probability else (low, middle)
    return high


def _below(t: float, freedom: int) -> float:
    """Return P(T <= t) for t >= 0: Abramowitz and Stegun 26.7.3 and 26.7.4, finite series for whole degrees."""
    angle = atan(t / sqrt(freedom))
    squared, term, total = cos(angle) ** 2, cos(angle) if freedom % 2 else 1.0, 0.0
    for k in range(freedom % 2 + 2, freedom + 1, 2):
        total += term
        term *= squared * (k - 1) / k
    within = sin(angle) * total
    if freedom % 2:
        within = 2 / pi * (angle + within)
    return (1 + within) / 2
