"""From noisy counts to chances, and numbers on a public grid."""

from __future__ import annotations

import numpy as np
import pytest

from models.table.number import CELLS
from models.table.private.estimates import conditional, grouped, settled, total_of
from models.table.private.grid import Grid
from models.table.private.parents import lean_on


def test_settled_counts_are_the_nearest_with_their_sum() -> None:
    noisy = np.array([5.0, -2.0, 1.0, 0.5])
    kept = settled(noisy, 4.5)
    assert kept.sum() == pytest.approx(4.5)
    assert (kept >= 0).all()
    rng = np.random.default_rng(0)
    for _ in range(200):  # nothing else with that sum is nearer
        other = rng.dirichlet(np.ones(4)) * 4.5
        assert ((other - noisy) ** 2).sum() >= ((kept - noisy) ** 2).sum() - 1e-9
    rows = settled(np.array([[3.0, 1.0], [-1.0, 0.2]]), np.array([4.0, 2.0]))
    assert rows.tolist() == [[3.0, 1.0], pytest.approx([0.4, 1.6])]


def test_rare_values_are_not_made_frequent_by_noise() -> None:
    rng = np.random.default_rng(1)
    counts = np.r_[10_000.0, np.zeros(200)]
    assert settled(counts + rng.normal(scale=20, size=201), 10_000)[1:].sum() < 300  # cut off at zero: some 1,600


def test_a_table_without_noise_says_what_it_counts() -> None:
    rng = np.random.default_rng(2)
    counts = rng.integers(5, 60, (3, 4, 5)).astype(float)
    chances = conditional(counts, 1e-6, counts.sum((0, 1)), counts.sum(2))
    assert chances == pytest.approx(counts / counts.sum(2, keepdims=True), abs=1e-6)


def test_a_table_that_is_all_noise_says_what_is_known_otherwise() -> None:
    rng = np.random.default_rng(3)
    own = np.array([600.0, 300.0, 100.0])
    chances = conditional(rng.normal(scale=500, size=(6, 4, 3)), 500.0, own, np.full((6, 4), 1_000 / 24))
    assert np.median(np.abs(chances - own / own.sum())) < 0.1
    assert chances.sum(2) == pytest.approx(np.ones((6, 4)))


def test_rare_tokens_share_groups() -> None:
    counts = np.array([50.0, 2.0, 40.0, 3.0, 9.0, 1.0])
    assert grouped(counts, 5).tolist() == [0, 3, 1, 3, 2, 3]
    assert grouped(counts, 8).tolist() == [0, 2, 1, 2, 2, 2] or grouped(counts, 8)[1] == grouped(counts, 8)[3]
    assert grouped(counts, 100).tolist() == [0] * 6
    assert grouped(np.full(4, 3.0), 5, ranks=[3, 0, 1, 2]).tolist() == [1, 0, 0, 1]  # neighbours, not all together


def test_the_number_of_rows_comes_from_where_noise_is_least() -> None:
    assert total_of([np.array([60.0, 40.0]), np.full(1_000, 0.2)]) == pytest.approx(100.0, abs=1.0)


def test_columns_lean_on_what_they_have_most_to_do_with() -> None:
    #        01    02    03    12   13   23
    scores = np.array([50.0, 10.0, -5.0, 90.0, -5.0, -5.0])
    found = lean_on(scores, [2, 3, 4, 5], 1_000, target=0)
    assert next(iter(found)) == 0
    assert found == {0: [], 1: [0], 2: [0, 1], 3: [0]}
    assert lean_on(scores, [2, 3, 4, 5], 11, target=0)[2] == [0]  # 2 × 3 × 4 cells are too many
    assert lean_on(scores, [2, 3, 4, 5], 1_000, target=None) == {1: [], 2: [1], 0: [1, 2], 3: []}


@pytest.mark.parametrize(
    ("grid", "numbers"),
    [
        (Grid(17, 90, whole=True), lambda rng: rng.integers(17, 91, 5_000)),
        (Grid(0, 99_999, whole=True), lambda rng: np.where(rng.random(5_000) < 0.9, 0, rng.integers(1, 99_999, 5_000))),
        (Grid(-(10**12), 10**12, whole=True), lambda rng: rng.integers(-(10**12), 10**12, 5_000)),
        (Grid(0.0, 2.5, whole=False), lambda rng: rng.exponential(0.3, 5_000).clip(max=2.5)),
        (Grid(1, 12, whole=True), lambda rng: rng.integers(1, 13, 5_000)),
        (Grid(0, 40, whole=True), lambda rng: np.zeros(5_000, np.int64)),
    ],
)
def test_numbers_come_back_within_a_cell(grid: Grid, numbers: object) -> None:
    values = numbers(np.random.default_rng(4))  # type: ignore[operator]
    valid = np.ones(len(values), bool)
    noisy = [counts.astype(float) for counts in grid.histograms(values, valid)]
    codec, mass = grid.codec(noisy, 1e-3, float(len(values)), nulls=False)
    assert mass.sum() == pytest.approx(len(values), rel=0.01)
    tokens = codec.encode(values, valid)
    assert len(mass) == codec.first_bin + codec.cells
    assert (np.diff(codec.edges) > 0).all()
    if codec.cells:
        assert codec.cells % CELLS == 0
    drawn, known = codec.decode(tokens, np.random.default_rng(5))
    assert known.all()
    assert drawn.min() >= grid.low
    assert drawn.max() <= grid.high
    span = float(grid.high) - float(grid.low)
    assert np.quantile(np.abs(np.sort(drawn) - np.sort(values)), 0.99) <= span / 20


def test_frequent_numbers_stand_out_of_long_ranges() -> None:
    rng = np.random.default_rng(6)
    values = np.where(rng.random(20_000) < 0.05, 7_298, rng.integers(0, 100_000, 20_000))
    grid = Grid(0, 99_999, whole=True)
    noisy = [counts + rng.normal(scale=10, size=len(counts)) for counts in grid.histograms(values, values >= 0)]
    assert grid.codec(noisy, 10.0, 20_000.0, nulls=True)[0].atoms.tolist() == [7_298]
