"""The recipe's parts: the linear encoder, the optimizer, resuming, and the saved pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from models.engine import ImageRequest
from models.image import train_denoiser
from models.image.engine import open as open_engine
from models.image.linear import FIRST_SPREAD, set_principal_components
from models.image.muon import Muon
from models.image.native import read
from models.image.parts import (
    LATENT_CHANNELS,
    PROMPT_TOKENS,
    build_autoencoder,
    build_denoiser,
    build_tokenizer,
    open_parts,
)
from models.image.train import Bucket, Recipe, as_tensor, train
from models.image.train_denoiser import Cached, flow_loss


def _pictures(count: int, width: int = 64, height: int = 64) -> np.ndarray:
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (count, height // 16, width // 16, 3))
    return np.kron(coarse, np.ones((1, 16, 16, 1))).astype(np.uint8)


def test_latents_are_centred_and_fall_off_as_the_components_do() -> None:
    rng = np.random.default_rng(0)
    pixels = np.clip(_pictures(40).astype(int) + rng.integers(-40, 40, (40, 64, 64, 3)), 0, 255).astype(np.uint8)
    model = build_autoencoder()
    set_principal_components(model.encoder, pixels)
    with torch.no_grad():
        latents = model.encode(as_tensor(pixels)).latent.numpy()
    assert latents.shape == (40, LATENT_CHANNELS, 4, 4)
    assert np.allclose(latents.mean((0, 2, 3)), 0, atol=1e-2)
    spread = latents.std((0, 2, 3))
    assert spread[0] == pytest.approx(FIRST_SPREAD, abs=0.02)
    assert np.all(np.diff(spread) <= 1e-3)
    across = np.corrcoef(latents.transpose(1, 0, 2, 3).reshape(LATENT_CHANNELS, -1))
    assert np.abs(across - np.eye(LATENT_CHANNELS)).max() < 0.02, "components do not repeat one another"


def test_latents_hold_what_a_block_shows() -> None:
    """Blocks that vary in few ways can be told from their latents: by least squares, their pixels come back."""
    rng = np.random.default_rng(2)
    ways = rng.normal(0, 30, (12, 16, 16, 3))
    weights = rng.normal(0, 0.5, (30, 4, 4, 12))
    blocks = np.einsum("nrcw,wyxk->nrycxk", weights, ways).reshape(30, 64, 64, 3)
    pixels = np.clip(blocks + 128, 0, 255).astype(np.uint8)
    model = build_autoencoder()
    set_principal_components(model.encoder, pixels)
    with torch.no_grad():
        latents = model.encode(as_tensor(pixels)).latent.numpy().transpose(0, 2, 3, 1).reshape(-1, LATENT_CHANNELS)
    wanted = pixels.reshape(30, 4, 16, 4, 16, 3).transpose(0, 1, 3, 2, 4, 5).reshape(len(latents), -1).astype(float)
    known = np.c_[latents, np.ones(len(latents))]
    left = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    assert left.var() < 0.02 * wanted.var(0).mean()


def test_the_loss_knows_a_perfect_answer() -> None:
    """Zero for a model that answers with the clean latents, and the flow's own error for one that answers with none."""
    clean = torch.randn(64, LATENT_CHANNELS, 4, 4, generator=torch.Generator().manual_seed(0))
    tokens = torch.zeros(64, 2, PROMPT_TOKENS, dtype=torch.long)
    cached = Cached(clean.half(), tokens, torch.zeros(6))

    class Knows(torch.nn.Module):
        def forward(self, noisy: torch.Tensor, timestep: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            rng = np.random.default_rng((1,))  # the draws that the loss makes
            rng.integers(2**62)
            return clean.half().float()[torch.from_numpy(rng.integers(64, size=8))]

    class Blank(torch.nn.Module):
        def forward(self, noisy: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(noisy)

    empty = tokens[:1, 0]
    assert flow_loss(Knows(), cached, 8, empty, (1,)).item() == pytest.approx(0, abs=1e-6)
    assert flow_loss(Blank(), cached, 8, empty, (1,)).item() > 1


def _error(model: Any, pixels: np.ndarray) -> float:
    with torch.no_grad():
        wanted = as_tensor(pixels)
        return (model.decode(model.encode(wanted).latent).sample - wanted).square().mean().item()


def test_an_even_pattern_can_be_decoded() -> None:
    """Stripes with the period of a block give the same latents everywhere: only a decoder that unfolds shows them."""
    stripes = np.where(np.arange(64) % 16 < 8, 40, 220)[None, None, :, None].astype(np.uint8)
    pixels = np.concatenate([np.broadcast_to(stripes, (12, 64, 64, 3)), _pictures(12)])
    torch.manual_seed(0)
    model = build_autoencoder()
    set_principal_components(model.encoder, pixels)
    wanted = as_tensor(pixels[:2])
    latents = model.encode(wanted).latent.detach()
    assert torch.allclose(latents, latents[..., :1, :1].expand_as(latents), atol=1e-4)
    optimizer = torch.optim.Adam(model.decoder.parameters(), 1e-3)
    for _ in range(60):
        loss = (model.decode(latents).sample - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert _error(model, pixels[:2]) < 0.02 * wanted.var().item()


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
        Bucket(_pictures(6, 96, 64), [["a blue vase", "a vase"]] * 6),
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
    assert sum(path.stat().st_size for path in (tmp_path / "one").rglob("*")) < 34 * 2**20

    assert read(tmp_path / "one") == ((64, 64), (96, 64))
    engine = open_engine(str(tmp_path / "one"), batch_size=2)
    engine.submit([ImageRequest(id="a", prompt="a red mug", seed=1, steps=2), ImageRequest(id="b", prompt="", seed=1)])
    results = {result.id: result for result in engine.results()}
    assert all(result.error is None and not result.flags for result in results.values())


def test_training_can_begin_from_an_earlier_model(tmp_path: Path) -> None:
    recipe = Recipe(autoencoder_steps=1, autoencoder_batch=2, denoiser_steps=1, denoiser_batch=2)
    first, later = [Bucket(_pictures(8), [["a red mug"]] * 8)], [Bucket(255 - _pictures(8), [["a tall vase"]] * 8)]
    for buckets, folder, start in ((first, "older", None), (later, "newer", tmp_path / "older")):
        (tmp_path / f"work-{folder}").mkdir()
        train(buckets, recipe, tmp_path / folder, tmp_path / f"work-{folder}", 0, lambda _: None, start)
    older, newer = open_parts(tmp_path / "older"), open_parts(tmp_path / "newer")
    assert newer.tokenizer.get_vocab() == older.tokenizer.get_vocab()
    assert str(tmp_path) not in "".join(path.read_text() for path in (tmp_path / "newer").glob("*/config.json"))
    for name, weight in older.autoencoder.encoder.state_dict().items():
        assert torch.equal(newer.autoencoder.encoder.state_dict()[name], weight), "latents keep their meaning"
    moved = [
        (newer.denoiser.state_dict()[name] - weight).abs().mean() / weight.abs().mean()
        for name, weight in older.denoiser.state_dict().items()
        if name.endswith("conv1.weight")
    ]
    assert max(moved) < 0.2, "one step away from where it began"


def test_a_denoiser_of_another_shape_begins_from_nothing_and_the_rest_from_the_earlier_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(autoencoder_steps=1, autoencoder_batch=2, denoiser_steps=1, denoiser_batch=2)
    buckets, said = [Bucket(_pictures(8), [["a red mug"]] * 8)], []
    with monkeypatch.context() as patched:
        patched.setattr(train_denoiser, "build_denoiser", _smaller)
        (tmp_path / "work").mkdir()
        train(buckets, recipe, tmp_path / "older", tmp_path / "work", 0, lambda _: None)
    (tmp_path / "anew").mkdir()
    train(buckets, recipe, tmp_path / "newer", tmp_path / "anew", 1, said.append, tmp_path / "older")
    assert any("another shape" in line for line in said)
    older, newer = open_parts(tmp_path / "older"), open_parts(tmp_path / "newer")
    for name, weight in older.text_encoder.state_dict().items():
        assert torch.allclose(newer.text_encoder.state_dict()[name], weight, atol=5e-3), name


def _smaller() -> Any:
    config = {**build_denoiser().config, "block_out_channels": (32,), "attention_head_dim": 1}
    return UNet2DConditionModel.from_config(config)
