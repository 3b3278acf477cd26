"""The pages of the ordinary shop, as they are and with what is free changed: no price that is wrong, and none that is not read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox.known import known_of
from sandbox.markup import perturbed
from sandbox.perturb import Perturbation
from sandbox.shop.pages import ITEMS, page, truth
from scrapers.families.prices.addresses import named
from scrapers.portals.shop.prices import ShopPrices
from tests.portals.prices import Sample, judge, wrong_by_distance

SEEDS = [None, 1, *(pytest.param(seed, marks=pytest.mark.matrix) for seed in range(2, 30))]


def samples(seed: int | None) -> Iterator[Sample]:
    """Yield a page of every kind."""
    for word, item in ITEMS.items():
        url, html = f"https://shop.example/item/{word}", page(word, item.offer)
        if seed is not None:
            html = perturbed(html, Perturbation.of(seed), known_of("shop"), scripted=False)
        product = named(url)
        assert product is not None
        yield Sample(word, html, url, product, None, truth(word, item.offer), plain=seed is None)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_price_is_read_and_what_has_none_is_refused_by_its_name(seed):
    found = judge(ShopPrices, samples(seed))
    print(f"seed {seed}: {dict(found.count)}", *found.missed, sep="\n")
    assert found.wrong == []
    assert found.missed == []
    assert found.count["read"] + found.count["refused"] == len(ITEMS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_pages_are_hard_for_a_reader_that_goes_by_distance(seed):
    wrong = wrong_by_distance(samples(seed))
    print(f"seed {seed}: the nearest price is wrong on {wrong} of {len(ITEMS)} pages")
    assert wrong > 0
