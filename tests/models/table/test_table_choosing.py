"""`auto` compares on small tables only, and takes what is likelier on rows that neither was fitted on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.table.model import fit_table, load_model
from models.table.steps import SMALL, TOO_FEW, default_steps, settled


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def forks(rows: int = 300) -> pa.Table:
    """A tree of columns, which few rows suffice to count."""
    rng = np.random.default_rng(0)
    shop = rng.integers(0, 12, rows)
    return pa.table({"shop": shop, "city": shop // 2, "clerk": shop * 3 + rng.integers(0, 3, rows)})


def parity(rows: int = 900) -> pa.Table:
    """Three columns of which no two have anything to do with each other, but all three have."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2, (2, rows))
    return pa.table({"a": a, "b": b, "both": a ^ b})


def test_counts_are_taken_where_they_are_likelier(tmp_path: Path) -> None:
    model, fit = fit_table(forks(), seed=0, steps=20, family="auto")
    assert model.family == "bayes"
    assert fit.counted is not None
    assert fit.counted < min(loss for _, loss in fit.losses)
    whole, _ = fit_table(forks(), seed=0, family="bayes")
    assert np.array_equal(model.log_prob(forks()), whole.log_prob(forks())), "counted again over all rows"
    model.save(tmp_path)
    assert load_model(tmp_path).family == "bayes"


def test_the_usual_family_stays_where_it_is_likelier_and_repeats() -> None:
    model, fit = fit_table(parity(), seed=0, family="auto")
    assert model.family == "transformer"
    assert fit.counted == pytest.approx(3 * np.log(2), abs=0.05)
    usual, _ = fit_table(parity(), seed=0, family="transformer")
    assert np.array_equal(model.log_prob(parity()), usual.log_prob(parity()))


def test_only_small_tables_are_compared() -> None:
    assert settled("auto", SMALL) == settled("auto", TOO_FEW - 1) == "transformer"
    assert settled("auto", SMALL - 1) == settled("auto", TOO_FEW) == "auto"
    assert settled("diffusion", 100) == "diffusion"
    assert default_steps(100, 3, "auto") == default_steps(100, 3)
    assert fit_table(forks(TOO_FEW - 1), seed=0, family="auto")[0].family == "transformer"
