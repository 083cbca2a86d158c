"""The tiny engines keep what engines promise: an answer depends on its request alone."""

import pyarrow as pa
import pyarrow.parquet as pq

from models.engine import FitRequest, ImageRequest, SampleRequest, TextRequest
from tests.support import engines


def answers(engine, requests):
    engine.submit(requests)
    return {result.id: result for result in engine.results()}


def test_copy_has_the_name_and_depends_on_the_seed():
    requests = [
        TextRequest(id=str(i), messages=[{"role": "user", "content": "Product: Harbor Mug\nTone: warm"}], seed=i)
        for i in range(50)
    ]
    forth = answers(engines.echo("", "cpu", ""), requests)
    assert forth == answers(engines.echo("", "cpu", ""), requests[::-1])
    assert all("Harbor Mug" in result.text for result in forth.values())
    assert len({result.text for result in forth.values()}) == 50


def test_pictures_are_of_the_size_and_depend_on_the_seed():
    requests = [ImageRequest(id=str(i), prompt="a mug", seed=i, width=40, height=24) for i in range(5)]
    forth = answers(engines.paint("", "cpu", ""), requests)
    assert forth == answers(engines.paint("", "cpu", ""), requests[::-1])
    assert {len(result.pixels) for result in forth.values()} == {40 * 24 * 3}
    assert len({result.pixels for result in forth.values()}) == 5


def test_tables_are_like_their_source(tmp_path):
    source = pa.table(
        {
            "age": pa.array([20, 30, None, 41, 52] * 20, pa.int32()),
            "price": [1.5, 2.5, 3.5, None, 9.0] * 20,
            "city": ["Rome", "Oslo", None, "Rome", "Bern"] * 20,
        }
    )
    pq.write_table(source, tmp_path / "source.parquet")
    engine = engines.tabular("", "cpu", "")
    model, out = str(tmp_path / "model"), str(tmp_path / "out.parquet")
    fit = answers(engine, [FitRequest(id="f", source=str(tmp_path / "source.parquet"), out=model, seed=1, steps=5)])
    assert (fit["f"].rows, fit["f"].error) == (100, None)
    tables = []
    for seed in (1, 1, 2):
        assert answers(engine, [SampleRequest(id="s", model=model, out=out, rows=500, seed=seed)])["s"].rows == 500
        tables.append(pq.read_table(out))
    assert tables[0].schema.equals(source.schema)
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])
    ages = tables[0]["age"].to_pylist()
    assert None in ages
    assert all(20 <= age <= 52 for age in ages if age is not None)
