"""The budget: what is spent never exceeds what was asked, and no row moves more than is reckoned with."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from models.table.private import fit
from models.table.private.budget import Budget, with_noise
from models.table.private.grid import Grid
from models.table.private.parents import pair_scores
from models.table.private.settings import Privacy, parse_privacy

EVERY = Privacy(1.0, 1e-5, None, {"*": "source"})


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-5, 1e-9])
def test_all_looks_together_spend_what_was_asked(epsilon: float, delta: float) -> None:
    budget = Budget(epsilon, delta)
    for number, share in enumerate((0.3, 0.05, 0.2, 0.45)):
        budget.noise(f"look {number}", share, 7.0)
    assert 0.999 * epsilon < budget.epsilon_spent() <= epsilon
    with pytest.raises(ValueError, match="more than what is left"):
        budget.noise("one too many", 0.001, 1.0)


def test_less_epsilon_means_more_noise() -> None:
    sigmas = [Budget(epsilon, 1e-5).noise("look", 0.5, 2.0) for epsilon in (0.1, 1.0, 3.0, 10.0)]
    assert all(more > less for more, less in pairwise(sigmas))
    assert Budget(1.0, 1e-9).multiplier(1.0) > Budget(1.0, 1e-5).multiplier(1.0)
    # Balle and Wang 2018: σ = 3.7306… for ε = 1, δ = 1e-5, beside 4.84 of the classical bound
    assert Budget(1.0, 1e-5).multiplier(1.0) == pytest.approx(3.7310, abs=1e-4)


def test_delta_by_default_tells_nothing_of_the_rows() -> None:
    told = parse_privacy('{"epsilon": 3, "public": "source"}')
    assert told is not None
    assert told.delta == 1e-6


@pytest.mark.parametrize("bound", ["[1]", "true", "1e400", "1" + "0" * 400])
def test_bounds_that_are_none_are_named(bound: str) -> None:
    with pytest.raises(ValueError, match="max of 'age' is"):
        parse_privacy(f'{{"epsilon": 3, "public": {{"age": {{"min": 0, "max": {bound}}}}}}}')


def test_a_row_moves_histograms_and_scores_no_more_than_reckoned() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        rows, sizes = int(rng.integers(1, 60)), [2, 3, 5, 4]
        tokens = np.stack([rng.integers(0, size, rows) for size in sizes], axis=1)
        more = np.concatenate([tokens, [[rng.integers(0, size) for size in sizes]]])
        expected = [rng.random(size) * 20 for size in sizes]
        moved = pair_scores(more, expected, 40.0) - pair_scores(tokens, expected, 40.0)
        assert np.abs(moved).max() <= 1 + 1e-9
        grid = Grid(0, 5_000, whole=True)
        numbers = rng.integers(-100, 6_000, rows + 1)
        valid = rng.random(rows + 1) < 0.9
        both = zip(grid.histograms(numbers, valid), grid.histograms(numbers[:-1], valid[:-1]), strict=True)
        assert [np.abs(one - other).sum() for one, other in both] == [1, 1]


def test_the_looks_of_a_fit_have_the_sensitivity_of_their_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, float]] = []
    noise = Budget.noise

    def noted(self: Budget, purpose: str, share: float, sensitivity: float) -> float:
        asked.append((purpose.partition(" of ")[0], sensitivity))
        return noise(self, purpose, share, sensitivity)

    monkeypatch.setattr(Budget, "noise", noted)
    rng = np.random.default_rng(1)
    a = rng.integers(0, 3, 400)
    table = pa.table({"a": a, "b": a + rng.integers(0, 2, 400), "long": a * 1_000 + 7, "c": pa.array(["x", "y"] * 200)})
    model = fit.fit_private(table, EVERY, noise_seed=0)
    assert asked[:2] == [("histograms", pytest.approx(5**0.5)), ("scores", pytest.approx(6**0.5))]
    assert {sensitivity for _, sensitivity in asked[2:]} == {1.0}
    assert model.privacy is not None
    assert model.privacy["epsilon_spent"] <= 1.0
    assert sum(look["share"] for look in model.privacy["looks"]) <= 1 + 1e-5


def outdone(one: np.ndarray, other: np.ndarray, epsilon: float, delta: float) -> float:
    """By how many standard errors the chance to exceed some threshold breaks the promise, at the worst threshold."""
    cuts = np.quantile(np.concatenate([one, other]), np.linspace(0.02, 0.98, 49))
    worst = -np.inf
    for first, second in ((one, other), (other, one), (-one, -other), (-other, -one)):
        for cut in np.concatenate([cuts, -cuts]):
            p, q = (first > cut).mean(), (second > cut).mean()
            error = np.sqrt(p * (1 - p) / len(one) + np.exp(2 * epsilon) * q * (1 - q) / len(one)) + 1e-12
            worst = max(worst, (p - np.exp(epsilon) * q - delta) / error)
    return float(worst)


def test_counts_of_neighbours_are_as_alike_as_promised() -> None:
    epsilon, delta, draws = 0.5, 1e-3, 200_000
    rng = np.random.default_rng(2)
    sigma = Budget(epsilon, delta).noise("a count", 1.0, 1.0)
    one, other = (with_noise(np.full(draws, count), sigma, rng) for count in (10.0, 11.0))
    assert outdone(one, other, epsilon, delta) < 4
    one, other = (with_noise(np.full(draws, count), sigma / 3, rng) for count in (10.0, 11.0))
    assert outdone(one, other, epsilon, delta) > 8, "the audit would not notice too little noise"


def test_models_of_neighbours_are_as_alike_as_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit: a table, and the same with one more row, of a value that no other row has; fitted 300 times each."""
    monkeypatch.setattr(Budget, "epsilon_spent", lambda _: 0.0)
    monkeypatch.setattr(fit, "POOL", 256)
    told = {"values": ["a", "b"], "nulls": False}
    privacy = Privacy(1.0, 1e-3, None, {"x": told, "y": told})
    found = []
    for rare in (0, 1):
        table = pa.table({"x": ["a"] * 12 + ["b"] * rare, "y": ["b"] * 12 + ["a"] * rare})
        fits = [fit.fit_private(table, privacy, noise_seed=seed + 1_000 * rare) for seed in range(300)]
        shares = [[float(model.network.state_dict()[f"chances.{n}"].mean(0)[1 - n]) for n in (0, 1)] for model in fits]
        found.append(np.array([x - y for x, y in shares]) + np.random.default_rng(rare).normal(scale=1e-9, size=300))
    assert outdone(found[0], found[1], 1.0, 1e-3) < 4
