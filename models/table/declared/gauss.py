"""The normal distribution on arrays, without a library of statistics.

The quantile is P. J. Acklam's rational approximation (relative error below 1.2e-9), with one step of Halley's method.
"""

from __future__ import annotations

import math

import numpy as np

_A = (-3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02, 1.383577518672690e02, -3.066479806614716e01, 2.506628277459239)  # fmt: skip  # noqa: E501
_B = (-5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01, -1.328068155288572e01, 1.0)  # fmt: skip  # noqa: E501
_C = (-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783)  # fmt: skip  # noqa: E501
_D = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996, 3.754408661907416, 1.0)
_TAIL = 0.02425

_erfc = np.frompyfunc(math.erfc, 1, 1)


def cumulative(x: np.ndarray) -> np.ndarray:
    """Φ(x): the share of a standard normal distribution that lies below each of `x`."""
    return 0.5 * np.asarray(_erfc(-np.asarray(x, np.float64) / math.sqrt(2)), np.float64)


def quantile(p: np.ndarray) -> np.ndarray:
    """Φ⁻¹(p): where a share `p` of a standard normal distribution lies below; ±infinity at 1 and 0."""
    p = np.asarray(p, np.float64)
    x = np.empty_like(p)
    low, high = p < _TAIL, p > 1 - _TAIL
    middle = ~(low | high)
    q = p[middle] - 0.5
    r = q * q
    x[middle] = q * np.polyval(_A, r) / np.polyval(_B, r)
    with np.errstate(divide="ignore", invalid="ignore"):
        for side, sign, share in ((low, 1.0, p[low]), (high, -1.0, 1 - p[high])):
            q = np.sqrt(-2 * np.log(share))
            x[side] = sign * np.polyval(_C, q) / np.polyval(_D, q)
        error = (cumulative(x) - p) * math.sqrt(2 * math.pi) * np.exp(x * x / 2)
        refined = x - error / (1 + x * error / 2)
    return np.where((p <= 0) | (p >= 1), np.where(p <= 0, -np.inf, np.inf), refined)
