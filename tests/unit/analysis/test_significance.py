"""Intervals and tests against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from cifar_core.analysis.significance import mcnemar, wilson_interval


@pytest.mark.parametrize("images", [1, 2, 17, 200, 10_000])
def test_wilson_interval(images: int) -> None:
    for hits in sorted({0, 1, images // 3, images // 2, images - 1, images}):
        expected = stats.binomtest(hits, images).proportion_ci(method="wilson")
        assert wilson_interval(hits, images) == pytest.approx(expected, abs=1e-12)


def outcomes(both: int, neither: int, only_first: int, only_second: int) -> list[np.ndarray]:
    """Hits of two networks, shuffled alike."""
    pairs = np.repeat(
        [[True, True], [False, False], [True, False], [False, True]],
        [both, neither, only_first, only_second],
        axis=0,
    )
    return list(np.random.default_rng(0).permutation(pairs).T)


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(0, 0), (1, 0), (3, 3), (2, 9), (0, 24), (14, 10), (12, 12)]
)
def test_few_discordant_images_get_the_exact_test(only_first: int, only_second: int) -> None:
    found = mcnemar(*outcomes(40, 5, only_first, only_second))
    assert found.exact
    assert (found.both, found.neither) == (40, 5)
    assert (found.only_first, found.only_second) == (only_first, only_second)
    discordant = only_first + only_second
    expected = stats.binomtest(only_first, discordant).pvalue if discordant else 1
    assert found.p_value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("only_first", "only_second"), [(25, 0), (10, 15), (13, 12), (900, 600), (1200, 1201)]
)
def test_many_discordant_images_get_chi_squared_with_correction(
    only_first: int, only_second: int
) -> None:
    found = mcnemar(*outcomes(100, 30, only_first, only_second))
    assert not found.exact
    # With one degree of freedom for two cells of equal expectation; the correction takes half
    # an image off either cell's distance from it.
    expected = (only_first + only_second) / 2
    low = min(only_first, only_second) + 0.5
    statistic = stats.chisquare([low, 2 * expected - low]).statistic
    assert found.p_value == pytest.approx(stats.chi2.sf(statistic, 1))


def test_the_approximation_is_near_the_exact_test_where_it_takes_over() -> None:
    for only_first in range(8, 30):
        found = mcnemar(*outcomes(0, 0, only_first, 30 - only_first))
        exact = stats.binomtest(only_first, 30).pvalue
        assert found.p_value == pytest.approx(exact, abs=0.03)


def test_an_even_split_is_no_difference() -> None:
    assert mcnemar(*outcomes(10, 10, 50, 50)).p_value == 1


def test_which_network_comes_first_changes_nothing_but_the_names() -> None:
    first, second = outcomes(100, 30, 40, 20)
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert one.p_value == other.p_value
    assert one.is_real
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)


def test_equally_good_networks_seldom_seem_to_differ() -> None:
    rng = np.random.default_rng(1)
    real = [mcnemar(*(rng.random((2, 500)) < 0.7)).is_real for _ in range(1000)]
    assert 0.02 < np.mean(real) < 0.06


def test_different_images_are_refused() -> None:
    with pytest.raises(ValueError, match="same"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))
