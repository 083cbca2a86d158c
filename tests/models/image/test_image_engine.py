"""The image engine against a real, tiny pipeline."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import AutoPipelineForText2Image

from models.engine import EngineSpec, ImageRequest, ImageResult, open_engine
from models.folder import ModelError
from models.image import engine as image_engine
from models.image.engine import EngineOutOfMemoryError, ImageEngine

PROMPTS = ["a red mug", "a blue vase on the grass", "a table", "", "a red vase"]


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[ImageEngine]:
    opened = image_engine.open(str(tiny_model), "cpu", "float32", batch_size=4)
    yield opened
    opened.close()


def _request(number: int, **changes: Any) -> ImageRequest:
    prompt = PROMPTS[number % len(PROMPTS)]
    base = ImageRequest(id=f"r{number}", prompt=prompt, seed=1000 + number, width=32, height=32, steps=3)
    return replace(base, **changes)


def _answers(engine: ImageEngine, *requests: ImageRequest) -> dict[str, ImageResult]:
    engine.submit(requests)
    return {result.id: result for result in engine.results()}


def test_every_request_gets_pixels_of_its_size(engine: ImageEngine) -> None:
    wide = _request(6, width=48)
    results = _answers(engine, *(_request(k) for k in range(6)), wide)
    assert sorted(results) == [f"r{k}" for k in range(7)]
    assert all(r.error is None and r.flags == [] for r in results.values())
    assert (results["r6"].width, results["r6"].height, len(results["r6"].pixels)) == (48, 32, 48 * 32 * 3)
    assert len({r.pixels for r in results.values()}) == 7


def test_a_picture_does_not_depend_on_neighbours_slot_or_padding(engine: ImageEngine) -> None:
    alone = _answers(engine, _request(0))["r0"]
    first = _answers(engine, *(_request(k) for k in (0, 1, 2, 3)))["r0"]
    last = _answers(engine, *(_request(k) for k in (4, 3, 2, 0)))["r0"]
    padded = _answers(engine, *(_request(k) for k in (3, 0)))["r0"]
    assert alone.pixels == first.pixels == last.pixels == padded.pixels


def test_image_to_image_does_not_depend_on_neighbours_either(engine: ImageEngine, start_picture: bytes) -> None:
    def begun(k: int) -> ImageRequest:
        return _request(k, init_image=start_picture, strength=0.7)

    alone = _answers(engine, begun(0))["r0"]
    among = _answers(engine, begun(2), begun(1), begun(0))
    assert alone.error is None
    assert alone.pixels == among["r0"].pixels
    assert alone.pixels != _answers(engine, _request(0))["r0"].pixels


def test_seed_prompt_negative_prompt_and_guidance_matter(engine: ImageEngine) -> None:
    base = _answers(engine, _request(0))["r0"].pixels
    for change in ({"seed": 5}, {"prompt": "a vase"}, {"negative_prompt": "a table"}, {"guidance": 7.0}):
        assert _answers(engine, _request(0, **change))["r0"].pixels != base, change


def test_requests_may_be_submitted_while_results_run(engine: ImageEngine) -> None:
    seen = []
    engine.submit([_request(0)])
    for result in engine.results():
        seen.append(result.id)
        if result.id == "r0":
            adding = threading.Thread(target=engine.submit, args=([_request(1), _request(2)],))
            adding.start()
            adding.join()
    assert seen == ["r0", "r1", "r2"]
    assert list(engine.results()) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"width": 36}, "multiple of 8"),
        ({"height": 0}, "out of range"),
        ({"height": 2**20}, "out of range"),
        ({"steps": 0}, "steps"),
        ({"init_image": b"no picture at all"}, "cannot be decoded"),
        ({"init_image": b"", "strength": 0.1}, "no step"),
    ],
)
def test_an_impossible_request_gets_a_reason_and_the_others_their_picture(
    engine: ImageEngine, change: dict[str, Any], reason: str
) -> None:
    results = _answers(engine, _request(0, **change), _request(1))
    assert reason in (results["r0"].error or "")
    assert results["r1"].error is None


def test_a_damaged_picture_spares_its_batch(engine: ImageEngine, start_picture: bytes) -> None:
    good = _request(0, init_image=start_picture)
    bad = _request(1, init_image=start_picture[: len(start_picture) // 2])
    alone = _answers(engine, good)["r0"]
    results = _answers(engine, bad, good)
    assert "cannot be decoded" in (results["r1"].error or "")
    assert results["r0"].pixels == alone.pixels


@pytest.fixture
def loaded(tiny_model: Path) -> Any:
    return AutoPipelineForText2Image.from_pretrained(tiny_model, use_safetensors=True, low_cpu_mem_usage=False)


def test_one_bad_item_is_found_by_halving_and_the_rest_stay_as_they_were(
    loaded: Any, engine: ImageEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = _answers(engine, *(_request(k) for k in range(4)))
    encode = loaded.encode_prompt

    def fragile(*args: Any, **kwargs: Any) -> Any:
        prompts = kwargs.get("prompt") or args[0]
        if PROMPTS[2] in prompts:
            raise RuntimeError("cannot spell this")
        return encode(*args, **kwargs)

    monkeypatch.setattr(loaded, "encode_prompt", fragile)
    results = _answers(ImageEngine(loaded, 4), *(_request(k) for k in range(4)))
    assert "cannot spell this" in (results["r2"].error or "")
    assert all(results[k].pixels == wanted[k].pixels for k in ("r0", "r1", "r3"))


def test_out_of_memory_blames_the_batch_and_no_request(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any, **_kwargs: Any) -> Any:
        raise torch.OutOfMemoryError("no more")

    monkeypatch.setattr(loaded, "encode_prompt", full)
    engine = ImageEngine(loaded, 4)
    engine.submit([_request(0)])
    with pytest.raises(EngineOutOfMemoryError, match="smaller batch"):
        list(engine.results())


def test_overflow_is_flagged_for_the_item_that_it_hit(loaded: Any) -> None:
    decode = loaded.vae.decode

    def overflow(latents: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        latents = latents.clone()
        latents[1] = float("nan")
        return decode(latents, *args, **kwargs)

    loaded.vae.decode = overflow
    results = _answers(ImageEngine(loaded, 4), *(_request(k) for k in range(3)))
    assert [results[f"r{k}"].flags for k in range(3)] == [[], ["nan"], []]


def test_a_safety_checkers_word_is_passed_on() -> None:
    class Checked:
        vae_scale_factor = 8

        def __call__(self, prompt: list[str], width: int, height: int, generator: Any, output_type: str) -> Any:
            images = torch.zeros(len(prompt), 3, height, width)
            return SimpleNamespace(images=images, nsfw_content_detected=["vase" in p for p in prompt])

    results = _answers(ImageEngine(Checked(), 2), _request(0), _request(1))
    assert results["r0"].flags == []
    assert results["r1"].flags == ["safety"]
    refused = _answers(ImageEngine(Checked(), 2), _request(0, negative_prompt="rain"))["r0"]
    assert "negative_prompt" in (refused.error or "")


def test_it_opens_through_the_seam_and_closes(tiny_model: Path) -> None:
    spec = EngineSpec(factory="models.image.engine:open", ref=str(tiny_model), options={"batch_size": 2})
    engine = open_engine(spec)
    engine.submit([_request(0)])
    assert next(iter(engine.results())).error is None
    engine.close()
    with pytest.raises(RuntimeError, match="closed"):
        engine.submit([_request(0)])


def test_what_is_no_image_model_is_refused_by_name(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(ModelError, match="no such model folder"):
        image_engine.open(str(tmp_path / "none"))
    with pytest.raises(ModelError, match="no model_index"):
        image_engine.open(str(tiny_model / "unet"))
    (tmp_path / "model_index.json").write_text('{"_class_name": ["mine.py", "Mine"]}')
    (tmp_path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="no pipeline of diffusers' own"):
        image_engine.open(str(tmp_path))
    with pytest.raises(ValueError, match="batch_size"):
        image_engine.open(str(tiny_model), batch_size=0)
