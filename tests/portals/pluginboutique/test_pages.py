"""120 pages of the imitation for each seed, of every kind and in every country: no price that is wrong, and at most 5 % not read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest

from sandbox.pluginboutique import answers
from scrapers.families.prices.addresses import named
from scrapers.portals.pluginboutique.prices import PluginboutiquePrices
from tests.portals.prices import Judged, Sample, judge, wrong_by_distance

SHOP = "https://www.pluginboutique.com"
# In a crawl the status alone decides: test_crawl.py.
BY_STATUS = (404, 429)
SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(2, 14))]


def samples(seed: int) -> Iterator[Sample]:
    """Yield the pages of a seed, those of a listing once for each of its tiles."""
    for index, page in enumerate(answers.sample(120, seed)):
        if page.status in BY_STATUS:
            continue
        url = SHOP + page.path
        for path, truth in [(f"/products/{tile.product_id}", tile) for tile in page.tiles] or [
            (page.asked, page.truth)
        ]:
            # A redirect is followed to the product that it leads to.
            product = named(url) or named(SHOP + path)
            assert product is not None
            yield Sample(page.kind, page.html, url, product, page.country, truth, plain=index % 4 == 0)


@cache
def judged(seed: int) -> Judged:
    return judge(PluginboutiquePrices, samples(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_price_is_wrong_and_at_most_one_in_twenty_is_not_read(seed):
    found = judged(seed)
    print(f"seed {seed}: {dict(found.count)}, {found.share:.1%} read", *found.missed, sep="\n")
    assert found.wrong == []
    assert found.share >= 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_without_a_price_is_refused_by_its_name(seed):
    assert judged(seed).missed == []
    assert judged(seed).count["refused"] >= 25


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pages_are_hard_for_a_reader_that_goes_by_distance(seed):
    pages = list(samples(seed))
    wrong = wrong_by_distance(pages)
    print(f"seed {seed}: the nearest price is wrong on {wrong} of {len(pages)} pages")
    assert wrong > 0


def test_a_listing_is_no_product():
    assert not [page.asked for page in answers.sample(120, 1) if page.tiles and named(SHOP + page.asked)]
