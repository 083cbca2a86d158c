"""Several members are one model: what it scores, tells and draws is their average, and training keeps them apart."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from models.table import masked_mlp, training
from models.table.families import new_network
from models.table.masked_mlp import MaskedMLP, _drop
from models.table.model import fit_table
from models.table.number import Part, fit_number
from models.table.ordinal import hats
from models.table.picking import pick
from models.table.training import fit_network, sets_aside

PARTS = [Part(3), Part(5, ranks=(4, 0, 1, 2, 3)), Part(9, gate=2), Part(2)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def rows(count: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    tokens = np.stack([rng.integers(0, part.size, count) for part in PARTS], axis=1)
    tokens[:, 2] = np.where(tokens[:, 1] >= 2, 1 + tokens[:, 2] % 8, 0)
    tokens[:, 3] = tokens[:, 0] == 1
    return tokens


def fitted(members: int = 3, steps: int = 30) -> MaskedMLP:
    network = MaskedMLP.for_parts(PARTS, members)
    fit_network(network, rows(), steps, seed=1)
    return network


def inputs_of(network: MaskedMLP, tokens: torch.Tensor) -> torch.Tensor:
    return torch.cat([network.embed(place, tokens[:, place]) for place in range(len(PARTS))], dim=1)


def test_chances_multiply_to_the_score() -> None:
    network, tokens = fitted(), torch.from_numpy(rows(50))
    inputs = inputs_of(network, tokens)
    total = torch.zeros(50)
    for place, part in enumerate(PARTS):
        chances = network.chances(place, inputs)
        assert torch.allclose(chances.sum(1), torch.ones(50), atol=1e-5)
        own = chances.gather(1, tokens[:, place : place + 1])[:, 0].log()
        total -= torch.where(tokens[:, place] == 0, 0.0, own) if part.gate is not None else own
    assert torch.allclose(total, network.score(tokens), atol=1e-4)


def test_chances_are_the_mean_of_members_that_differ() -> None:
    network, tokens = fitted(), torch.from_numpy(rows(20))
    alone = []
    for member in range(3):
        one = MaskedMLP.for_parts(PARTS)
        weights = {"embedding": network.embedding.chunk(3)[member], "first": network.first[member : member + 1]}
        weights["first_bias"] = network.first_bias[member : member + 1]
        for name in ("second", "second_bias"):
            weights[name] = getattr(network, name).chunk(3)[member]
        for place in range(len(PARTS)):
            for kind in ("logits", "bias"):
                (group, at), (other, mine) = network.heads.group_of[member * 4 + place], one.heads.group_of[place]
                target = weights.setdefault(f"heads.{kind}.{other}", getattr(one.heads, kind)[other].detach().clone())
                target[mine] = getattr(network.heads, kind)[group][at].detach()
        one.load_state_dict(weights)
        alone.append(one.chances(3, inputs_of(one, tokens)))
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)
    mean = torch.stack(alone).mean(0)
    assert torch.allclose(network.chances(3, inputs_of(network, tokens)), mean, atol=1e-5)


def test_drawn_rows_follow_the_chances() -> None:
    network = fitted(steps=200)
    drawn = network.sample(6_000, torch.Generator().manual_seed(3))
    assert ((drawn[:, 2] > 0) == (drawn[:, 1] >= 2)).all()
    assert ((drawn[:, 3] == 1) == (drawn[:, 0] == 1)).mean() > 0.97
    found = torch.from_numpy(np.bincount(drawn[:, 0], minlength=3) / 6_000)
    assert torch.allclose(found.float(), network.chances(0, torch.zeros(1, network.width * 4))[0], atol=0.01)


@pytest.mark.parametrize("family", ["transformer", "vae"])
@pytest.mark.parametrize("count", [10, 3_000])
def test_drawing_a_few_rows_and_many_takes_the_chances_that_are_told(
    family: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few rows are multiplied; of many, tokens are looked up and those that begin alike are reckoned once."""
    network = new_network(family, PARTS)
    fit_network(network, rows(), 30, seed=1)
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(masked_mlp, "pick", lambda chances, generator: seen.append(chances) or pick(chances, generator))
    codes: list[torch.Tensor] = []
    if family == "vae":
        prior = network.prior
        drawn = prior.sample
        monkeypatch.setattr(prior, "sample", lambda *given: codes.append(drawn(*given)) or codes[0])
    tokens = torch.from_numpy(network.sample(count, torch.Generator().manual_seed(3)))
    inputs = torch.cat([inputs_of(network, tokens), *codes], dim=1)
    for place, chances in enumerate(seen):
        assert torch.allclose(chances, network.chances(place, inputs), atol=1e-6)


def test_weights_of_one_network_from_before_there_were_members_are_read() -> None:
    network, tokens = fitted(members=1), torch.from_numpy(rows(30))
    weights = dict(network.state_dict())
    weights["first"], weights["first_bias"] = weights["first"][0], weights["first_bias"][0, 0]
    read = MaskedMLP.restored(PARTS, network.width, network.hidden, weights)
    assert torch.equal(read.score(tokens), network.score(tokens))


def test_what_neighbours_share_is_folded_into_the_embeddings() -> None:
    network, tokens = MaskedMLP.for_parts(PARTS, 2), torch.from_numpy(rows(30))
    network.start(rows(), torch.Generator().manual_seed(0))
    before = network.score(tokens)
    assert network.slopes is not None
    network.finish()
    assert torch.allclose(network.score(tokens), before, atol=1e-5)
    assert not [name for name in network.state_dict() if "slopes" in name or "hats" in name]


@pytest.mark.parametrize("steps", [0, 10])
def test_every_fit_ends_finished(steps: int) -> None:
    assert fitted(steps=steps).slopes is None


def test_no_row_judges_two_members_and_none_that_learns_it() -> None:
    aside = sets_aside(103, 4, torch.Generator().manual_seed(0))
    judging = torch.cat([judges for judges, _ in aside])
    assert len(judging.unique()) == len(judging) == 40
    for judges, learned in aside:
        assert sorted(torch.cat([judges, learned]).tolist()) == list(range(103))
    assert len(torch.cat([learned for _, learned in aside]).unique()) == 103


@pytest.mark.parametrize(("last", "best"), [(1.009, 10), (1.011, 8)])
def test_the_last_weights_are_kept_where_they_are_about_as_good(
    last: float, best: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([2.0, 1.0, 1.004, 1.002, last])
    monkeypatch.setattr(training, "_score", lambda network, judges: next(scores))
    monkeypatch.setattr(training, "LOOKS", 5)
    network = MaskedMLP.for_parts(PARTS)
    assert fit_network(network, rows(), 10, seed=0).best == best


def test_wide_tables_get_fewer_members() -> None:
    assert MaskedMLP.for_parts([Part(2)] * 16, 4).members == 4
    assert MaskedMLP.for_parts([Part(2)] * 70, 4).members == 2
    assert MaskedMLP.for_parts([Part(2)] * 300, 4).members == 1
    assert [new_network("transformer", PARTS, preset).members for preset in ("default", "fast")] == [4, 1]


def test_silenced_units_are_as_many_as_wanted_and_the_rest_make_up_for_them() -> None:
    ones = torch.ones(300, 301)
    left = _drop(ones, 0.15, torch.Generator().manual_seed(0))
    assert (left == 0).float().mean() == pytest.approx(0.15, abs=0.005)
    assert left.mean() == pytest.approx(1, abs=0.005)
    assert _drop(ones, 0.0, None) is ones


def test_ranks_put_atoms_between_the_bins_they_lie_between() -> None:
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.permutation(40_000)[:4_000], np.full(500, 20_000)])
    codec = fit_number(numbers, np.arange(len(numbers)) > 10)
    (first, _) = codec.parts
    tokens = codec.encode(np.array([0, 19_000, 20_000, 21_500, 39_999, 7]), np.arange(6) < 5)[:, 0]
    ranks = [first.ranks[token] for token in tokens]
    assert ranks == [*sorted(ranks[:5]), 0], "null comes before all numbers"
    assert sorted(first.ranks) == list(range(first.size))


def test_neighbours_share_more_hats_than_strangers() -> None:
    parts = [Part(4), Part(9, ranks=(8, 0, 1, 2, 3, 4, 5, 6, 7))]
    found = hats(parts, np.stack([np.zeros(90, int), np.arange(90) % 9], axis=1))
    assert not found[:4].any(), "categories have no order"
    alike = found[4:] @ found[4:].T
    assert alike[1, 2] > alike[1, 4] > alike[1, 0], "token 0 stands for the largest number"


def test_presets_differ_and_each_repeats() -> None:
    rng = np.random.default_rng(0)
    size = rng.integers(0, 40, 600)
    table = pa.table({"size": size, "price": size * 3 + rng.integers(0, 3, 600)})
    usual, fast, again = (
        fit_table(table, seed=0, steps=60, preset=preset, family="transformer")[0].log_prob(table)
        for preset in ("default", "fast", "fast")
    )
    assert np.array_equal(fast, again)
    assert not np.array_equal(usual, fast)
