"""What a job's records give away, measured against rows of the same table that were held out of its source.

Without such rows there is nothing to tell members from: a good synthetic row is near to real rows whether its model
knew them or not. The attacks are those on the table alone; see `attacks` for those on the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.table.sampling import sample_rows
from tasks.kinds.records.copies import copy_rate_of_tables
from tasks.kinds.records.privacy.attacks import attack, leaks
from tasks.kinds.records.views import MADE_ANEW

NOTHING = {"membership": 0.5, "inference": 0.0, "nearness": 0.5}  # what the figures are where nothing leaks
MOST_ROWS = 20_000  # of each table: of a few thousand of them the neighbours are looked up
FEWEST_ROWS = 100  # held out; of fewer, chance alone would be found
MOST_SOUGHT = 200_000  # rows of the source among which planning looks for those held out
MORE_ALIKE = 1.1  # times what the source's halves share, for rows of another month may repeat themselves a little more
ROOM = 2  # times the slack of a copy rate: a job is refused for it, not drawn again


def held_out(path: Path, schema: pa.Schema, without: Sequence[str] = ()) -> pa.Table:
    """The rows held out, or a sample of them, as the source with this `schema` would have them.

    It is always the same sample, so that what planning accepts does not end a run. Raises ValueError with the reason:
    other columns, values of another type, fewer than 100 rows.
    """
    rows = sample_rows(path, MOST_ROWS, np.random.default_rng(51), without=without)
    if rows.schema.names != [name for name in schema.names if name not in without]:
        missing, extra = set(schema.names) - set(rows.schema.names), set(rows.schema.names) - set(schema.names)
        detail = f"missing {sorted(missing)}, extra {sorted(extra)}" if missing or extra else "another order"
        raise ValueError(f"its columns are not the source's: {detail}")
    if rows.num_rows < FEWEST_ROWS:
        raise ValueError(
            f"it has {rows.num_rows} rows, and at least {FEWEST_ROWS} are needed to tell a leak from chance"
        )
    columns = []
    for name, column in zip(rows.schema.names, rows.columns, strict=True):
        kind = schema.field(name).type
        try:
            columns.append(column.cast(kind))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            # Not chained: Arrow's message quotes the value that would not do, and a traceback would show it.
            raise ValueError(f"its column {name!r} is {column.type}, the source's is {kind}") from None
    return pa.table(dict(zip(rows.schema.names, columns, strict=True)))


def check_held_out(
    path: Path, source: Path, schema: pa.Schema, roles: Mapping[str, str], without: Sequence[str] = ()
) -> None:
    """Raises ValueError, with the reason, for rows held out that say nothing of the source with this `schema`.

    `roles` tell how the fit treats columns; those `without` are not compared. See `held_out` for further reasons.
    """
    apart = held_out(path, schema)
    compared = [name for name in schema.names if name not in without and roles[name] not in (*MADE_ANEW, "empty")]
    if not compared:
        raise ValueError("no column of the source can be compared: all are keys, free texts, references or empty")
    members = sample_rows(source, MOST_SOUGHT, np.random.default_rng(55))
    if members.num_rows < 2:
        raise ValueError("the source has a single row, and at least two are needed to tell its rows from others")
    rate = copy_rate_of_tables(members, apart, compared)
    if rate.synthetic > MORE_ALIKE * rate.real + ROOM * rate.slack:
        raise ValueError(
            f"{rate.synthetic:.2%} of its rows occur in a half of the source, where the source's other half shares "
            f"{rate.real:.2%}; name rows that are not in the source, for a leak shows only beside those"
        )


def leakage(
    source: Path,
    holdout: Path,
    synthetic: Path,
    seed: int,
    without: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The figures in `NOTHING`, from 0 to 1, and all that the `attacks` found, with intervals, and what `leaks`.

    `roles` tell how the fit treats columns. A figure is None where there is nothing to guess, and all are where the
    children that were drawn are fewer than two. No value of any row is among them.
    """
    members, made = (
        sample_rows(path, MOST_ROWS, np.random.default_rng([seed, place]), without=without)
        for path, place in ((source, 52), (synthetic, 53))
    )
    if made.num_rows < 2:
        return dict.fromkeys(NOTHING)
    others = held_out(holdout, members.schema, without)
    # the attacks count their own seeds from 1, as the other figures of this data set do
    own = int(np.random.SeedSequence([seed, 54]).generate_state(1)[0])
    found = attack(members, others, made, seed=own, roles=roles)
    table = found["table"]
    guessed = table.get("inference")
    figures = {
        "membership": table["membership"]["auc"]["value"],
        "inference": None if guessed is None else min(max(guessed["risk"]["value"], 0.0), 1.0),
        "nearness": table["nearness"]["share"]["value"],
    }
    return {**figures, "attacks": {**found, "leaks": leaks(found)}}
