"""Rebuilding starter-image, as short as can be."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.engine import ImageRequest
from models.image import native
from models.image.engine import open as open_engine
from tasks.starters.image.scene import SIZES
from tasks.starters.image.train import CARD, train_starter_image


def test_a_smoke_training_makes_a_model_that_draws_at_every_size(tmp_path: Path) -> None:
    said: list[str] = []
    train_starter_image(tmp_path / "model", smoke=True, log=said.append)
    assert (tmp_path / "model" / "README.md").read_text() == CARD.read_text()
    assert native.read(tmp_path / "model") == SIZES
    assert [path.name for path in tmp_path.iterdir()] == ["model"], "scenes and checkpoints are tidied away"
    assert any("decoder: step 10/10" in line for line in said)
    assert any("denoiser: step 10/10" in line for line in said)
    engine = open_engine(str(tmp_path / "model"), batch_size=2)
    asked = [(128, 128), (192, 128), (128, 192), (512, 512), (64, 64)]
    engine.submit(
        [
            ImageRequest(id=str(at), prompt="a photo of a red mug", seed=1, steps=2, width=width, height=height)
            for at, (width, height) in enumerate(asked)
        ]
    )
    results = {int(result.id): result for result in engine.results()}
    for at, (width, height) in enumerate(asked):
        assert results[at].error is None
        assert not results[at].flags
        assert len(results[at].pixels) == width * height * 3
        assert np.frombuffer(results[at].pixels, np.uint8).std() > 1
