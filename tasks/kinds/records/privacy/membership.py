"""Membership inference: can it be told whether a row was among those a model was fitted on?

Every attack gives each row a score that should be higher for members; others come from the same population but were not
fitted. What counts is how well the score parts the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tasks.kinds.records.privacy.estimates import Estimate, auc, hits_at
from tasks.kinds.records.privacy.gower import nearest
from tasks.kinds.records.privacy.sides import Sides

if TYPE_CHECKING:  # it loads torch, which attacks on tables do without
    from models.table.model import TableModel


@dataclass(frozen=True, slots=True)
class Membership:
    """`auc` is .5 when nothing leaks; `hits` is the share of members found at 1 % false alarms, .01 then."""

    auc: Estimate
    hits: Estimate
    members: int
    others: int

    def to_json(self) -> dict[str, Any]:
        return {
            "auc": self.auc.to_json(),
            "hits_at_1pct": self.hits.to_json(),
            "members": self.members,
            "others": self.others,
        }


def told_apart(members: np.ndarray, others: np.ndarray, seed: int) -> Membership:
    """How well a score tells members from others. Raises ValueError for fewer than two of either or a NaN."""
    if len(members) < 2 or len(others) < 2 or np.isnan(members).any() or np.isnan(others).any():
        raise ValueError("scores of at least two members and two others are needed, none of them NaN")
    hits = hits_at(members, others, np.random.default_rng([seed, 2]))
    return Membership(auc(members, others), hits, len(members), len(others))


def by_likelihood(
    model: TableModel, members: pa.Table, others: pa.Table, seed: int, reference: TableModel | None = None
) -> Membership:
    """By how likely the fitted model finds a row: the attack of somebody who has the model itself.

    Many rows are likely under any model of their population. With a `reference`, fitted on rows of neither side, the
    score is how much likelier the row is than there, which is sharper (Watson et al. 2022, difficulty calibration).
    Raises ValueError for tables whose columns are not the model's.
    """
    scores = [model.log_prob(rows) for rows in (members, others)]
    if reference is not None:
        scores = [score - reference.log_prob(rows) for score, rows in zip(scores, (members, others), strict=True)]
    return told_apart(scores[0], scores[1], seed)


def by_distance(sides: Sides, asked: int, seed: int) -> Membership:
    """By how near the closest synthetic row is: the attack of somebody who has the synthetic table alone.

    At most `asked` rows of either side are looked up.
    """
    scores = [-nearest(side[:, :asked], sides.synthetic)[0][:, 0] for side in (sides.members, sides.others)]
    return told_apart(scores[0], scores[1], seed)
