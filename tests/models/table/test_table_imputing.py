"""Nulls are filled from what the rest of the row says, and nothing else is touched."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from models.table.imputing import impute
from models.table.model import TableModel, fit_table

ROWS = 3_000


def parcels(holes: float = 0.15) -> tuple[pa.Table, pa.Table]:
    """Parcels as they are, and with holes in every column but one: the price follows from size and weight."""
    rng = np.random.default_rng(0)
    size = rng.integers(0, 3, ROWS)
    weight = np.round(2.0 ** (size + 1) + rng.normal(0, 0.2, ROWS), 2)
    whole = {
        "size": pa.array(np.array(["S", "M", "L"])[size]).dictionary_encode(),
        "weight": pa.array(weight),
        "price": pa.array(np.round(weight * 5).astype(np.int64)),
        "insured": pa.array(size == 2),
        "note": pa.nulls(ROWS),
        "number": pa.array(range(ROWS)),
    }
    torn = dict(whole)
    for name in ("size", "weight", "price", "insured"):
        torn[name] = pc.if_else(pa.array(rng.random(ROWS) < holes), None, whole[name])
    return pa.table(whole), pa.table(torn)


@pytest.fixture(scope="module")
def model() -> TableModel:
    torch.set_num_threads(1)
    return fit_table(parcels()[1], seed=0, steps=700, family="diffusion")[0]


def test_what_was_hidden_comes_back_and_what_was_there_stays(model: TableModel) -> None:
    whole, torn = parcels()
    filled = impute(model, torn, seed=1)
    assert filled.schema.equals(torn.schema)
    for name in ("size", "weight", "price", "insured"):
        hidden = torn[name].is_null().to_numpy()
        assert filled[name].null_count == 0
        assert filled[name].filter(pa.array(~hidden)).to_pylist() == torn[name].drop_null().to_pylist()
        right, found = (np.array(table[name].to_pylist())[hidden] for table in (whole, filled))
        if name in ("size", "insured"):
            assert (right == found).mean() > 0.97
        else:
            assert np.corrcoef(right.astype(float), found.astype(float))[0, 1] > 0.97
    assert filled["note"].null_count == ROWS, "a column that never held a value has none to give"


def test_filling_repeats_and_differs_by_seed(model: TableModel) -> None:
    torn = parcels()[1]
    assert impute(model, torn, seed=1).equals(impute(model, torn, seed=1))
    assert not impute(model, torn, seed=1).equals(impute(model, torn, seed=2))
    assert impute(model, torn.slice(0, 0), seed=1).num_rows == 0


def test_texts_are_new_keys_are_not_guessed_and_typeless_columns_are_filled() -> None:
    rows = 9_000
    source = pa.table(
        {
            "key": range(100, 100 + rows),
            "code": [f"K{n:06d}" if n % 9 else None for n in range(rows)],
            "n": [1, 2] * 4_500,
        }
    )
    other, _ = fit_table(source, seed=0, steps=1, primary_key="key", family="diffusion")
    torn = source.set_column(1, "code", pa.nulls(rows, pa.string()))
    codes = impute(other, torn, seed=1)["code"].to_pylist()
    assert len(set(codes)) == rows
    filled = impute(other, source.set_column(2, "n", pa.nulls(rows)), seed=1)
    assert set(filled["n"].to_pylist()) == {1, 2}
    with pytest.raises(ValueError, match="'key' is a key"):
        impute(other, source.set_column(0, "key", pa.nulls(rows, pa.int64())), seed=1)


def test_other_tables_and_other_families_are_refused(model: TableModel) -> None:
    torn = parcels()[1]
    with pytest.raises(ValueError, match="the model"):
        impute(model, torn.drop_columns(["note"]), seed=1)
    other, _ = fit_table(torn, seed=0, steps=1)
    with pytest.raises(ValueError, match="family diffusion"):
        impute(other, torn, seed=1)
