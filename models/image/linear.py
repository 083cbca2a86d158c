"""A linear start for the small autoencoder: latents are principal components of blocks of 16 × 16 pixels.

A convolutional encoder spends most of a short training on finding what an eigenvalue problem knows at once. The
strided layers of the encoder gather each block of 4 × 4 pixels whole, keep the principal components of blocks of 8 × 8,
and then those of four such blocks together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

HALF = 8
BLOCK = 16
# Standard deviation of latents: of the first component, and how the others follow their own (0: not at all, 1: wholly).
# Faint texture is then drowned by noise first, as in pixels, so that a picture is made from coarse to fine.
FIRST_SPREAD = 1.0
FOLLOWS = 0.5


def blocks(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """Blocks of side × side as rows of numbers, a block's rows × columns × channels: all blocks × numbers."""
    pictures, height, width, channels = pixels.shape
    cut = pixels.reshape(pictures, height // side, side, width // side, side, channels).transpose(0, 1, 3, 2, 4, 5)
    return cut.reshape(-1, side * side * channels)


def components(rows: NDArray[Any], count: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean, components (count × numbers) and variances (count) of rows of numbers."""
    mean = rows.mean(0)
    variances, vectors = np.linalg.eigh(np.cov((rows - mean).T))
    return mean, vectors[:, ::-1][:, :count].T.copy(), variances[::-1][:count].copy()


def set_principal_components(encoder: Any, pixels: NDArray[np.uint8]) -> None:
    """Set the weights of an encoder without blocks so that its latents are components of `pixels` (count × height ×
    width × 3), each centred and scaled."""
    layers: list[Any] = [layer for layer in encoder.layers if isinstance(layer, nn.Conv2d)]
    first, halve, quarter, eighth, project, last = layers
    width, count = first.out_channels, last.out_channels
    pictures, rows, columns, _ = pixels.shape
    inner_rows = blocks(pixels.astype(np.float32) / 255, HALF)
    _, inner, _ = components(inner_rows, width)
    halves = (inner_rows @ inner.T).reshape(pictures, rows // HALF, columns // HALF, width)
    mean, outer, variances = components(blocks(halves, BLOCK // HALF), count)
    with torch.no_grad():
        for layer in layers:
            layer.weight.zero_()
            if layer.bias is not None:
                layer.bias.zero_()
        for colour in range(3):
            first.weight[colour, colour, 1, 1] = 1
        _gather(halve, 3)
        _gather(quarter, 12)
        # A pixel's row is 4a + 2b + c: `halve` has gathered c, `quarter` b; `eighth` sees a in its own 2 × 2 taps.
        shaped = torch.from_numpy(inner).float().view(width, 2, 2, 2, 2, 2, 2, 3)
        taps = shaped.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(width, 2, 2, 48)
        eighth.weight[:, :48, 1:, 1:] = taps.permute(0, 3, 1, 2)
        project.weight[:count, :, 1:, 1:] = torch.from_numpy(outer).float().view(count, 2, 2, width).permute(0, 3, 1, 2)
        spread = FIRST_SPREAD * (variances / variances[0]) ** (FOLLOWS / 2)
        scale = torch.from_numpy(spread / np.sqrt(variances)).float()
        for k in range(count):
            last.weight[k, k, 1, 1] = scale[k]
        last.bias.copy_(-scale * torch.from_numpy(outer @ mean).float())


def _gather(layer: nn.Conv2d, channels: int) -> None:
    """Make a strided layer put the four pixels of a 2 × 2 block side by side."""
    for row in range(2):
        for column in range(2):
            for channel in range(channels):
                layer.weight[(row * 2 + column) * channels + channel, channel, 1 + row, 1 + column] = 1
