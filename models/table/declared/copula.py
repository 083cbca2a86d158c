"""Correlations between columns of any distributions, by a Gaussian copula.

Columns are drawn from correlated normal numbers, pushed through each column's distribution. That weakens correlations,
so the normal ones have to be stronger than what is asked. With the Hermite coefficients aₖ, bₖ of the two transforms,
the outcome is Σ aₖbₖρᵏ over the product of both deviations (Mehler's formula), which is solved for ρ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from models.table.declared import gauss

NODES = 20_000  # points of the normal distribution at which a transform is looked at
TERMS = 60
ACCUSED = 10  # pairs that are looked at when correlations contradict each other
CLOSEST = 0.999  # normal correlations beyond make a matrix that cannot be factored
LEAST_EIGENVALUE = 1e-8
Transform = Callable[[np.ndarray], np.ndarray]
Pair = tuple[str, str]


def normal_correlations(asked: Mapping[Pair, float], transforms: Mapping[str, Transform]) -> dict[Pair, float]:
    """The correlation of the normal numbers behind each pair of columns, so that the columns have what is asked.

    `transforms` draw each column from shares. Raises ValueError naming a pair that cannot reach it, or the pair to
    change where all together contradict each other.
    """
    shares = (np.arange(NODES) + 0.5) / NODES
    named = sorted({name for pair in asked for name in pair})
    drawn = {name: transforms[name](shares) for name in named}
    coefficients = {name: _hermite(drawn[name], gauss.quantile(shares)) for name in named}
    found = {pair: _solve(pair, value, drawn, coefficients) for pair, value in asked.items()}
    _check_together(found, asked, named)
    return found


def factor(names: list[str], correlations: Mapping[Pair, float]) -> np.ndarray:
    """What independent normal numbers are multiplied with to be correlated: lower triangular, as the Cholesky."""
    return np.linalg.cholesky(_matrix(names, correlations))


def _matrix(names: list[str], correlations: Mapping[Pair, float]) -> np.ndarray:
    matrix = np.eye(len(names))
    for (one, other), value in correlations.items():
        i, j = names.index(one), names.index(other)
        matrix[i, j] = matrix[j, i] = value
    return matrix


def _hermite(values: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Coefficients 1 … TERMS of a transform in normed Hermite polynomials, over its standard deviation."""
    values = values - values.mean()
    deviation = float(np.sqrt((values**2).mean()))
    before, now = np.ones_like(z), z
    found = []
    for k in range(1, TERMS + 1):
        found.append(float((values * now).mean()))
        before, now = now, (z * now - np.sqrt(k) * before) / np.sqrt(k + 1)
    return np.array(found) / deviation


def _solve(pair: Pair, asked: float, drawn: Mapping[str, np.ndarray], coefficients: Mapping[str, np.ndarray]) -> float:
    products = coefficients[pair[0]] * coefficients[pair[1]]
    powers = np.arange(1, TERMS + 1)

    def reached(normal: float) -> float:
        return float((products * normal**powers).sum())

    one, other = (drawn[name] for name in pair)
    most = CLOSEST if asked >= 0 else -CLOSEST
    if abs(reached(most)) < abs(asked):
        limit = float(np.corrcoef(one, other if asked > 0 else other[::-1])[0, 1])
        if abs(limit) > abs(asked) + 0.02:
            return most
        raise ValueError(
            f"the correlation of {pair[0]!r} and {pair[1]!r} cannot be {asked:g}: "
            f"with their distributions it reaches {limit:.2f} at most; ask for less"
        )
    low, high = 0.0, most
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if abs(reached(middle)) < abs(asked) else (low, middle)
    return (low + high) / 2


def _check_together(found: Mapping[Pair, float], asked: Mapping[Pair, float], names: list[str]) -> None:
    """Raise ValueError unless normal numbers can have all these correlations at once."""
    if not _contradict(names, found):
        return
    weakest = np.linalg.eigh(_matrix(names, found))[1][:, 0]  # the sum of columns whose variance comes out negative
    blame = {
        pair: weakest[names.index(pair[0])] * weakest[names.index(pair[1])] * value for pair, value in found.items()
    }
    for pair in sorted(blame, key=lambda pair: blame[pair])[:ACCUSED]:
        possible = [v for v in np.round(np.arange(-0.99, 0.995, 0.01), 2) if not _contradict(names, {**found, pair: v})]
        if possible:
            low, high = min(possible), max(possible)
            raise ValueError(
                f"the correlations contradict each other: beside the others, that of {pair[0]!r} and {pair[1]!r} "
                f"has to lie between {low:.2f} and {high:.2f}, and {asked[pair]:g} is asked; "
                "change it, or weaken another"
            )
    worst = min(blame, key=lambda pair: blame[pair])
    raise ValueError(
        f"the correlations contradict each other, most of all at {worst[0]!r} and {worst[1]!r}; weaken several of them"
    )


def _contradict(names: list[str], correlations: Mapping[Pair, float]) -> bool:
    return bool(names) and bool(np.linalg.eigvalsh(_matrix(names, correlations))[0] < LEAST_EIGENVALUE)
