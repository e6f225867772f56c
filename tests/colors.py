"""Color arithmetic in NumPy, written from the standards and independent of libvips and lcms."""

import numpy as np

# Columns red, green, blue in CIE XYZ, adapted to D50 by Bradford.
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
DISPLAY_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
ADOBE_RGB = np.array([[0.60974, 0.20528, 0.14919], [0.31111, 0.62567, 0.06322], [0.01947, 0.06087, 0.74457]])


def to_srgb(pixels: np.ndarray, primaries: np.ndarray, gamma: float) -> np.ndarray:
    """Convert (H, W, 3) uint8 of a display color space to float sRGB of 0 to 255, clipped to its gamut."""
    linear = (pixels / 255.0) ** gamma
    seen = np.clip(linear @ primaries.T @ np.linalg.inv(SRGB).T, 0, 1)
    return np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055) * 255
