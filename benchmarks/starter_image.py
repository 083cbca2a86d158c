"""How well starter-image does what its prompts say, and how fast.

    python benchmarks/starter_image.py [--model FOLDER] [--count 200] [--out FOLDER] [--judge]

Asks for combinations of product, colour and material that training never showed, and for as many that it did, writes a
contact sheet of each, and prints pictures a second. With `--judge`, a classifier trained on renders of another seed
(a few minutes; kept in the output folder) says how often product, colour, material and setting are as asked. The same
classifier's accuracy on fresh renders is the ceiling.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from models.engine import ImageRequest
from models.image.engine import open as open_engine
from models.image.train import as_tensor
from tasks.starters.image import vocabulary as words
from tasks.starters.image.scene import Scene, caption, draw_scene, render

LABELS = {
    "product": list(words.PRODUCTS),
    "colour": list(words.COLOURS),
    "material": list(words.MATERIALS),
    "setting": list(words.SETTINGS),
}
COLUMNS = 12
JUDGE_SEED, TEST_SEED, ASK_SEED = 7_001, 7_002, 7_003


class Judge(nn.Module):
    """A small convolutional classifier with one head per attribute."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 64, 96, 128)
        self.body = nn.Sequential(
            *(
                layer
                for one, two in itertools.pairwise(widths)
                for layer in (nn.Conv2d(one, two, 3, stride=2, padding=1), nn.BatchNorm2d(two), nn.ReLU())
            ),
            nn.Flatten(),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(128 * 16, len(values)) for name, values in LABELS.items()})

    def forward(self, pixels: torch.Tensor) -> dict[str, torch.Tensor]:
        seen = self.body(pixels)
        return {name: head(seen) for name, head in self.heads.items()}


def scenes(count: int, seed: int, *, held_out: bool | None) -> list[tuple[Scene, np.random.Generator]]:
    """Scenes with the generators that go on drawing them; `held_out` None mixes both kinds."""
    drawn = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        drawn.append((draw_scene(rng, held_out=index % 2 == 0 if held_out is None else held_out), rng))
    return drawn


def labels_of(some: list[Scene]) -> dict[str, torch.Tensor]:
    return {name: torch.tensor([values.index(getattr(s, name)) for s in some]) for name, values in LABELS.items()}


def train_judge(path: Path, pictures: int, epochs: int) -> Judge:
    """Train on renders of every combination, or load what an earlier call trained."""
    judge = Judge()
    if path.exists():
        judge.load_state_dict(torch.load(path, weights_only=True))
        return judge.eval()
    torch.manual_seed(0)
    drawn = scenes(pictures, JUDGE_SEED, held_out=None)
    pixels = np.stack([render(scene, rng) for scene, rng in drawn])
    wanted = labels_of([scene for scene, _ in drawn])
    steps = epochs * pictures // 64
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    rng = np.random.default_rng(0)
    for _ in range(steps):
        chosen = rng.integers(pictures, size=64)
        seen = judge(_jitter(as_tensor(pixels[chosen])))
        loss = sum(F.cross_entropy(seen[name], wanted[name][chosen]) for name in LABELS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    torch.save(judge.state_dict(), path)
    return judge.eval()


def _jitter(pixels: torch.Tensor) -> torch.Tensor:
    """Blur some and shift all a little, so that the judge looks at shapes and not at how crisp a render is."""
    if torch.rand(()) < 0.5:
        pixels = F.avg_pool2d(F.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, 1)
    dx, dy = torch.randint(-3, 4, (2,)).tolist()
    return torch.roll(pixels, (dx, dy), (2, 3)) + 0.03 * torch.randn_like(pixels)


def accuracy(judge: Judge, pixels: np.ndarray, wanted: dict[str, torch.Tensor]) -> dict[str, float]:
    """Share of pictures whose attribute the judge reads as wanted; `product+colour` needs both."""
    with torch.no_grad():
        seen = judge(as_tensor(pixels))
    right = {name: seen[name].argmax(1) == wanted[name] for name in LABELS}
    right["product+colour"] = right["product"] & right["colour"]
    return {name: hits.float().mean().item() for name, hits in right.items()}


def write_sheet(path: Path, pixels: np.ndarray) -> None:
    """The pictures side by side, twice their size."""
    rows = -(-len(pixels) // COLUMNS)
    _, height, width, _ = pixels.shape
    sheet = np.zeros((rows * height, COLUMNS * width, 3), np.uint8)
    for index, picture in enumerate(pixels):
        row, column = divmod(index, COLUMNS)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = picture
    Image.fromarray(sheet).resize((sheet.shape[1] * 2, sheet.shape[0] * 2), Image.Resampling.LANCZOS).save(path)


def generate(model: Path, drawn: list[tuple[Scene, np.random.Generator]], steps: int, guidance: float) -> np.ndarray:
    """Ask the engine for the scenes' full captions; prints how fast it answers."""
    engine = open_engine(str(model), "cpu", "float32", batch_size=8)
    requests = [
        ImageRequest(id=str(k), prompt=caption(scene, rng, full=True), seed=k, steps=steps, guidance=guidance)
        for k, (scene, rng) in enumerate(drawn)
    ]
    engine.submit(requests)
    started, used = time.perf_counter(), time.process_time()
    answers = {int(result.id): result for result in engine.results()}
    wall, cpu = time.perf_counter() - started, time.process_time() - used
    print(f"{len(drawn)} pictures, {len(drawn) / wall:.1f} a second ({len(drawn) / cpu:.1f} a CPU second)", flush=True)
    engine.close()
    return np.stack([np.frombuffer(answers[k].pixels, np.uint8).reshape(64, 64, 3) for k in range(len(drawn))])


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "models" / "starters" / "image")
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind, seen and held out")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--out", type=Path, default=Path("scratch") / "starter-image")
    parser.add_argument("--judge", action="store_true")
    parser.add_argument("--judge-pictures", type=int, default=8_000)
    parser.add_argument("--judge-epochs", type=int, default=6)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    judge = None
    if args.judge:
        judge = train_judge(args.out / "judge.pt", args.judge_pictures, args.judge_epochs)
        fresh = scenes(args.count, TEST_SEED, held_out=None)
        pixels = np.stack([render(scene, rng) for scene, rng in fresh])
        _report("ceiling: fresh renders", accuracy(judge, pixels, labels_of([scene for scene, _ in fresh])))
    for name, held_out in (("held out", True), ("seen", False)):
        drawn = scenes(args.count, ASK_SEED, held_out=held_out)
        pixels = generate(args.model, drawn, args.steps, args.guidance)
        write_sheet(args.out / f"sheet-{name.replace(' ', '-')}.png", pixels[: 6 * COLUMNS])
        if judge is not None:
            _report(name, accuracy(judge, pixels, labels_of([scene for scene, _ in drawn])))


def _report(name: str, shares: dict[str, float]) -> None:
    print(f"{name:24}" + "  ".join(f"{label} {share:.0%}" for label, share in shares.items()), flush=True)


if __name__ == "__main__":
    main()
