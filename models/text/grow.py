"""Begin a model from a smaller or older one: more layers, another tokenizer, the same answers at first.

A layer that is put in adds nothing until it has learnt (its outputs begin at zero; Chen et al. 2016, Net2Net,
https://arxiv.org/abs/1511.05641). A token that the older tokenizer lacks begins as the mean of the tokens it was
written with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


def begin_from(
    folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, *, sharpened: float = 1.0
) -> None:
    """Set `model`'s weights from the model in `folder`, whose scores were scaled by `sharpened` on saving.

    Raises:
        ValueError: the folder's model is wider or deeper than `model`, or not of its kind.
    """
    older = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True, use_safetensors=True)
    ours, theirs = model.config, older.config
    shape = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")
    if any(getattr(ours, name) != getattr(theirs, name) for name in shape):
        raise ValueError(f"the model in {folder} has another width; begin from one of the same")
    places = _places(theirs.num_hidden_layers, ours.num_hidden_layers)
    older_tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    with torch.no_grad():
        model.model.norm.weight.copy_(older.model.norm.weight / sharpened)
        for place, layer in zip(places, older.model.layers, strict=True):
            model.model.layers[place].load_state_dict(layer.state_dict())
        for place in set(range(ours.num_hidden_layers)) - set(places):
            fresh: Any = model.model.layers[place]
            fresh.self_attn.o_proj.weight.zero_()
            fresh.mlp.down_proj.weight.zero_()
        _set_embeddings(model, tokenizer, older, older_tokenizer)


def _places(fewer: int, more: int) -> list[int]:
    """Where each of the older layers goes: first and last keep their ends, the others are spread between."""
    if fewer > more:
        raise ValueError(f"the older model has {fewer} layers, the new one {more}; take at least as many")
    return [round(i * (more - 1) / max(1, fewer - 1)) for i in range(fewer)]


def _set_embeddings(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    older: LlamaForCausalLM,
    older_tokenizer: PreTrainedTokenizerFast,
) -> None:
    known, weights = older_tokenizer.get_vocab(), older.model.embed_tokens.weight
    for token, place in tokenizer.get_vocab().items():
        if token in known:
            model.model.embed_tokens.weight[place] = weights[known[token]]
        elif pieces := older_tokenizer(tokenizer.decode([place]), add_special_tokens=False)["input_ids"]:
            model.model.embed_tokens.weight[place] = weights[pieces].mean(0)
    model.tie_weights()
