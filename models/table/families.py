"""The networks by the family that a job may ask for."""

from __future__ import annotations

from collections.abc import Mapping

from models.table.count_tree import CountTree, Marginals
from models.table.diffusion import MaskedDiffusion
from models.table.masked_mlp import MaskedMLP
from models.table.network import Network

# "transformer" is the name of the contract for what draws a row from its first column to its last; here a masked MLP,
# which is faster than one with attention and no worse.
NETWORKS: Mapping[str, type[Network]] = {
    "transformer": MaskedMLP,
    "diffusion": MaskedDiffusion,
    "bayes": CountTree,
    "independent": Marginals,
}
