"""How alike two pictures are, to numbers and to eyes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

_BORDER_IN_PX = 8
_BLOCK_IN_PX = 16
# For luma of 0 to 1; that of the paper, 170, is for 0 to 255.
_GMSD_CONSTANT = 170 / 255**2


@dataclass(frozen=True, slots=True)
class Likeness:
    """How near a picture comes to the right one.

    Takes: `psnr` in dB and `ssim`, of luma: more is nearer; `gmsd`, how unevenly gradients differ: less is nearer;
    `detail`, the energy of gradients beside that of the right picture: 1 is as much; `texture`, how far block by block
    from as much, as a mean of |log2|: less is nearer.
    """

    psnr: float
    ssim: float
    gmsd: float
    detail: float
    texture: float

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], right: NDArray[np.uint8]) -> "Likeness":
        """Measure (H, W, 3) RGB, but for the border.

        Method: SSIM of Wang et al. 2004; gradient magnitude similarity deviation of Xue et al. 2014. Detail and
        texture stand for what LPIPS tells without its network: whether there is as much to see, in the same places.
        """
        one, other = _luma(pixels), _luma(right)
        error = float(np.mean((one - other) ** 2))
        ssim = structural_similarity(
            one, other, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        steep, right_steep = _steepness(one), _steepness(other)
        similar = (2 * steep * right_steep + _GMSD_CONSTANT) / (steep**2 + right_steep**2 + _GMSD_CONSTANT)
        energy, right_energy = _blocks(steep**2), _blocks(right_steep**2)
        return cls(
            psnr=-10 * float(np.log10(max(error, 1e-10))),
            ssim=float(ssim),
            gmsd=float(similar.std()),
            detail=float(energy.sum() / right_energy.sum()),
            texture=float(np.mean(np.abs(np.log2((energy + 1e-5) / (right_energy + 1e-5))))),
        )


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    inner = pixels[_BORDER_IN_PX:-_BORDER_IN_PX, _BORDER_IN_PX:-_BORDER_IN_PX]
    return np.asarray(inner @ np.array([0.299, 0.587, 0.114]) / 255, np.float64)


def _steepness(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Method: Prewitt, as GMSD has it."""
    rows = luma[:-2] + luma[1:-1] + luma[2:]
    columns = luma[:, :-2] + luma[:, 1:-1] + luma[:, 2:]
    across, down = (rows[:, 2:] - rows[:, :-2]) / 3, (columns[2:] - columns[:-2]) / 3
    return np.asarray(np.hypot(across, down), np.float64)


def _blocks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = (length // _BLOCK_IN_PX for length in values.shape)
    cut = values[: rows * _BLOCK_IN_PX, : columns * _BLOCK_IN_PX]
    return np.asarray(cut.reshape(rows, _BLOCK_IN_PX, columns, _BLOCK_IN_PX).mean(axis=(1, 3)), np.float64)
