"""Land surface temperature from Landsat 8 and 9, Collection 2 Level 2."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ldt_toolbox.errors import DataError, ParameterError

ST_SCALE_K = 0.00341802
"""Kelvin per digital number of band ST_B10 (USGS Collection 2 Level 2)."""

ST_OFFSET_K = 149.0
"""Kelvin at digital number 0 of band ST_B10 (USGS Collection 2 Level 2)."""

ST_QA_SCALE_K = 0.01
"""Kelvin per digital number of band ST_QA, the uncertainty of the surface temperature."""

_ST_QA_FILL = -9999
# QA_PIXEL: bit 0 fill, 1 dilated cloud, 2 cirrus, 3 cloud, 4 cloud shadow
_UNUSABLE = 0b11111


def surface_temperature(
    dn: ArrayLike,
    qa_pixel: ArrayLike,
    *,
    st_qa: ArrayLike | None = None,
    max_st_qa_k: float = 5.0,
) -> NDArray[np.float32]:
    """Turn digital numbers of band ST_B10 into kelvin and drop what cannot be trusted.

    Parameters
    ----------
    dn : array-like of integers, shape (rows, columns)
        Band ST_B10; 0 is fill.
    qa_pixel : array-like of integers, same shape
        Band QA_PIXEL. Fill, cloud, dilated cloud, cirrus and cloud shadow are dropped.
    st_qa : array-like of integers, same shape, optional
        Band ST_QA; pixels less certain than ``max_st_qa_k`` and its fill (-9999) are dropped.
    max_st_qa_k : float
        Largest uncertainty kept, K.

    Returns
    -------
    numpy.ndarray of float32, same shape
        Land surface temperature, K; NaN where dropped. This is the temperature of roofs, crowns
        and streets as seen from above, not of the air.

    Raises
    ------
    DataError
        If shapes differ, or if a band holds no whole numbers (then it was scaled before).
    ParameterError
        If ``max_st_qa_k`` is not above 0.

    Notes
    -----
    USGS, Landsat 8-9 Collection 2 Level 2 science product guide; Ermida et al. 2020,
    10.3390/rs12091471, for the masking.
    """
    if not max_st_qa_k > 0:
        raise ParameterError(f"max_st_qa_k is {max_st_qa_k}; give an uncertainty above 0 K")
    number = _band(dn, "ST_B10", None)
    quality = _band(qa_pixel, "QA_PIXEL", number.shape)
    usable = (number != 0) & ((quality & _UNUSABLE) == 0)
    if st_qa is not None:
        uncertainty = _band(st_qa, "ST_QA", number.shape)
        usable &= (uncertainty != _ST_QA_FILL) & (uncertainty * ST_QA_SCALE_K <= max_st_qa_k)
    kelvin = number * ST_SCALE_K + ST_OFFSET_K
    return np.where(usable, kelvin, np.nan).astype(np.float32)


def composite(
    scenes: Sequence[NDArray[np.floating]],
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Take the median over scenes, pixel by pixel, and say how many scenes stand behind it.

    Parameters
    ----------
    scenes : sequence of numpy.ndarray, each of shape (rows, columns)
        Surface temperatures on one grid, K; NaN where dropped.

    Returns
    -------
    median : numpy.ndarray of float32, shape (rows, columns)
        K; NaN where no scene is usable.
    count : numpy.ndarray of int32, shape (rows, columns)
        Usable scenes per pixel.

    Raises
    ------
    DataError
        If there is no scene or if shapes differ.
    """
    if not len(scenes):
        raise DataError("no scene to composite: choose a longer period or allow more cloud")
    shapes = {scene.shape for scene in scenes}
    if len(shapes) > 1:
        raise DataError(
            f"scenes have shapes {sorted(shapes)}: bring them to one grid before compositing"
        )
    # missing values sort to the end, so that the median lies at the middle of the first `count`
    ordered = np.sort(np.stack([np.asarray(s, dtype=np.float32) for s in scenes]), axis=0)
    count = np.isfinite(ordered).sum(axis=0, dtype=np.int32)
    low = np.maximum(count - 1, 0) // 2
    high = np.minimum(count // 2, len(scenes) - 1)
    lower = np.take_along_axis(ordered, low[None], axis=0)[0]
    upper = np.take_along_axis(ordered, high[None], axis=0)[0]
    median = np.where(count > 0, (lower + upper) / np.float32(2), np.float32(np.nan))
    return median.astype(np.float32), count


def _band(values: ArrayLike, name: str, shape: tuple[int, ...] | None) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise DataError(
            f"band {name} holds {array.dtype}, whole digital numbers are needed: "
            "read it without applying scale and offset"
        )
    if shape is not None and array.shape != shape:
        raise DataError(
            f"band {name} has shape {array.shape}, ST_B10 has {shape}: read the same window of both"
        )
    return array.astype(np.int64)
