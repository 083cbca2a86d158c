"""Tokens come with the probabilities of the nucleus, whatever the other rows are."""

import numpy as np
import torch

from models.text.sampling import choose, uniforms


def draw(scores, temperature, top_p, count=20_000):
    rows = scores.repeat(count, 1)
    draws = torch.from_numpy(uniforms(5, count))
    tokens = choose(rows, torch.full((count,), temperature), torch.full((count,), top_p), draws)
    return torch.bincount(tokens, minlength=scores.shape[-1]) / count


def test_frequencies_are_the_probabilities():
    scores = torch.tensor([2.0, 0.0, 1.0, -3.0])
    assert torch.allclose(draw(scores, 0.7, 1.0), torch.softmax(scores / 0.7, 0), atol=0.01)


def test_top_p_keeps_the_shortest_head_that_holds_it():
    scores = torch.log(torch.tensor([0.1, 0.5, 0.15, 0.25]))
    assert torch.allclose(draw(scores, 1.0, 0.7), torch.tensor([0, 2 / 3, 0, 1 / 3]), atol=0.015)
    assert draw(scores, 1.0, 0.4)[1] == 1


def test_min_p_keeps_what_is_not_much_less_likely_than_the_likeliest():
    scores = torch.log(torch.tensor([0.1, 0.5, 0.15, 0.25])).repeat(1000, 1)
    draws = torch.linspace(0, 0.999, 1000).double()
    one = torch.ones(1000)
    counts = torch.bincount(choose(scores, one, one, draws, 0.4 * one), minlength=4) / 1000
    assert torch.allclose(counts, torch.tensor([0, 2 / 3, 0, 1 / 3]), atol=0.002)
    assert (choose(scores, one, one, draws, one) == 1).all()
    flat = torch.zeros(2, 3000)
    flat[:, :2] = 20.0
    found = choose(flat, torch.ones(2), torch.ones(2), torch.tensor([0.0, 0.999]).double(), torch.full((2,), 0.5))
    assert sorted(found.tolist()) == [0, 1]


def test_a_flat_distribution_over_many_tokens_reaches_beyond_the_head():
    scores = torch.zeros(3000)
    tokens = choose(scores.repeat(500, 1), torch.ones(500), torch.ones(500), torch.linspace(0, 0.999, 500).double())
    assert len(set(tokens.tolist())) == 500


def test_zero_temperature_takes_the_likeliest():
    scores = torch.tensor([[0.0, 1.0, 0.5], [3.0, 1.0, 0.5]])
    draws = torch.tensor([0.999, 0.999], dtype=torch.float64)
    assert choose(scores, torch.zeros(2), torch.ones(2), draws).tolist() == [1, 0]


def test_the_last_draw_below_one_stays_within_the_vocabulary():
    scores = torch.randn(4, 50, generator=torch.Generator().manual_seed(1))
    draws = torch.full((4,), float(np.nextafter(1.0, 0.0)), dtype=torch.float64)
    assert (choose(scores, torch.ones(4), torch.ones(4), draws) < 50).all()


def test_uniforms_are_a_function_of_the_seed_and_a_longer_draw_begins_alike():
    assert np.array_equal(uniforms(9, 5), uniforms(9, 50)[:5])
    assert not np.array_equal(uniforms(9, 5), uniforms(10, 5))
    assert 0 <= uniforms(2**63 - 1, 1)[0] < 1
