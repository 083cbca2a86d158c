"""How near synthetic rows come to the rows that were fitted on, beside how near they come to as many held out.

A model that has learned the population and not its rows stands as near to the ones as to the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.kinds.records.copies import row_hashes
from tasks.kinds.records.privacy.estimates import Estimate, mean_by
from tasks.kinds.records.privacy.gower import nearest
from tasks.kinds.records.privacy.sides import Sides

QUANTILES = {"p1": 0.01, "p5": 0.05, "p25": 0.25, "p50": 0.5}
NEAR = 0.01  # of the real pairs are as near as what is called near


@dataclass(frozen=True, slots=True)
class Copies:
    """Shares of rows with an equal or near row: synthetic ones among members and others, others among members."""

    members: float
    others: float
    real: float
    excess: Estimate
    """`members` − `others`, 0 when nothing leaks."""

    def to_json(self) -> dict[str, Any]:
        rates = {name: round(getattr(self, name), 6) for name in ("members", "others", "real")}
        return {**rates, "excess": self.excess.to_json()}


@dataclass(frozen=True, slots=True)
class Nearness:
    """`share` of synthetic rows nearer to a member than to any other, ties half: .5 when nothing leaks.

    `dcr` are quantiles of the distance to the closest row (0 to 1), `nndr` of that distance over the one to the second
    closest; of synthetic rows to members, of synthetic rows to others, and of others to members (`real`).
    """

    share: Estimate
    dcr: dict[str, dict[str, float]]
    nndr: dict[str, dict[str, float]]
    exact: Copies
    near: Copies
    asked: int

    def to_json(self) -> dict[str, Any]:
        return {
            "share": self.share.to_json(),
            "dcr": self.dcr,
            "nndr": self.nndr,
            "exact": self.exact.to_json(),
            "near": self.near.to_json(),
            "asked": self.asked,
        }


def nearness(sides: Sides, asked: int) -> Nearness:
    """Look up the nearest rows of at most `asked` synthetic rows; copies are counted over all of them."""
    drawn = sides.synthetic[:, :asked]
    pairs = {"members": (drawn, sides.members), "others": (drawn, sides.others)}
    pairs["real"] = (sides.others[:, :asked], sides.members)
    looked_up = {name: nearest(rows, among, k=2) for name, (rows, among) in pairs.items()}
    found = {name: distances for name, (distances, _) in looked_up.items()}
    closest = {name: distances[:, 0] for name, distances in found.items()}
    nearer = (closest["members"] < closest["others"]) + (closest["members"] == closest["others"]) / 2
    places = [looked_up[name][1][:, 0] for name in ("members", "others")]
    hosts = np.where(nearer > 0.5, places[0], sides.count + places[1])
    limit = np.quantile(closest["real"], NEAR)
    return Nearness(
        share=mean_by(nearer, hosts, 0.5),
        dcr={name: _quantiles(distances) for name, distances in closest.items()},
        nndr={name: _quantiles(_ratio(distances)) for name, distances in found.items()},
        exact=_exact(sides),
        near=_copies({name: distances <= limit for name, distances in closest.items()}, hosts),
        asked=drawn.shape[1],
    )


def _exact(sides: Sides) -> Copies:
    real = row_hashes([view.source_codes for view in sides.views])
    drawn = row_hashes([view.synthetic_codes for view in sides.views])
    members, others = real[: sides.count], real[sides.count :]
    hits = {"members": np.isin(drawn, members), "others": np.isin(drawn, others), "real": np.isin(others, members)}
    return _copies(hits, drawn)


def _copies(hits: dict[str, np.ndarray], hosts: np.ndarray) -> Copies:
    """`hosts` tells for every synthetic row which real row it is counted for."""
    excess = mean_by(hits["members"].astype(float) - hits["others"], hosts, 0.0)
    members, others, real = (float(hits[name].mean()) for name in ("members", "others", "real"))
    return Copies(members, others, real, excess)


def _ratio(distances: np.ndarray) -> np.ndarray:
    """First over second distance; 1 where both are 0, for then no single row stands out."""
    first, second = distances[:, 0], distances[:, -1]
    return np.where(second > 0, first / np.where(second > 0, second, 1), 1.0)


def _quantiles(values: np.ndarray) -> dict[str, float]:
    return {name: round(float(np.quantile(values, share)), 6) for name, share in QUANTILES.items()}
