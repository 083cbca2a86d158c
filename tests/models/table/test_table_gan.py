"""Adversaries mend what is wrong with drawn rows, never leave them worse, and trees see what is to be mended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional

from models.table.gan import AdversarialMLP, Critic
from models.table.model import fit_table, load_model
from models.table.number import Part
from models.table.telling import told_apart
from models.table.training import fit_network
from models.table.vae import VariationalMLP

PARTS = [Part(8, ranks=(7, 0, 1, 2, 3, 4, 5, 6)), Part(8), Part(4), Part(3, gate=2)]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def rows(count: int, seed: int = 0) -> np.ndarray:
    """The second part is the first in nine of ten rows; a cell, the fourth, is there with a bin in the third."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 8, (2, count))
    c = rng.integers(0, 4, count)
    cell = np.where(c >= 2, rng.integers(1, 3, count), 0)
    return np.stack([a, np.where(rng.random(count) < 0.9, a, b), c, cell], axis=1).astype(np.int64)


def warm(steps: int = 60) -> AdversarialMLP:
    """An autoencoder that has learned for a while; what follows is left out."""
    autoencoder = VariationalMLP.for_parts(PARTS)
    fit_network(autoencoder, rows(3_000), steps, seed=0)
    weights = autoencoder.state_dict()
    return AdversarialMLP.restored(PARTS, autoencoder.width, autoencoder.hidden, weights)


def told(network: AdversarialMLP) -> float:
    """How well rows of the network are told, by real rows and chance that training never saw."""
    drawn = [network.sample(4_000, torch.Generator().manual_seed(seed)) for seed in (50, 51)]
    return told_apart(PARTS, (rows(4_000, 60), drawn[0]), (rows(4_000, 61), drawn[1]))


def test_adversaries_mend_a_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.table.gan.DRAWS", 1)
    monkeypatch.setattr("models.table.gan.RATE", 3e-4)  # much is amiss, so that much can be mended in few steps
    network = warm(400)
    with torch.no_grad():
        network.lift.mul_(0.2)  # what codes tell of the row is nearly lost
        network.first.mul_(0.8)
    before = told(network)
    looks = network.refine(*(torch.from_numpy(rows(n, seed)) for n, seed in ((3_000, 0), (1_000, 1))), 900, _seed())
    after = told(network)
    assert looks[0][0] == 0
    assert before - 0.5 > 0.04
    assert after - 0.5 < 0.7 * (before - 0.5), (before, after, looks)


def test_weights_that_are_easier_to_tell_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    network = warm()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    areas = iter([0.52, 0.53, 0.6, 0.9, 0.518])
    monkeypatch.setattr("models.table.gan.told_apart", lambda *_: next(areas))
    monkeypatch.setattr("models.table.gan.DRAWS", 1)
    learned = torch.from_numpy(rows(600))
    assert network.refine(learned, learned[:50], 36, _seed()) == [
        (0, 0.52),
        (6, 0.53),
        (8, 0.6),
        (10, 0.9),
        (12, 0.518),
    ]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    areas = iter([0.52, 0.53, 0.51, 0.9, 0.53])
    network.refine(learned, learned[:50], 36, _seed())
    assert not torch.equal(network.first, before["first"])


def test_what_is_drawn_softly_is_drawn_and_passes_slopes_on() -> None:
    network = warm()
    found = network.drawn_softly(500, _seed()).view(500, len(PARTS), network.width)
    tokens = torch.stack(
        [torch.cdist(found[:, n], network.embed(n, torch.arange(part.size))).argmin(1) for n, part in enumerate(PARTS)],
        dim=1,
    )
    exact = functional.embedding(tokens + network.offsets, network.embedding)
    assert torch.allclose(found, exact, atol=1e-5), "every part is one token's embedding"
    assert torch.equal(tokens[:, 2] >= 2, tokens[:, 3] > 0)
    (slopes,) = torch.autograd.grad(found[:, 1].square().sum(), network.first)
    assert bool(slopes.any())


def test_a_critic_learns_to_tell_by_the_pair() -> None:
    critic = Critic(4, _seed())
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(1)
    for _ in range(60):
        real = torch.randn(128, 4, generator=generator) + 1
        loss = critic.loss(real, torch.randn(128, 4, generator=generator))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        real, drawn = (critic(torch.randn(500, 4, generator=generator) + shift) for shift in (1.0, 0.0))
    assert float((real > drawn).float().mean()) > 0.8


def test_trees_tell_what_differs_and_nothing_else() -> None:
    same = told_apart(PARTS, (rows(3_000), rows(3_000, 1)), (rows(3_000, 2), rows(3_000, 3)))
    assert same == pytest.approx(0.5, abs=0.03)
    rng = np.random.default_rng(5)
    shuffled = [rows(3_000, seed) for seed in (6, 7)]
    for each in shuffled:
        each[:, 1] = rng.permutation(each[:, 1])  # every column as it was, and nothing between two of them
    assert told_apart(PARTS, (rows(3_000), shuffled[0]), (rows(3_000, 2), shuffled[1])) > 0.85


def test_a_fit_says_how_well_its_rows_are_told_and_repeats(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pa.table({"a": rng.integers(0, 9, 300), "b": rng.random(300)})
    model, fit = fit_table(table, seed=0, steps=18, family="gan")
    assert [step for step, _ in fit.told_apart] == [0, 3, 4, 5, 6]
    assert fit_table(table, seed=0, steps=18, family="gan")[1].told_apart == fit.told_apart
    model.save(tmp_path)
    made, remade = (pa.Table.from_batches(one.sample(99, 3)) for one in (model, load_model(tmp_path)))
    assert made.equals(remade)


def _seed() -> torch.Generator:
    return torch.Generator().manual_seed(7)
