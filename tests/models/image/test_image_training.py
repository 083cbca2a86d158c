"""The recipe's parts: the linear encoder, the optimizer, resuming, and the saved pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from models.engine import ImageRequest
from models.image.engine import open as open_engine
from models.image.linear import principal_components, set_principal_components
from models.image.muon import Muon
from models.image.parts import PROMPT_TOKENS, build_autoencoder, build_tokenizer
from models.image.train import Bucket, Recipe, as_tensor, train


def _pictures(count: int, width: int = 32, height: int = 32) -> np.ndarray:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (count, height // 8, width // 8, 3))
    return np.kron(coarse, np.ones((1, 8, 8, 1))).astype(np.uint8)


def test_latents_are_the_principal_components_of_blocks() -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(_pictures(40).astype(int) + rng.integers(-40, 40, (40, 32, 32, 3)), 0, 255).astype(np.uint8)
    model = build_autoencoder()
    set_principal_components(model.encoder, pixels)
    with torch.no_grad():
        latents = model.encode(as_tensor(pixels)).latents.numpy()
    mean, components, _ = principal_components(pixels, 16)
    block = pixels[3, 8:16, 16:24].reshape(-1) / 255 - mean
    along = components @ block
    ratio = latents[3, :, 1, 2] / along
    spread = latents.std((0, 2, 3))
    assert np.allclose(latents.mean((0, 2, 3)), 0, atol=1e-3)
    assert np.all(ratio > 0)
    assert spread[0] == pytest.approx(1, abs=0.01)
    assert np.all(np.diff(spread) <= 1e-3)


def test_muon_solves_a_least_squares_problem() -> None:
    generator = torch.Generator().manual_seed(0)
    inputs, wanted = torch.randn(64, 12, generator=generator), torch.randn(12, 8, generator=generator)
    weight = torch.nn.Parameter(torch.zeros(8, 12))
    optimizer = Muon([weight], lr=0.3)
    losses = []
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.3 * (1 - step / 200)
        loss = (inputs @ weight.T - inputs @ wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.01 * losses[0]


def test_the_tokenizer_knows_its_words_and_spells_the_rest() -> None:
    tokenizer = build_tokenizer(["a red ceramic mug on a wooden table, soft light"] * 5, merges=200)
    assert tokenizer.tokenize("A red mug") == ["a</w>", "red</w>", "mug</w>"]
    unknown = tokenizer("Zürich 日本 🙂")["input_ids"]
    assert tokenizer.unk_token_id not in unknown[1:-1]
    padded = tokenizer("a " * 99, padding="max_length", truncation=True)["input_ids"]
    assert len(padded) == PROMPT_TOKENS


def test_training_goes_on_where_it_stopped_and_saves_an_ordinary_pipeline(tmp_path: Path) -> None:
    buckets = [
        Bucket(_pictures(12), [["a red mug", "a mug"]] * 12),
        Bucket(_pictures(6, 48, 32), [["a blue vase", "a vase"]] * 6),
    ]
    recipe = Recipe(autoencoder_steps=4, autoencoder_batch=4, denoiser_steps=6, denoiser_batch=4)
    said: list[str] = []
    (tmp_path / "work").mkdir()
    for folder in ("one", "two"):
        train(buckets, recipe, tmp_path / folder, tmp_path / "work", 0, said.append)
    assert sum("denoiser: step 6/6" in line for line in said) == 1, "the second call had nothing left to train"
    files = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*.safetensors")}
    assert {name.split("/")[0] for name in files} == {"unet", "vae", "text_encoder_2"}
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert sum(path.stat().st_size for path in (tmp_path / "one").rglob("*")) < 28 * 2**20

    engine = open_engine(str(tmp_path / "one"), batch_size=2)
    engine.submit([ImageRequest(id="a", prompt="a red mug", seed=1, steps=2), ImageRequest(id="b", prompt="", seed=1)])
    results = {result.id: result for result in engine.results()}
    assert all(result.error is None and not result.flags for result in results.values())
