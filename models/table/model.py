"""A record model: the codec of a table and the network that learned its tokens; fitted, saved, loaded, sampled.

Rows are drawn in chunks of a fixed size, and a chunk's randomness comes from the seed and the chunk's number alone, so
the first thousand of a million rows are the same rows as when a thousand were asked for.

A drawn row that happens to equal a source row is kept. Filtering such rows would tell, by their absence, what stands in
the source; what is held down instead is their rate, which must not exceed what two halves of a real table share.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from models.table.choosing import fit_likelier
from models.table.codec import TableCodec, fit_codec
from models.table.conditions import Conditions
from models.table.constrained import ConstrainedSampler
from models.table.constraints import Constraint
from models.table.facts import Facts
from models.table.families import NETWORKS, new_network
from models.table.network import Network
from models.table.steering import combinations_seen
from models.table.steps import AUTO, default_steps, settled
from models.table.training import Fit, fit_network

CHUNK = 8_192  # rows drawn at once; another size would give other rows
WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


@dataclass(slots=True)
class TableModel:
    """Draws records like those of the table it was fitted on."""

    codec: TableCodec
    network: Network
    family: str = AUTO
    seen: dict[tuple[str, ...], np.ndarray] = field(default_factory=dict)
    """Of columns that stand together only as in the source: their distinct tokens there."""
    privacy: dict[str, Any] | None = None
    """Of a model that was fitted under differential privacy: what was promised and spent, see `private.fit`."""

    def constrained(self, constraints: Sequence[Constraint], conditions: Conditions) -> ConstrainedSampler:
        """What draws rows that keep rules. Raises ValueError for rules that the model cannot keep."""
        return ConstrainedSampler(self.codec, self.network, constraints, conditions, self.seen)

    def sample(self, rows: int, seed: int, rules: ConstrainedSampler | None = None) -> Iterator[pa.RecordBatch]:
        """Yield `rows` records with the source's schema, chunk by chunk. Raises `constrained.Impossible`."""
        taken = self.codec.nothing_taken()
        if rules is not None:
            for first in range(0, rows, CHUNK):
                yield rules.chunk(first, min(CHUNK, rows - first), CHUNK, [seed, first // CHUNK], taken)
            return
        for first in range(0, rows, CHUNK):
            spread = np.random.SeedSequence([seed, first // CHUNK])
            for_tokens, for_values = spread.spawn(2)
            generator = torch.Generator().manual_seed(int(for_tokens.generate_state(1, np.uint64)[0] >> np.uint64(1)))
            # a whole chunk is always drawn, so that its rows do not depend on how many are wanted
            tokens = self.network.sample(CHUNK, generator)
            batch = self.codec.decode(tokens, np.random.default_rng(for_values), first, taken)
            yield batch.slice(0, min(CHUNK, rows - first))

    def log_prob(self, table: pa.Table) -> np.ndarray:
        """Log-likelihood of each row, nats, at the resolution of the codec's cells; of some families a lower bound."""
        tokens = torch.from_numpy(self.codec.encode(table))
        return -torch.cat([self.network.score(piece) for piece in tokens.split(CHUNK)]).numpy()

    def save(self, folder: Path) -> None:
        """Write weights and description into `folder`, the same bytes for the same model."""
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {f"network.{name}": value.contiguous() for name, value in self.network.state_dict().items()}
        tensors |= {f"known.{name}": torch.from_numpy(value) for name, value in self.codec.digests().items()}
        together = list(self.seen)
        tensors |= {f"seen.{n}": torch.from_numpy(self.seen[names]) for n, names in enumerate(together)}
        save_file(tensors, folder / WEIGHTS)
        description = {
            "family": self.family,
            "width": self.network.width,
            "hidden": self.network.hidden,
            "together": together,
            "codec": self.codec.to_json(),
        }
        if self.privacy is not None:
            description["privacy"] = self.privacy
        text = json.dumps(description, ensure_ascii=False, sort_keys=False, allow_nan=False, indent=None)
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")


def fit_table(
    table: pa.Table,
    *,
    seed: int,
    steps: int | None = None,
    family: str = AUTO,
    preset: str = "default",
    primary_key: str | None = None,
    order: Sequence[str] = (),
    together: Sequence[Sequence[str]] = (),
    facts: Mapping[str, Facts] | None = None,
) -> tuple[TableModel, Fit]:
    """Fit a model of `table`; columns are drawn in `order`, and those of `together` can be kept together later.

    With `facts`, the table is a sample of the rows that they tell of (see `survey`).
    The family `auto` is the usual one, or on small tables what is likelier on rows that neither was fitted on. With the
    preset `fast` the usual family is fitted in a quarter of the time, and is less faithful.
    Raises ValueError for a table without rows or columns, or one that cannot be imitated.
    """
    if table.num_rows == 0:
        raise ValueError("the table has no rows")
    codec = fit_codec(table, primary_key, order, facts)
    tokens = codec.encode(table)
    wanted = default_steps(table.num_rows, table.num_columns, family) if steps is None else steps
    family = settled(family, table.num_rows)
    if family == "auto":
        family, network, fit = fit_likelier(codec.parts, tokens, wanted, seed, preset)
    else:
        network = new_network(family, codec.parts, preset)
        fit = fit_network(network, tokens, wanted, seed)
    seen = {tuple(names): combinations_seen(codec, tokens, names) for names in together}
    return TableModel(codec=codec, network=network, family=family, seen=seen), fit


def load_model(folder: Path) -> TableModel:
    """Read a model that `save` wrote. Raises ValueError, naming the folder, when it is not one."""
    if not (folder / DESCRIPTION).is_file() or not (folder / WEIGHTS).is_file():
        raise ValueError(f"{folder} is no record model: it lacks {DESCRIPTION} or {WEIGHTS}")
    try:
        description = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        tensors = load_file(folder / WEIGHTS)
        family = description["family"]
        if family not in NETWORKS:
            raise ValueError(f"family {family!r} is unknown to this version")
        known = {name.removeprefix("known."): t.numpy() for name, t in tensors.items() if name.startswith("known.")}
        codec = TableCodec.from_json(description["codec"], known)
        weights = {n.removeprefix("network."): t for n, t in tensors.items() if n.startswith("network.")}
        sizes = description["width"], description["hidden"]
        network = NETWORKS[family].restored(codec.parts, *sizes, weights)
        seen = {tuple(names): tensors[f"seen.{n}"].numpy() for n, names in enumerate(description["together"])}
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"{folder} cannot be read as a record model: {error}") from error
    return TableModel(codec, network, family, seen, description.get("privacy"))
