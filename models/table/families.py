"""The networks by the family that a job may ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.table.count_tree import CountTree, Marginals
from models.table.diffusion import MaskedDiffusion
from models.table.gan import AdversarialMLP
from models.table.masked_mlp import MaskedMLP
from models.table.network import Network
from models.table.number import Part
from models.table.private.network import NoisyCounts
from models.table.steps import AUTO, MEMBERS
from models.table.vae import VariationalMLP

# "transformer" is the name of the contract for what draws a row from its first column to its last; here a masked MLP,
# which is faster than one with attention and no worse.
NETWORKS: Mapping[str, type[Network]] = {
    "transformer": MaskedMLP,
    "diffusion": MaskedDiffusion,
    "vae": VariationalMLP,
    "gan": AdversarialMLP,
    "bayes": CountTree,
    "independent": Marginals,
    "private": NoisyCounts,  # not to be asked for by name: it is what settings of `privacy` lead to
}


def new_network(family: str, parts: Sequence[Part], preset: str = "default") -> Network:
    """A network to fit. Raises ValueError when the table is too wide."""
    if family == AUTO:
        return MaskedMLP.for_parts(parts, MEMBERS[preset])
    return NETWORKS[family].for_parts(parts)
