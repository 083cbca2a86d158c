"""A linear encoder: latents are the principal components of blocks of 16 × 16 pixels.

A convolutional encoder spends most of a short training on finding what an eigenvalue problem knows at once. Every stage
of the encoder here only lays the pixels of a square side by side as channels; the last layer keeps their components.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

BLOCK = 16
# Standard deviation of latents: of the first component, and how the others follow their own (0: not at all, 1: wholly).
# Faint texture is then drowned by noise first, as in pixels, so that a picture is made from coarse to fine.
FIRST_SPREAD = 1.0
FOLLOWS = 0.5


def blocks(pixels: NDArray[Any]) -> NDArray[Any]:
    """Blocks of BLOCK × BLOCK (all blocks × 3 · BLOCK²), each in the order in which halving stages lay its pixels."""
    pictures, height, width, channels = pixels.shape
    cut = pixels.reshape(pictures, height // BLOCK, BLOCK, width // BLOCK, BLOCK, channels)
    cut = cut.transpose(0, 1, 3, 5, 2, 4).reshape(-1, channels, BLOCK, BLOCK)
    laid = torch.from_numpy(np.ascontiguousarray(cut))
    while laid.shape[-1] > 1:
        laid = nn.functional.pixel_unshuffle(laid, 2)
    return laid.flatten(1).numpy()


def components(rows: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean, components (count × numbers) and variances (count) of rows of numbers."""
    mean = rows.mean(0)
    variances, vectors = np.linalg.eigh(np.cov((rows - mean).T))
    return mean, vectors[:, ::-1][:, :count].T.copy(), variances[::-1][:count].copy()


def set_principal_components(encoder: Any, pixels: NDArray[np.uint8]) -> None:
    """Set the weights of an encoder of halving stages so that its latents are components of `pixels` (count × height ×
    width × 3), each centred and scaled."""
    count = encoder.conv_out.out_channels
    mean, vectors, variances = components(blocks(pixels.astype(np.float32) / 127.5 - 1), count)
    spread = FIRST_SPREAD * (variances / variances[0]) ** (FOLLOWS / 2)
    set_linear(encoder, vectors * (spread / np.sqrt(variances))[:, None], mean)


def set_linear(encoder: Any, matrix: NDArray[Any], mean: NDArray[Any]) -> None:
    """Make the latents of a block x, laid out as `blocks` does and -1 to 1, `matrix` · (x − mean)."""
    with torch.no_grad():
        # Without convolutions and residual branches, what remains of a stage is its shortcut: pixels side by side.
        for layer in encoder.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.zero_()
                if layer.bias is not None:
                    layer.bias.zero_()
        for colour in range(3):
            encoder.conv_in.weight[colour, colour, 1, 1] = 1
        taps = torch.from_numpy(np.asarray(matrix, np.float32))
        encoder.conv_out.weight[:, :, 1, 1] = taps
        encoder.conv_out.bias.copy_(-taps @ torch.from_numpy(np.asarray(mean, np.float32)))
