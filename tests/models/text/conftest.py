"""Small real models with random weights: a chat tokenizer and a few architectures."""

import pytest
import torch
from transformers import AutoModelForCausalLM, GemmaConfig, LlamaConfig, MistralConfig, Qwen3Config

from models.text.tokenizer import train_tokenizer

SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
         "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 256}  # fmt: skip
CONFIGS = {
    "llama": (LlamaConfig, {}),
    "qwen3": (Qwen3Config, {}),
    "gemma": (GemmaConfig, {}),
    "mistral-sliding": (MistralConfig, {"sliding_window": 8}),
}


@pytest.fixture(scope="session")
def tokenizer():
    words = ["mug", "lamp", "chair", "warm", "bright", "says hello", "to the", "garden", "Fern", "Kolm"]
    return train_tokenizer([f"{a} {b}." for a in words for b in words], vocab_size=400)


@pytest.fixture(scope="session")
def make_model(tmp_path_factory, tokenizer):
    """make_model(architecture) → folder of such a model, written once."""
    made = {}

    def make(architecture="llama"):
        if architecture not in made:
            torch.manual_seed(7)
            config_class, extra = CONFIGS[architecture]
            config = config_class(
                vocab_size=len(tokenizer), pad_token_id=0, bos_token_id=1, eos_token_id=2, initializer_range=0.3,
                **SIZES | extra,
            )  # fmt: skip
            folder = tmp_path_factory.mktemp(architecture)
            AutoModelForCausalLM.from_config(config).save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            made[architecture] = folder
        return made[architecture]

    return make
