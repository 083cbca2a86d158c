"""Other people's record models for `benchmarks/records.py`, each installed into an environment of its own.

SDV is under the Business Source License, mostlyai-engine under Apache 2.0; both are used for this comparison only.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

TORCH = "torch==2.13.0"  # first, so that no GPU build comes with the rest
SDV = ["sdv==2.0.0", "ctgan==0.12.1", "pyarrow"]
# What the engine needs for tables alone; torchvision, torchaudio and the language models' share stay away.
MOSTLY = ["accelerate", "datasets", "huggingface-hub", "joblib", "json-repair", "opacus", "pandas", "peft", "psutil<6",
          "pyarrow", "scikit-learn", "tokenizers", "transformers"]  # fmt: skip

_FRAME = """
import json, resource, sys, time
source, out, rows, threads, seed, epochs = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
import pyarrow.parquet as pq, torch
torch.set_num_threads(threads); torch.manual_seed(seed)
table = pq.read_table(source).to_pandas()
def cpu(): return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
{fit}
began, used = time.perf_counter(), cpu()
model = fit(table)
fitted, fit_cpu = time.perf_counter() - began, cpu() - used
began, used = time.perf_counter(), cpu()
made = sample(model, rows)
took, sample_cpu = time.perf_counter() - began, cpu() - used
made.to_parquet(out + ".parquet", index=False)
json.dump({{"fit": fitted, "fit_cpu": fit_cpu, "sample": took, "sample_cpu": sample_cpu}}, open(out + ".json", "w"))
"""

_SDV = """
from sdv.metadata import Metadata
from sdv.single_table import {name}
sdtypes = {{"M": "datetime", "i": "numerical", "u": "numerical", "f": "numerical"}}
kinds = {{n: sdtypes.get(table[n].dtype.kind, "categorical") for n in table}}
columns = {{name: {{"sdtype": kind}} for name, kind in kinds.items()}}
metadata = Metadata.load_from_dict({{"tables": {{"table": {{"columns": columns}}}}}})
def fit(table):
    model = {name}(metadata{more})
    model.fit({{"table": table}})
    return model
def sample(model, rows):
    made = model.sample(rows)
    return made["table"] if isinstance(made, dict) else made
"""

_ARGN = """
from mostlyai.engine import TabularARGN
def fit(table):
    model = TabularARGN(random_state=seed, device="cpu", verbose=0)
    model.fit(table)
    return model
def sample(model, rows):
    return model.sample(n_samples=rows)
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a peer is installed, with what, and the program that fits and samples."""

    folder: str
    packages: list[str]
    body: str
    alone: list[str] = field(default_factory=list)  # installed without what they ask for

    @property
    def program(self) -> str:
        """Python source; its arguments are source, output, rows, threads, seed, epochs."""
        return _FRAME.format(fit=self.body)


def _sdv(name: str, more: str = "") -> Peer:
    return Peer("tvae", SDV, _SDV.format(name=name, more=more))


PEERS = {
    "tvae": _sdv("TVAESynthesizer", ", epochs=epochs, enable_gpu=False"),
    "ctgan": _sdv("CTGANSynthesizer", ", epochs=epochs, enable_gpu=False"),
    "copula": _sdv("GaussianCopulaSynthesizer"),
    "argn": Peer("argn", MOSTLY, _ARGN, alone=["mostlyai-engine==2.7.3", "xgrammar"]),
}


def python_of(peer: Peer, folder: Path) -> Path:
    """Python with the peer installed under `folder`, once."""
    python = folder / peer.folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / peer.folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, TORCH], check=True)
        subprocess.run([*pip, TORCH, *peer.packages], check=True)
        if peer.alone:
            subprocess.run([*pip, "--no-deps", *peer.alone], check=True)
    return python
