"""The starter-copy that ships is a whole, small, safe folder, and writes what the channels ask for."""

from pathlib import Path

import pytest
from safetensors.torch import load_file

from tasks.starters.copy.card import held_out_scores, write_card
from tasks.starters.copy.train import draw, tokenizer_for

SHIPPED = Path(__file__).parents[3] / "models" / "starters" / "copy"
FILES = {
    "README.md", "chat_template.jinja", "config.json", "generation_config.json", "lexicon.txt", "model.safetensors",
    "tokenizer.json", "tokenizer_config.json",
}  # fmt: skip


def test_it_is_whole_small_and_without_pickles():
    assert {path.name for path in SHIPPED.iterdir()} == FILES
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 16_000_000


def test_its_card_tells_scores_and_limits():
    card = (SHIPPED / "README.md").read_text()
    assert "{" not in card
    for heading in ("## Data", "## Recipe", "## Scores", "## Limits"):
        assert heading in card


def test_it_answers_fresh_jobs_in_their_form_and_names_the_product():
    scores = held_out_scores(SHIPPED, seed=123, count=32)
    assert scores["formed"] >= 0.8
    assert scores["named"] >= 0.75
    assert scores["accepted"] >= 0.4


def test_a_card_takes_its_figures_from_the_model(tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).symlink_to(SHIPPED / name)
    figures = {"loss": 1.5, "steps": 7000, "rows": 8, "jobs": 10, "formed": 0.9, "named": 0.8, "accepted": 0.7}
    write_card(tmp_path, **figures, told=0.6, brief=3, note="And so on.", samples="## Ten best")
    card = (tmp_path / "README.md").read_text()
    count = sum(t.numel() for t in load_file(tmp_path / "model.safetensors").values())
    assert f"{count / 1e6:.1f} million parameters" in card
    assert "accepted by all rules, first attempt | 70% |" in card
    assert "7,000 steps of 8 examples, short ones during the first 3" in card
    assert card.endswith("## Ten best\n")


@pytest.fixture(scope="module")
def tokenizer():
    return tokenizer_for(seed=0, count=400)


def test_the_fixed_lines_of_a_prompt_are_single_tokens(tokenizer):
    chat, _ = draw(seed=0, step=900, rows=1)[0]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    pieces = [tokenizer.decode([i]) for i in tokenizer(text, add_special_tokens=False)["input_ids"]]
    assert chat[0]["content"] in pieces
    assert any(piece.startswith("\nAnswer ") and len(piece) > 30 for piece in pieces)


def test_a_step_draws_the_same_examples_every_time():
    assert draw(0, 3, 4) == draw(0, 3, 4)
    assert draw(0, 3, 4) != draw(0, 4, 4)
    assert draw(0, 3, 4) != draw(1, 3, 4)
