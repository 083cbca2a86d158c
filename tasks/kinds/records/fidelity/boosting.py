"""Gradient-boosted trees for the figures of quality, the same on every run: one thread, histograms, nothing sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 14  # nothing is drawn from it as long as neither rows nor columns are sampled


@dataclass(frozen=True, slots=True)
class Trees:
    """Fitted trees and which of the columns they were fitted on have no order."""

    booster: Any
    categories: np.ndarray

    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Chances of the second of two classes, chances of each of more (rows × classes), or numbers."""
        return np.asarray(self.booster.predict(_matrix(rows, self.categories)))


def fit_trees(
    rows: np.ndarray,
    target: np.ndarray,
    categories: np.ndarray,
    *,
    classes: int = 0,
    rounds: int = 100,
    depth: int = 6,
    bins: int = 256,
) -> Trees:
    """Trees that tell `target` from `rows` (float32, NaN for null), otherwise with XGBoost's own settings.

    `target` holds class numbers below `classes`, or any numbers where that is 0.
    """
    import xgboost  # here, because planning needs none of it

    objective = "multi:softprob" if classes > 2 else "binary:logistic" if classes else "reg:squarederror"
    settings: dict[str, Any] = {"objective": objective, "max_depth": depth, "max_bin": bins}
    settings |= {"tree_method": "hist", "nthread": 1, "seed": SEED, "verbosity": 0}
    if classes > 2:
        settings["num_class"] = classes
    elif classes:
        settings["base_score"] = 0.5  # where one class alone is given, its share has no logit to begin with
    return Trees(xgboost.train(settings, _matrix(rows, categories, target), num_boost_round=rounds), categories)


def _matrix(rows: np.ndarray, categories: np.ndarray, target: np.ndarray | None = None) -> Any:
    import xgboost

    kinds = ["c" if one else "float" for one in categories]
    return xgboost.DMatrix(rows, label=target, feature_types=kinds, enable_categorical=True, nthread=1)
