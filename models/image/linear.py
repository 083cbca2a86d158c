"""A linear start for the small autoencoder: latents are the principal components of blocks of 8 × 8 pixels.

A convolutional encoder spends most of a short training on finding what an eigenvalue problem knows at once. The three
strided layers of the encoder gather each block's 192 numbers, and the last of them projects on the components.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.vae import AutoencoderTinyBlock
from numpy.typing import NDArray
from torch import nn

BLOCK = 8
# Standard deviation of latents: of the first component, and how the others follow their own. Whitening altogether
# would have the denoiser care for faint texture as much as for colour.
FIRST_SPREAD = 1.0
FOLLOWS = 0.15


def principal_components(pixels: NDArray[np.uint8], count: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Mean (192), components (count × 192) and variances (count) of blocks, rows × columns × colours, values 0 to 1."""
    pictures, height, width, _ = pixels.shape
    cut = pixels.reshape(pictures, height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).transpose(0, 1, 3, 2, 4, 5)
    blocks = cut.reshape(-1, BLOCK * BLOCK * 3).astype(np.float32) / 255
    mean = blocks.mean(0)
    variances, vectors = np.linalg.eigh(np.cov((blocks - mean).T))
    return mean, vectors[:, ::-1][:, :count].T.copy(), variances[::-1][:count].copy()


def set_principal_components(encoder: Any, pixels: NDArray[np.uint8]) -> None:
    """Set the weights of an encoder without blocks so that its latents are components of `pixels`, scaled alike."""
    layers: list[Any] = [layer for layer in encoder.layers if isinstance(layer, nn.Conv2d)]
    first, halve, quarter, project, last = layers
    count = last.out_channels
    mean, components, variances = principal_components(pixels, count)
    with torch.no_grad():
        for layer in (first, halve, quarter, project, last):
            layer.weight.zero_()
            if layer.bias is not None:
                layer.bias.zero_()
        for colour in range(3):
            first.weight[colour, colour, 1, 1] = 1
        _gather(halve, 3)
        _gather(quarter, 12)
        # A pixel's row is 4a + 2b + c: `halve` has gathered c, `quarter` b; `project` sees a in its own 2 × 2 taps.
        shaped = torch.from_numpy(components).float().view(count, 2, 2, 2, 2, 2, 2, 3)
        taps = shaped.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(count, 2, 2, 48)
        for row in range(2):
            for column in range(2):
                project.weight[:count, :, 1 + row, 1 + column] = taps[:, row, column]
        spread = FIRST_SPREAD * (variances / variances[0]) ** (FOLLOWS / 2)
        scale = torch.from_numpy(spread / np.sqrt(variances)).float()
        for k in range(count):
            last.weight[k, k, 1, 1] = scale[k]
        last.bias.copy_(-scale * torch.from_numpy(components @ mean).float())


def _gather(layer: nn.Conv2d, channels: int) -> None:
    """Make a strided layer put the four pixels of a 2 × 2 block side by side."""
    for row in range(2):
        for column in range(2):
            for channel in range(channels):
                layer.weight[(row * 2 + column) * channels + channel, channel, 1 + row, 1 + column] = 1


def calm_blocks(decoder: Any) -> None:
    """Start residual blocks as identities and let the layers between them keep the size of what passes."""
    for module in decoder.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.orthogonal_(module.weight, 1.3)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in decoder.modules():
        if isinstance(module, AutoencoderTinyBlock):
            nn.init.zeros_(module.conv[-1].weight)
