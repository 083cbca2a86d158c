"""The benchmark of filling nulls: what it hides, and figures of fillings whose quality is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.imputation import CATEGORIES, HIDDEN, gathered, hide, own_values, score, spread_out, typical

ROWS = 2_000


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    columns = {n: rng.choice(["a", "b", "c"], ROWS) if n in CATEGORIES else rng.normal(40, 9, ROWS) for n in HIDDEN}
    return pd.DataFrame(columns | {"relationship": rng.choice(["Husband", "Wife"], ROWS)})


def test_the_share_is_hidden_and_more_where_the_weights_are(whole: pd.DataFrame) -> None:
    wives = (whole["relationship"] == "Wife").to_numpy()
    holes = hide(whole, np.where(wives, 4, 1), 0.2, seed=0)
    assert not holes["relationship"].any()
    assert holes[HIDDEN].to_numpy().mean() == pytest.approx(0.2, abs=0.01)
    assert holes.loc[wives, HIDDEN].to_numpy().mean() == pytest.approx(0.32, abs=0.02)


def test_the_truth_is_perfect_the_mean_is_narrow_and_own_values_keep_the_shares(whole: pd.DataFrame) -> None:
    holes = hide(whole, np.ones(ROWS), 0.2, seed=0)
    torn = whole.mask(holes)
    perfect = score(whole, holes, [whole])
    assert perfect == {"vote": 1, "draw": 1, "TV": 0, "RMSE": 0, "KS": 0, "Wasserstein": 0}
    mean = score(whole, holes, typical(torn, 1, 0))
    assert mean["RMSE"] == pytest.approx(1, abs=0.1)
    assert mean["TV"] > 0.5
    assert mean["KS"] > 0.4
    drawn = score(whole, holes, own_values(torn, 3, 0))
    assert drawn["draw"] == pytest.approx(1 / 3, abs=0.05)
    assert drawn["TV"] < 0.1


def test_columns_of_categories_lead_back(whole: pd.DataFrame) -> None:
    holes = hide(whole, np.ones(ROWS), 0.2, seed=0)
    pd.testing.assert_frame_equal(gathered(whole.mask(holes), spread_out(whole)), whole, rtol=0.05, atol=1.0)
