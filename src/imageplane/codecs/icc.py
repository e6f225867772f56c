"""ICC profiles, as far as it takes to know that a picture is sRGB already and needs no conversion."""

import struct
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# ICC.1:2022 encodes XYZ as s15Fixed16; these are the D50-adapted sRGB primaries of IEC 61966-2-1.
_PRIMARIES = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7139)}
_PRIMARY_TOLERANCE = 0.002
_CURVE_TOLERANCE = 0.5 / 255


@lru_cache(maxsize=64)
def is_srgb(profile: bytes) -> bool:
    """Tell whether a profile is sRGB by its primaries and tone curves, whatever its name says.

    Method: the matrix and curve tags of ICC.1:2022 §10 against IEC 61966-2-1; a profile with lookup tables never is.
    """
    try:
        # A curve of a broken profile may overflow, and is then no sRGB curve.
        with np.errstate(all="ignore"):
            return _is_srgb(profile)
    except (struct.error, ValueError, IndexError, KeyError):
        return False


def _is_srgb(profile: bytes) -> bool:
    if profile[16:20] != b"RGB " or profile[36:40] != b"acsp":
        return False
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 100)):
        name, offset, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[name] = profile[offset : offset + size]
    if b"A2B0" in tags:
        return False
    for name, primary in _PRIMARIES.items():
        xyz = struct.unpack_from(">3i", tags[name], 8)
        if any(abs(value / 65536 - wanted) > _PRIMARY_TOLERANCE for value, wanted in zip(xyz, primary, strict=True)):
            return False
    inputs = np.linspace(0, 1, 256)
    wanted = np.where(inputs <= 0.04045, inputs / 12.92, ((inputs + 0.055) / 1.055) ** 2.4)
    # The error that matters is the one seen after the way back through the sRGB curve, so compare encoded values.
    return all(
        bool(np.abs(_encoded(_curve(tags[name], inputs)) - _encoded(wanted)).max() < _CURVE_TOLERANCE)
        for name in (b"rTRC", b"gTRC", b"bTRC")
    )


def _encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(
        np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.clip(linear, 1e-9, None) ** (1 / 2.4) - 0.055)
    )


def _curve(tag: bytes, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return inputs
        table = np.frombuffer(tag, ">u2", count, 12)
        if count == 1:
            return np.asarray(inputs ** (table[0] / 256))
        return np.asarray(np.interp(inputs, np.linspace(0, 1, count), table / 65535))
    if tag[:4] == b"para" and struct.unpack_from(">H", tag, 8)[0] == 3:
        g, a, b, c, d = (value / 65536 for value in struct.unpack_from(">5i", tag, 12))
        return np.asarray(np.where(inputs >= d, np.clip(a * inputs + b, 0, None) ** g, c * inputs))
    raise ValueError("a curve of another kind")
