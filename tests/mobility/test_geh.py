"""GEH by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldt_toolbox.errors import DataError
from ldt_toolbox.mobility.geh import geh, share_within

FLOW = st.floats(0, 1e5)


def test_by_hand():
    """1,000 modelled, 900 counted: sqrt(2 * 100^2 / 1900) = 3.24."""
    found = geh([1000, 100, 0, 5], [900, 0, 0, np.nan])
    assert found[:3].tolist() == pytest.approx([np.sqrt(20000 / 1900), np.sqrt(200), 0])
    assert np.isnan(found[3])
    # of three known pairs two are below 5
    assert share_within([1000, 100, 0, 5], [900, 0, 0, np.nan]) == pytest.approx(2 / 3)
    assert np.isnan(share_within([np.nan], [1]))


@given(FLOW, FLOW)
def test_symmetric_and_zero_where_equal(model, count):
    assert geh(model, count) == pytest.approx(geh(count, model))
    assert geh(model, model) == 0
    assert geh(model, count) >= 0


def test_negative_flows_are_refused():
    with pytest.raises(DataError, match="negative"):
        geh([1, -1], [1, 1])
