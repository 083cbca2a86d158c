"""How good are the models that ship? `python -m benchmarks.starters` prints their tables.

    python -m benchmarks.starters [--copy] [--image] [--copy-model FOLDER...] [--image-model FOLDER...]
                                  [--catalogue CSV]... [--specs N] [--samples N] [--attempts N] …

Without `--copy` or `--image` it does both. Copy: held-out jobs of another generator than the training data's, and
catalogues; the first attempts through the real prompt, engine, parser and rules, with a grammar checker if there is
one. Images: held-out prompts, read by a classifier that is trained on other renders. README.md has all definitions.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from transformers.utils import logging as transformers_logging

from tasks.settings import Settings

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copy", action="store_true", help="only starter-copy (and what else is named)")
    parser.add_argument("--image", action="store_true", help="only starter-image (and what else is named)")
    parser.add_argument("--seed", type=int, default=2_611, help="of held-out jobs, prompts and texts")
    parser.add_argument("--samples", type=int, default=0, help="print so many texts, best and worst")
    parser.add_argument("--threads", type=int, default=1, help="of torch: two on a busy machine are slower than one")
    parser.add_argument("--out", type=Path, default=Path("out") / "starters", help="judges, sheets and texts go here")
    own = Settings.model_fields
    copy = parser.add_argument_group("copy")
    shipped = ROOT / "models" / "starters"
    copy.add_argument("--copy-model", type=Path, nargs="+", default=[shipped / "copy"], help="folders, side by side")
    copy.add_argument("--catalogue", type=Path, action="append", default=[], help="a Shopify export; may be repeated")
    copy.add_argument("--specs", type=int, default=300, help="held-out jobs")
    copy.add_argument("--variants", type=int, default=3)
    copy.add_argument("--attempts", type=int, default=1, help="tries an item has; the measures are of the first")
    copy.add_argument("--drafts", type=int, default=own["copy_drafts"].default, help="of a text at most")
    copy.add_argument("--unread", action="store_true", help="write without proof-reading, as plain transformers would")
    copy.add_argument("--temperature", type=float, help="instead of the jobs' own")
    image = parser.add_argument_group("image")
    image.add_argument("--image-model", type=Path, nargs="+", default=[shipped / "image"], help="one after the other")
    image.add_argument("--prompts", type=int, default=300, help="a third of them of combinations never trained")
    image.add_argument("--steps", type=int, default=own["image_steps"].default)
    image.add_argument("--guidance", type=float, default=own["image_guidance"].default)
    image.add_argument("--judge-pictures", type=int, default=9_000, help="renders that the judge learns from")
    image.add_argument("--judge-epochs", type=int, default=20)
    image.add_argument("--workers", type=int, default=2, help="processes that render")
    image.add_argument("--training-scenes", type=int, default=20_000, help="square scenes that the model learnt from")
    args = parser.parse_args()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.copy or not args.image:
        from benchmarks.starter_judges.report_copy import report_copy

        report_copy(args)
    if args.image or not args.copy:
        from benchmarks.starter_judges.report_image import report_image

        report_image(args)


if __name__ == "__main__":
    main()
