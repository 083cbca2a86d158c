"""All attacks on a synthetic table, as figures that can be written as JSON, and which of them found something.

Two attackers: one has the `table` alone, as everybody has to whom it is given; one has the `model` as well. A model
always tells more than the tables drawn from it, so its figures stand apart.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tasks.kinds.records.privacy.estimates import Z
from tasks.kinds.records.privacy.inference import by_neighbours
from tasks.kinds.records.privacy.membership import by_distance, by_likelihood
from tasks.kinds.records.privacy.nearness import nearness
from tasks.kinds.records.privacy.sides import sides_of

if TYPE_CHECKING:  # it loads torch, which attacks on tables do without
    from models.table.model import TableModel

ASKED = 2_000  # rows of each side whose neighbours are looked up; their number is what takes the time
ERRORS = 3.0  # standard errors beyond chance before an attack counts as successful, as for copies

LEVELS: Mapping[tuple[str, ...], tuple[float, str]] = {
    ("table", "membership", "auc"): (0.5, "members are closer to a synthetic row than others are"),
    ("table", "inference", "risk"): (0.0, "members' values are guessed better than others'"),
    ("table", "nearness", "share"): (0.5, "synthetic rows are closer to members than to others"),
    ("table", "nearness", "exact", "excess"): (0.0, "synthetic rows equal members more often than others"),
    ("table", "nearness", "near", "excess"): (0.0, "synthetic rows nearly equal members more often than others"),
    ("model", "likelihood", "auc"): (0.5, "members are likelier than others"),
    ("model", "calibrated", "auc"): (0.5, "members are likelier than others, beside what a reference finds"),
}  # where in the figures, what they are when nothing leaks, and what it means that they are more


def attack(
    members: pa.Table,
    others: pa.Table,
    synthetic: pa.Table,
    *,
    seed: int,
    secrets: Collection[str] = (),
    asked: int = ASKED,
    roles: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Attack a synthetic table made from `members`; `others` were held out, of the same population and not looked at.

    At most `asked` rows of each side are attacked, and the columns `secrets` guessed (without any: all). `roles` name
    columns that do not look like what they are, such as {"account": "key"}. The same tables and seed give the same
    figures. Raises ValueError for tables that cannot be compared.
    """
    sides = sides_of(members, others, synthetic, seed, roles)
    found = {"membership": by_distance(sides, asked, seed).to_json(), "nearness": nearness(sides, asked).to_json()}
    if len(sides.views) > 1:
        found["inference"] = by_neighbours(sides, asked, seed, secrets).to_json()
    return {"members": members.num_rows, "others": others.num_rows, "synthetic": synthetic.num_rows, "table": found}


def attack_model(
    members: pa.Table, others: pa.Table, model: TableModel, *, seed: int, reference: TableModel | None = None
) -> dict[str, Any]:
    """Attack the model itself, by its likelihood; with a `reference` (fitted on further rows) more sharply.

    A model fitted on a synthetic table, in the place of the one that drew it, makes this an attack on the table (van
    Breugel et al. 2023, DOMIAS). Raises ValueError for tables whose columns are not the model's.
    """
    found = {"likelihood": by_likelihood(model, members, others, seed).to_json()}
    if reference is not None:
        found["calibrated"] = by_likelihood(model, members, others, seed, reference).to_json()
    return {"members": members.num_rows, "others": others.num_rows, "model": found}


def leaks(found: Mapping[str, Any]) -> dict[str, str]:
    """The attacks in these figures that did better than chance allows, by name, in words; empty when none did."""
    told = {}
    for path, (level, words) in LEVELS.items():
        figure: Any = found
        for step in path:
            figure = figure.get(step) if isinstance(figure, Mapping) else None
        if figure and figure["value"] - ERRORS / Z * (figure["value"] - figure["low"]) > level:
            told[".".join(path)] = f"{words}: {figure['value']:.3f}, where {level:g} is chance"
    return told
