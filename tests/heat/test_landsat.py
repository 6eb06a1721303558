import numpy as np
import pytest
from ldt_toolbox.errors import DataError, ParameterError
from ldt_toolbox.heat.landsat import composite, surface_temperature

CLEAR = 21824  # QA_PIXEL of a clear land pixel in Collection 2


def test_scaling_of_the_product_guide():
    # 44000 x 0.00341802 + 149.0 = 299.39288
    kelvin = surface_temperature(np.uint16([[44000]]), np.uint16([[CLEAR]]))
    assert kelvin.dtype == np.float32
    assert kelvin[0, 0] == pytest.approx(299.39288, abs=2e-5)  # float32 at 300


@pytest.mark.parametrize("bit", [0, 1, 2, 3, 4])
def test_each_quality_bit_drops_its_pixel(bit):
    quality = np.uint16([[CLEAR, CLEAR | (1 << bit)]])
    kelvin = surface_temperature(np.uint16([[44000, 44000]]), quality)
    assert np.isfinite(kelvin).tolist() == [[True, False]]


def test_other_quality_bits_do_not_drop():
    for bit in (5, 6, 7, 8, 9):  # snow, clear, water, cloud confidence
        assert np.isfinite(surface_temperature(np.uint16([44000]), np.uint16([1 << bit])))


def test_fill_and_uncertainty():
    dn = np.uint16([0, 44000, 44000, 44000, 44000])
    quality = np.full(5, CLEAR, np.uint16)
    st_qa = np.int16([100, 500, 501, -9999, 100])
    kelvin = surface_temperature(dn, quality, st_qa=st_qa)
    assert np.isfinite(kelvin).tolist() == [False, True, False, False, True]
    strict = surface_temperature(dn, quality, st_qa=st_qa, max_st_qa_k=2)
    assert np.isfinite(strict).tolist() == [False, False, False, False, True]


def test_errors_name_band_and_next_step():
    clear = np.full((2, 2), CLEAR, np.uint16)
    with pytest.raises(DataError, match=r"ST_B10 holds float64.*scale"):
        surface_temperature(np.full((2, 2), 300.0), clear)
    with pytest.raises(DataError, match=r"QA_PIXEL has shape \(2, 2\)"):
        surface_temperature(np.ones((3, 2), np.uint16), clear)
    with pytest.raises(ParameterError, match="max_st_qa_k is 0"):
        surface_temperature(clear, clear, max_st_qa_k=0)


def test_composite_equals_a_median_pixel_by_pixel():
    rng = np.random.default_rng(3)
    stack = rng.normal(300, 5, (7, 11, 13)).astype(np.float32)
    stack[rng.random(stack.shape) < 0.5] = np.nan
    stack[:, 0, 0] = np.nan
    stack[:, 0, 1] = 301
    median, count = composite(list(stack))
    for row in range(11):
        for column in range(13):
            values = stack[:, row, column]
            values = values[np.isfinite(values)]
            assert count[row, column] == values.size
            if values.size:
                assert median[row, column] == np.median(values)
            else:
                assert np.isnan(median[row, column])
    assert count[0, 0] == 0
    assert count[0, 1] == 7
    assert count.min() == 0
    assert (count == 1).any()  # odd, even, single and none all occur


def test_composite_refuses_nothing_and_mixed_grids():
    with pytest.raises(DataError, match="no scene"):
        composite([])
    with pytest.raises(DataError, match=r"\(2, 2\), \(3, 2\)"):
        composite([np.zeros((2, 2)), np.zeros((3, 2))])
