"""Our record models beside other people's: same tables, same machine, same run.

    python benchmarks/records.py                                 our families and SDV's TVAE on Adult and Airbnb (long)
    python benchmarks/records.py --methods transformer fast argn beside mostlyai-engine's TabularARGN
    python benchmarks/records.py --seeds 0 1 2                   means of three seeds
    python benchmarks/records.py --reuse                         score again what an earlier run drew

Adult: the train half is fitted; Shape and Trend against the train half, the rest against the holdout. Airbnb: random
halves. Errors in percent, lower is better; C2ST = 100 · (2 − 2 · max(.5, AUC)) of XGBoost telling synthetic rows from
the holdout, higher is better; TSTR is the AUC of XGBoost trained on synthetic rows, on the holdout; DCR is the share of
synthetic rows nearer to the train half than to the holdout, 50 % is ideal. `real` is the holdout (or train-on-real)
and `independent` draws every column for itself. Peers (`record_peers.py`) are installed into environments of their own
under scratch/. Nothing is written elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.record_peers import PEERS, python_of  # noqa: E402

TABLES = ROOT.parent / "shared" / "data" / "tables"
WORK = ROOT / "scratch" / "benchmarks" / "records"
INSTALLED = ROOT / "scratch" / "peers"
OURS = ("transformer", "fast", "diffusion", "vae", "gan", "bayes")  # families, and the fast preset
TARGETS = {"adult": "income", "credit-default": "default payment next month"}
NEAREST = 2_000  # synthetic rows whose nearest neighbours are looked up


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--tables", nargs="+", default=["adult", "airbnb"], choices=["adult", "airbnb", "credit-default"]
    )
    parser.add_argument("--methods", nargs="+", default=[*OURS, "tvae"], choices=[*OURS, *PEERS])
    parser.add_argument("--epochs", type=int, default=300, help="of TVAE and CTGAN")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--reuse", action="store_true", help="score the samples of an earlier run")
    parser.add_argument(
        "--worker", nargs=6, metavar=("SOURCE", "OUT", "ROWS", "THREADS", "SEED", "METHOD"), help=argparse.SUPPRESS
    )
    options = parser.parse_args()
    if options.worker:
        ours(*options.worker)
        return
    WORK.mkdir(parents=True, exist_ok=True)
    for name in options.tables:
        train, holdout = halves(name)
        rows = pq.read_metadata(train).num_rows
        # Seed by seed, so that a change of the machine's load meets every method.
        for seed, method in product(options.seeds, options.methods):
            out = drawn_at(name, method, seed)
            if options.reuse and Path(f"{out}.json").exists():
                continue
            common = [str(train), str(out), str(rows), str(options.threads), str(seed)]
            if method in OURS:
                command = [sys.executable, __file__, "--worker", *common, method]
            else:
                peer = PEERS[method]
                command = [str(python_of(peer, INSTALLED)), "-c", peer.program, *common, str(options.epochs)]
            environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads), "OMP_WAIT_POLICY": "PASSIVE"}
            subprocess.run(command, check=True, env=environment)
        report(name, train, holdout, options.methods, options.seeds)


def drawn_at(table: str, method: str, seed: int) -> Path:
    """Where a method's sample and timings lie, without the ending."""
    return WORK / f"{table}-{method}-{seed}"


def halves(name: str) -> tuple[Path, Path]:
    """The train half and the holdout of a table; Airbnb has none, so it is cut at random."""
    train, holdout = TABLES / f"{name}-train.parquet", TABLES / f"{name}-holdout.parquet"
    if train.exists():
        return train, holdout
    table = pq.read_table(TABLES / f"{name}.parquet")
    order = np.random.default_rng(0).permutation(table.num_rows)
    for half, rows in (("train", order[: len(order) // 2]), ("holdout", order[len(order) // 2 :])):
        pq.write_table(table.take(rows), WORK / f"{name}-{half}.parquet")
    return WORK / f"{name}-train.parquet", WORK / f"{name}-holdout.parquet"


def ours(source: str, out: str, rows: str, threads: str, seed: str, method: str) -> None:
    """Fit and sample as the engine does, and leave the table and its timings at `out`."""
    import torch

    from models.table.model import fit_table

    torch.set_num_threads(int(threads))
    began, used = time.perf_counter(), _cpu()
    chosen = {"preset": "fast"} if method == "fast" else {"family": method}
    model, _ = fit_table(pq.read_table(source), seed=int(seed), **chosen)
    fit, fit_cpu = time.perf_counter() - began, _cpu() - used
    began, used = time.perf_counter(), _cpu()
    pq.write_table(pa.Table.from_batches(model.sample(int(rows), int(seed) + 1)), f"{out}.parquet")
    figures = {"fit": fit, "fit_cpu": fit_cpu, "sample": time.perf_counter() - began, "sample_cpu": _cpu() - used}
    Path(f"{out}.json").write_text(json.dumps(figures))


def _cpu() -> float:
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def report(name: str, train: Path, holdout: Path, methods: Sequence[str], seeds: Sequence[int]) -> None:
    """Print the table of one data set: means over the seeds."""
    from tasks.kinds.records.quality import independent

    real, held = pq.read_table(train), pq.read_table(holdout).cast(pq.read_schema(train))
    print(f"\n{name}: {real.num_rows:,} rows fitted, {held.num_rows:,} held out; seeds {', '.join(map(str, seeds))}")
    titles = ["", "fit s", "cpu s", "rows/s", "Shape", "Trend", "shared", "C2ST", "AUC", "TSTR", "DCR %"]
    print("".join(f"{title:>12}" for title in titles))
    found = {"real": score(name, real, held, held, is_holdout=True)}
    show("real", found["real"])
    found["independent"] = score(name, real, held, independent(real, np.random.default_rng(5)), is_holdout=False)
    show("independent", found["independent"])
    for method in methods:
        each = [measured(name, method, seed, real, held) for seed in seeds]
        found[method] = {key: float(np.mean([figures[key] for figures in each])) for key in each[0]}
        show(method, found[method])
    for mine, other in product(set(methods) & set(OURS), set(methods) - set(OURS)):
        keys = ("shape", "trend", "shared", "fit", "cpu")
        print(f"{other} over {mine}: " + ", ".join(f"{k} {found[other][k] / found[mine][k]:.1f}×" for k in keys))


def measured(name: str, method: str, seed: int, real: pa.Table, held: pa.Table) -> dict[str, float]:
    """The figures of one sample, with its timings."""
    out = drawn_at(name, method, seed)
    made = pq.read_table(f"{out}.parquet").select(real.schema.names)
    made = made.cast(real.schema, safe=False).replace_schema_metadata(real.schema.metadata)
    timing = json.loads(Path(f"{out}.json").read_text())
    timings = {"fit": timing["fit"], "cpu": timing["fit_cpu"], "speed": made.num_rows / timing["sample"]}
    return timings | score(name, real, held, made, is_holdout=False)


def show(method: str, figures: dict[str, float]) -> None:
    """Print one line of the table."""
    keys = ["fit", "cpu", "speed", "shape", "trend", "shared", "c2st", "auc", "tstr", "dcr"]
    digits = [1, 1, 0, 2, 2, 2, 1, 3, 3, 1]
    cells = [f"{figures[k]:,.{d}f}" if k in figures else "–" for k, d in zip(keys, digits, strict=True)]
    print(f"{method:>12}" + "".join(f"{cell:>12}" for cell in cells), flush=True)


def score(name: str, train: pa.Table, holdout: pa.Table, made: pa.Table, *, is_holdout: bool) -> dict[str, float]:
    """All figures of one synthetic table; every random step has a seed of its own."""
    from tasks.kinds.records.quality import scores
    from tasks.kinds.records.views import side_by_side

    kept = scores(side_by_side(train, made))
    figures = {"shape": 100 * (1 - kept["shape"]), "trend": 100 * (1 - kept["trend"])}
    figures["shared"] = 100 * (1 - kept["trend_shared"])
    if is_holdout:  # against itself a holdout would say nothing: the train half stands in
        figures["auc"] = c2st_auc(train, holdout)
    else:
        figures["auc"] = c2st_auc(made, holdout)
        figures["dcr"] = 100 * dcr_share(train, holdout, made)
    figures["c2st"] = 100 * (2 - 2 * max(0.5, figures["auc"]))
    if name in TARGETS:
        figures["tstr"] = tstr_auc(train if is_holdout else made, holdout, TARGETS[name])
    return figures


def c2st_auc(made: pa.Table, holdout: pa.Table) -> float:
    """Cross-validated AUC of XGBoost with its defaults, synthetic against held out, as many of each."""
    import pandas as pd
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    rows = min(made.num_rows, holdout.num_rows)
    features = _features(made.slice(0, rows), holdout.slice(0, rows))
    labels = np.repeat([1, 0], rows)
    order = np.random.default_rng(11).permutation(len(labels))
    features, labels = features.iloc[order].reset_index(drop=True), labels[order]
    guessed = np.zeros(len(labels))
    for fitted, judged in StratifiedKFold(5, shuffle=True, random_state=12).split(features, labels):
        model = _classifier().fit(features.iloc[fitted], pd.Series(labels[fitted]))
        guessed[judged] = model.predict_proba(features.iloc[judged])[:, 1]
    return float(roc_auc_score(labels, guessed))


def tstr_auc(made: pa.Table, holdout: pa.Table, target: str) -> float:
    """AUC on the holdout of XGBoost trained on synthetic rows."""
    from sklearn.metrics import roc_auc_score

    features = _features(made.drop_columns([target]), holdout.drop_columns([target]))
    positive = sorted(holdout[target].unique().to_pylist())[-1]
    labels = [np.array(table[target].to_pylist()) == positive for table in (made, holdout)]
    model = _classifier().fit(features.iloc[: made.num_rows], labels[0])
    return float(roc_auc_score(labels[1], model.predict_proba(features.iloc[made.num_rows :])[:, 1]))


def dcr_share(train: pa.Table, holdout: pa.Table, made: pa.Table) -> float:
    """Share of synthetic rows nearer to the train half than to as many held out rows, ties half; L1 over ranks."""
    rows = min(train.num_rows, holdout.num_rows)
    rng = np.random.default_rng(13)
    drawn = made.take(np.sort(rng.choice(made.num_rows, min(NEAREST, made.num_rows), replace=False)))
    sides = [table.take(np.sort(rng.permutation(table.num_rows)[:rows])) for table in (train, holdout)]
    numbers, codes = _coded([drawn, *sides])
    cut = np.cumsum([drawn.num_rows, rows])
    nearest = []
    for begin, end in ((cut[0], cut[1]), (cut[1], cut[1] + rows)):
        distances = np.empty(drawn.num_rows, dtype=np.float32)
        for row in range(drawn.num_rows):
            gap = np.abs(numbers[begin:end] - numbers[row]).sum(1) + (codes[begin:end] != codes[row]).sum(1)
            distances[row] = gap.min()
        nearest.append(distances)
    return float((nearest[0] < nearest[1]).mean() + (nearest[0] == nearest[1]).mean() / 2)


def _coded(tables: list[pa.Table]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as ranks from 0 to 1 (null −1) and categories as codes, over all tables."""
    frame = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()
    texts = [name for name in frame if frame[name].dtype == object or str(frame[name].dtype).startswith("str")]
    numbers = frame.drop(columns=texts).rank(pct=True).fillna(-1).to_numpy(dtype=np.float32)
    codes = np.zeros((len(frame), len(texts)), dtype=np.int16)
    for place, name in enumerate(texts):
        codes[:, place] = frame[name].factorize()[0]
    return np.ascontiguousarray(numbers), np.ascontiguousarray(codes)


def _features(one: pa.Table, two: pa.Table) -> Any:
    """Both tables below each other as XGBoost takes them: dates as numbers, texts as categories."""
    frame = pa.concat_tables([one.replace_schema_metadata(), two.replace_schema_metadata()]).to_pandas()
    for name in frame:
        if frame[name].dtype.kind == "M":
            frame[name] = frame[name].astype("int64").where(frame[name].notna()).astype("float64")
        elif frame[name].dtype.kind not in "iufb":
            frame[name] = frame[name].astype("category")
    frame.columns = [str(number) for number in range(frame.shape[1])]
    return frame


def _classifier() -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(random_state=14, enable_categorical=True)


if __name__ == "__main__":
    main()
