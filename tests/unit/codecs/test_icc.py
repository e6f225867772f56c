"""A profile is sRGB by what it says, not by its name."""

import struct

import colors
import encoded
import numpy as np
import pytest
import pyvips
from PIL import ImageCms

from imageplane.codecs.icc import is_srgb


def built_in(name: str) -> bytes:
    return bytes(pyvips.Operation.call("profile_load", name))


PILLOW_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


@pytest.mark.parametrize("profile", [PILLOW_SRGB, built_in("srgb")], ids=["lcms", "libvips"])
def test_srgb_by_any_maker(profile: bytes) -> None:
    assert is_srgb(profile)


@pytest.mark.parametrize(
    "profile",
    [
        built_in("p3"),
        built_in("cmyk"),
        LAB,
        encoded.matrix_profile(colors.DISPLAY_P3, 2.2),
        encoded.matrix_profile(colors.ADOBE_RGB, 2.19921875),
        # The right primaries under the wrong curve are still not sRGB.
        encoded.matrix_profile(colors.SRGB, 1.8),
        encoded.matrix_profile(colors.SRGB, 2.2),
    ],
    ids=["p3", "cmyk", "lab", "p3-2.2", "adobe", "srgb-1.8", "srgb-2.2"],
)
def test_what_is_not_srgb(profile: bytes) -> None:
    assert not is_srgb(profile)


def test_an_srgb_profile_under_another_name_counts() -> None:
    assert is_srgb(PILLOW_SRGB.replace(b"sRGB", b"Fred"))


@pytest.mark.parametrize("table", [256, 1024])
def test_the_srgb_curve_as_a_table(table: int) -> None:
    inputs = np.linspace(0, 1, table)
    linear = np.where(inputs <= 0.04045, inputs / 12.92, ((inputs + 0.055) / 1.055) ** 2.4)
    curve = b"curv\0\0\0\0" + struct.pack(">I", table) + np.rint(linear * 65535).astype(">u2").tobytes()
    assert is_srgb(with_curve(curve))
    assert not is_srgb(with_curve(curve[: 12 + table]))


def with_curve(curve: bytes) -> bytes:
    """Give a profile of the sRGB primaries whose three curves are this one, put behind the rest."""
    profile = encoded.matrix_profile(colors.SRGB, 2.2)
    tags = bytearray(profile)
    for index in range(struct.unpack_from(">I", profile, 128)[0]):
        at = 132 + 12 * index
        if profile[at + 1 : at + 4] == b"TRC":
            struct.pack_into(">II", tags, at + 4, len(profile), len(curve))
    return bytes(tags) + curve


def test_a_broken_profile_is_no_srgb_and_no_crash() -> None:
    assert not is_srgb(b"")
    chance = np.random.default_rng(121)
    for length in (1, 40, 127, 128, 131, 133, 200, 300):
        assert not is_srgb(PILLOW_SRGB[:length])
    for _ in range(300):
        lying = bytearray(PILLOW_SRGB)
        for at in chance.integers(0, len(lying), 4):
            lying[at] = chance.integers(0, 256)
        is_srgb(bytes(lying))
    for _ in range(200):
        is_srgb(PILLOW_SRGB[:128] + chance.bytes(300))
