"""The figures of the attacks against plain definitions written out, and their intervals against drawn samples."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from tasks.kinds.records.privacy import gower
from tasks.kinds.records.privacy.estimates import auc, hits_at, mean_by, residual, share
from tasks.kinds.records.privacy.gower import nearest, nearest_without
from tasks.kinds.records.privacy.inference import by_neighbours
from tasks.kinds.records.privacy.membership import told_apart
from tasks.kinds.records.privacy.nearness import nearness
from tasks.kinds.records.privacy.sides import sides_of


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def mixed(seed: int, rows: int) -> pa.Table:
    drawn = np.random.default_rng(seed)
    numbers = [float(n) if n < 8 else None for n in drawn.integers(0, 10, rows)]
    return pa.table({"a": numbers, "b": drawn.choice(["x", "y", "z"], rows), "c": drawn.integers(0, 1_000, rows)})


def test_auc_counts_pairs_and_ties_half() -> None:
    members, others = rng().integers(0, 6, 40), rng().integers(0, 5, 30)
    pairs = [1.0 if m > o else 0.5 if m == o else 0.0 for m in members for o in others]
    assert auc(members, others).value == pytest.approx(np.mean(pairs))


def test_the_interval_of_the_auc_holds_the_truth_as_often_as_it_says() -> None:
    drawn = rng()
    found = [auc(drawn.normal(0.5, 1, 80), drawn.normal(0, 1, 60)) for _ in range(400)]
    truth = 0.638  # Φ(.5 / √2)
    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)


def test_hits_are_counted_at_one_false_alarm_in_a_hundred() -> None:
    others, members = np.arange(1_000.0), np.concatenate([np.full(300, 2_000.0), np.full(700, 500.0)])
    assert hits_at(members, others, rng()).value == pytest.approx(0.3)
    # a score that says the same of all finds as many as it alarms for
    found = hits_at(np.zeros(500), np.zeros(500), rng())
    assert found.value == found.low == found.high == pytest.approx(0.01)


def test_a_share_of_none_still_has_an_interval() -> None:
    found = share(np.zeros(100, dtype=bool))
    assert found.value == found.low == 0
    assert found.high == pytest.approx(0.037, abs=0.001)  # Wilson's


def test_the_residual_is_what_control_rows_do_not_explain() -> None:
    attack, control = share(np.arange(1_000) < 700), share(np.arange(1_000) < 400)
    found = residual(attack, control)
    assert found.value == pytest.approx(0.5)
    assert 0.4 < found.low < 0.5 < found.high < 0.6
    assert residual(control, control).value == 0


def test_rows_that_share_their_nearest_count_as_one() -> None:
    values = np.repeat([1.0, 0.0], 50)
    alone, together = (mean_by(values, groups, 0.5) for groups in (np.arange(100), np.repeat([0, 1], 50)))
    assert alone.value == together.value == 0.5
    assert together.high - together.low == pytest.approx((alone.high - alone.low) * 50**0.5)


def test_distances_are_those_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gower, "BLOCK", 50)  # several blocks
    sides = sides_of(mixed(1, 30), mixed(2, 30), mixed(3, 25), seed=0)
    values = [view.source for view in sides.views]
    assert values[1] is None
    known = values[0][~np.isnan(values[0])]
    by_value = {number: (known < number).mean() + (known == number).mean() / 2 for number in np.unique(known)}
    low, high = min(by_value.values()), max(by_value.values())
    for made in range(25):
        for real in range(60):
            there, here = sides.views[0].source[real], sides.views[0].synthetic[made]
            if np.isnan(there) or np.isnan(here):
                gap = float(np.isnan(there) != np.isnan(here))
            else:
                gap = abs(by_value[there] - by_value[here]) / (high - low)
            assert min(1, abs(sides.real[0, real] - sides.synthetic[0, made])) == pytest.approx(gap, abs=1e-6)
    differs = sides.views[1].source_codes[:, None] != sides.views[1].synthetic_codes[None]
    gaps = np.minimum(1, np.abs(sides.real[:, :, None] - sides.synthetic[:, None]))
    assert (gaps[1] == differs).all()
    found, places = nearest(sides.real, sides.synthetic, k=2)
    assert found == pytest.approx(np.sort(gaps.mean(0))[:, :2], abs=1e-6)
    assert np.take_along_axis(gaps.mean(0), places, 1) == pytest.approx(found, abs=1e-6)
    for column, chosen in enumerate(nearest_without(sides.real, sides.synthetic)):
        without = np.delete(gaps, column, 0).sum(0)
        assert without[np.arange(60), chosen] == pytest.approx(without.min(1), abs=1e-5)


def test_sides_are_equally_large_and_columns_made_anew_left_out() -> None:
    tables = [
        mixed(seed, rows).append_column("name", pa.array([f"{seed} {n}" for n in range(rows)]))
        for seed, rows in ((1, 80), (2, 50), (3, 20))
    ]
    sides = sides_of(*tables, seed=0)
    assert [view.name for view in sides.views] == ["a", "b", "c"]
    assert (sides.members.shape, sides.others.shape, sides.synthetic.shape) == ((3, 50), (3, 50), (3, 20))


@pytest.mark.filterwarnings("error")
def test_roles_are_taken_as_told_and_a_column_may_be_null_in_all_that_was_drawn() -> None:
    tables = [
        mixed(seed, 40).append_column("d", pa.nulls(40, pa.float64())).append_column("e", pa.array(range(40)))
        for seed in (1, 2, 3)
    ]
    assert [view.name for view in sides_of(*tables, seed=0).views] == ["a", "b", "c", "e"]
    sides = sides_of(*tables, seed=0, roles={"d": "number", "e": "key"})
    assert [view.name for view in sides.views] == ["a", "b", "c", "d"]
    assert by_neighbours(sides, asked=20, seed=0).secrets[3].attack.value == 1


def test_nearness_counts_copies_of_either_side() -> None:
    members, others = mixed(1, 100), mixed(2, 100)
    found = nearness(sides_of(members, others, pa.concat_tables([members, others]), seed=0), asked=1_000)
    assert found.share.value == pytest.approx(0.5)
    assert found.exact.members == pytest.approx(found.exact.others)
    assert found.exact.members >= 0.5
    found = nearness(sides_of(members, others, others, seed=0), asked=1_000)
    assert found.exact.others == 1
    assert found.share.value < 0.1
    assert found.dcr["others"]["p50"] == 0 < found.dcr["members"]["p50"]


def test_scores_that_say_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        told_apart(np.array([1.0, np.nan]), np.array([1.0, 2.0]), seed=0)
    with pytest.raises(ValueError, match="at least two"):
        told_apart(np.array([1.0]), np.array([1.0, 2.0]), seed=0)
