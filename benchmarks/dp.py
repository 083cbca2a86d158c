"""Record models under differential privacy beside those without, on Adult.

    python benchmarks/dp.py                                     ε of 1, 3 and 10, three seeds, beside bayes and default
    python benchmarks/dp.py --epsilons 3 --seeds 0 --without    only the private models
    python benchmarks/dp.py --halves                            on halves of the train half, as settings were chosen
    python benchmarks/dp.py --peers mst --epsilons 3 --seeds 0  beside MST or PrivBayes as dpmm (Apache 2.0) has them

The train half is fitted; the figures are those of `records.py`, and ACC and F1 of the same XGBoost (F1 of the rarer
class), which is what papers report. δ is 1e-5; categories and ranges are taken from the train half as public, which the
papers do too, and `income` is the target. The noise comes from the seed, so that a run can be repeated: nobody who
wants privacy should do so. A peer spends .1 of its ε on bins of numbers, its own default, and is installed under
scratch/.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.records import _classifier, _features, halves, score  # noqa: E402

INSTALLED = ROOT / "scratch" / "peers"
DELTA = 1e-5
TARGET = "income"
SHOWN = {"cpu": 1, "shape": 2, "trend": 2, "shared": 2, "c2st": 1, "tstr": 4, "acc": 3, "f1": 3, "dcr": 1}

_DPMM = """
import sys, time
import pandas as pd
from dpmm.pipelines.mst import MSTPipeline
from dpmm.pipelines.priv_bayes import PrivBayesPipeline
source, out, peer = sys.argv[1:4]
epsilon, delta, seed = float(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
table, domain = pd.read_csv(source, keep_default_na=False), {}
for name in table:
    if table[name].dtype == object:
        table[name] = table[name].astype("category")
        domain[name] = {"categories": sorted(table[name].cat.categories)}
    else:
        domain[name] = {"lower": int(table[name].min()), "upper": int(table[name].max())}
kind = {"mst": MSTPipeline, "privbayes": PrivBayesPipeline}[peer]
model = kind(epsilon=epsilon - 0.1, delta=delta, proc_epsilon=0.1, n_jobs=1)
began = time.process_time()
model.fit(table, domain=domain, random_state=seed)
used = time.process_time() - began
model.generate(n_records=len(table), random_state=seed + 1).to_csv(out, index=False)
print(used)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--epsilons", type=float, nargs="+", default=[1.0, 3.0, 10.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--without", action="store_true", help="leave out the models without privacy")
    parser.add_argument("--peers", nargs="+", default=[], choices=["mst", "privbayes"])
    parser.add_argument("--halves", action="store_true", help="do not touch the holdout")
    options = parser.parse_args()
    import torch

    torch.set_num_threads(options.threads)
    train, holdout = (pq.read_table(path) for path in halves("adult"))
    holdout = holdout.cast(train.schema)
    if options.halves:
        order = np.random.default_rng(77).permutation(train.num_rows)
        train, holdout = train.take(order[: len(order) // 2]), train.take(order[len(order) // 2 :])
    print(f"{train.num_rows:,} rows fitted, {holdout.num_rows:,} held out; means ± sd of seeds {options.seeds}")
    print(f"{'':>12}" + "".join(f"{title:>16}" for title in SHOWN))
    show("real", [judged(train, holdout, holdout, is_holdout=True)])
    for method in [] if options.without else ["default", "bayes"]:
        show(method, [measured(method, 0.0, seed, train, holdout) for seed in options.seeds])
    for epsilon in options.epsilons:
        name = f"ε = {epsilon:g}"
        show(name, [measured("private", epsilon, seed, train, holdout) for seed in options.seeds])
        for peer in options.peers:
            show(f"{peer}, {epsilon:g}", [measured_peer(peer, epsilon, seed, train, holdout) for seed in options.seeds])


def measured(method: str, epsilon: float, seed: int, train: pa.Table, holdout: pa.Table) -> dict[str, float]:
    """The figures of one fit and one sample of as many rows."""
    from models.table.model import fit_table
    from models.table.private.fit import fit_private
    from models.table.private.settings import Privacy

    began = time.process_time()
    if method == "private":
        model = fit_private(train, Privacy(epsilon, DELTA, TARGET, {"*": "source"}), noise_seed=seed)
    else:
        model, _ = fit_table(train, seed=seed, **({"family": "bayes"} if method == "bayes" else {}))
    used = time.process_time() - began
    made = pa.Table.from_batches(model.sample(train.num_rows, seed + 1))
    return {"cpu": used} | judged(train, holdout, made, is_holdout=False)


def measured_peer(peer: str, epsilon: float, seed: int, train: pa.Table, holdout: pa.Table) -> dict[str, float]:
    """The same of a peer, fitted in an environment of its own."""
    python = INSTALLED / "dpmm" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(INSTALLED / "dpmm")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "dpmm==0.1.9"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "train.csv", Path(folder) / "made.csv"
        csv.write_csv(train, source)
        arguments = [str(source), str(out), peer, str(epsilon), str(DELTA), str(seed)]
        told = subprocess.run([str(python), "-c", _DPMM, *arguments], check=True, capture_output=True, text=True)
        frame = pd.read_csv(out, keep_default_na=False)[train.schema.names]
    for name in frame:
        if pa.types.is_integer(train.schema.field(name).type):
            frame[name] = frame[name].round().astype("int64")
    made = pa.Table.from_pandas(frame, preserve_index=False).cast(pa.schema([(f.name, f.type) for f in train.schema]))
    made = made.replace_schema_metadata(train.schema.metadata)
    return {"cpu": float(told.stdout.split()[-1])} | judged(train, holdout, made, is_holdout=False)


def judged(train: pa.Table, holdout: pa.Table, made: pa.Table, *, is_holdout: bool) -> dict[str, float]:
    """The figures of `records.py`, with accuracy and F1 on the holdout."""
    from sklearn.metrics import accuracy_score, f1_score

    figures = score("adult", train, holdout, made, is_holdout=is_holdout)
    learned = train if is_holdout else made
    features = _features(learned.drop_columns([TARGET]), holdout.drop_columns([TARGET]))
    rarer = sorted(holdout[TARGET].unique().to_pylist())[-1]
    labels = [np.array(table[TARGET].to_pylist()) == rarer for table in (learned, holdout)]
    guessed = _classifier().fit(features.iloc[: learned.num_rows], labels[0]).predict(features.iloc[learned.num_rows :])
    return figures | {"acc": accuracy_score(labels[1], guessed), "f1": f1_score(labels[1], guessed)}


def show(name: str, each: list[dict[str, float]]) -> None:
    """Print one line: means, and standard deviations where there are several."""
    cells = []
    for key, digits in SHOWN.items():
        values = [figures[key] for figures in each if key in figures]
        spread = f" ± {np.std(values):.{digits}f}" if len(values) > 1 and key != "cpu" else ""
        cells.append(f"{np.mean(values):.{digits}f}{spread}" if values else "–")
    print(f"{name:>12}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
