"""ChoosingPage: chooses options, boxes and items of lists in a page, and sees to it that they stay chosen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scrapers.core.choices import LISTS, Choice, Match, Offer, drawn, fitting, is_filled, is_ticked, offers
from scrapers.core.compat import PlaywrightError, PlaywrightTimeout, detached, navigated
from scrapers.core.locators import Selectors, candidates, same
from scrapers.core.looking import GRACE, LookingPage, until
from scrapers.core.outcomes import Failure, NoLongerAvailable, NotYetPublished, PortalChanged, SignedOut
from scrapers.core.periods import month_missing, months_in, names_month
from scrapers.core.settings import crawl_settings
from scrapers.core.trail import IN_FLIGHT, REST

if TYPE_CHECKING:
    from datetime import date

    from playwright.async_api import Locator


DROP_DOWNS = ("select", "[role=combobox]", "[aria-haspopup]")
BUTTONS = ("button", "[role=button]", "[tabindex='0']")  # of drawn drop-downs that say nothing of themselves
ITEMS = ("[role=option]", "li")


class ChoosingPage(LookingPage):
    """A page in which something can be chosen. A portal uses PortalPage."""

    async def tick(self, selectors: Selectors, on: bool = True, *, within: float | None = None) -> None:
        """
        Tick or untick a check box or radio button, real or drawn, given by itself or by its label, and read it back.

        Does nothing when it is in that state already.
        """
        element = await self._box(selectors, within)
        for last in (False, True):
            if await is_ticked(element) == on:
                return
            try:
                await self._press(await drawn(element))
                break
            except PlaywrightError as error:  # its list was filled anew meanwhile
                if last or not detached(error):
                    raise

        async def stays() -> bool:
            return await is_ticked(element) == on

        if not await until(stays, GRACE):
            raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)

    async def is_ticked(self, selectors: Selectors, *, within: float | None = None) -> bool:
        """Return the state of a check box or radio button, real or drawn, given by itself or by its label."""
        return bool(await is_ticked(await self._box(selectors, within)))

    async def _box(self, selectors: Selectors, within: float | None) -> Locator:
        """Return the first check box or radio button that a selector names, which may be hidden behind a drawn one."""
        self.trail.selector = " | ".join(selectors)
        boxes: list[Locator] = []

        async def is_there() -> bool:
            for selector in selectors:
                for rank in candidates(self.scope, selector):
                    if any(offer.kind == "box" for offer in await offers(rank)):
                        boxes.append(rank.first)
                        return True
            return False

        if not await until(is_there, crawl_settings().page_wait if within is None else within):
            await self.find(selectors, within=0.1)  # raises what is the matter
            raise PortalChanged("It is no check box.", step=self.trail.step, selector=self.trail.selector)
        return boxes[0]

    async def options(self, selectors: Selectors) -> list[str]:
        """Return the texts that a list offers, once it has come to rest."""
        found: list[Offer] = []

        def keep_all(offered: list[Offer]) -> bool:
            found[:] = offered
            return False

        await self._offered(selectors, keep_all)
        return [offer.text for offer in found]

    async def pick(
        self,
        selectors: Selectors,
        wanted: str | Sequence[str],
        *,
        missing: Callable[[list[str]], Failure] | None = None,
        match: Match = same,
        within: float | None = None,
        by_value: bool = False,
    ) -> str:
        """
        Choose a text, or the first of several that is offered, and return it.

        selectors: drop-downs (real or drawn), radio buttons, check boxes, their labels, or items of a list. The list is
        read until the text is offered or the list has come to rest, up to *within* seconds (LATCHKEY_PAGE_WAIT); a text that
        matches less well than the wanted one itself is chosen from a list at rest alone. missing: takes the texts that are
        offered and returns the failure to raise when none is wanted; PortalChanged by default. by_value: the options of a
        drop-down are told by their values, of which a fact is known, and not by their texts. The choice is read back, and
        again before the next click.
        """
        texts = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        began = asyncio.get_running_loop().time()
        chosen = await self._pick(selectors, texts, missing, match, within, by_value)
        self._choices = [each for each in self._choices if each.selectors != selectors]
        self._choices.append(Choice(selectors, chosen, match, began, by_value))
        return chosen

    async def _pick(
        self,
        selectors: Selectors,
        texts: tuple[str, ...],
        missing: Callable[[list[str]], Failure] | None,
        match: Match,
        within: float | None,
        by_value: bool,
    ) -> str:
        self.trail.selector = " | ".join(selectors)
        best_match = match(texts[0], texts[0])
        for _ in range(3):
            found: list[Offer] = []

            def is_first_offered(offered: list[Offer]) -> bool:
                found[:] = offered  # noqa: B023 - used before the next round
                fits = [fit for fit in fitting(offered, texts[0], match) if fit.kind != "label"]
                # Of a list that is still coming, a text that fits less well may be the namesake of one that is not there yet.
                return any(same(texts[0], fit.text) or match(texts[0], fit.text) >= best_match for fit in fits)

            await self._offered(selectors, is_first_offered, within, by_value)
            for text in texts:
                if not (fits := fitting(found, text, match)):
                    continue
                if len({(fit.kind, fit.place, fit.number) for fit in fits if not fit.is_off}) > 1:
                    detail = f"{text} is offered {len(fits)} times."
                    raise PortalChanged(detail, step=self.trail.step, selector=self.trail.selector)
                best = next((fit for fit in fits if not fit.is_off), fits[0])
                began = asyncio.get_running_loop().time()
                try:
                    if best.kind != "box" or not best.is_chosen:
                        if best.kind != "option":
                            await self._uncover(await drawn(best.found.nth(best.place)))
                        await best.take(crawl_settings().page_wait * 500)
                except PlaywrightError as error:
                    # The list may have been filled anew meanwhile.
                    if not (isinstance(error, PlaywrightTimeout) or detached(error)):
                        raise
                if await self._has_stayed(Choice(selectors, text, match, began, by_value)):
                    return text
                break
            else:
                if self.signed_out and await self.shown(self.signed_out):
                    raise SignedOut("The sign-in form turned up.", step=self.trail.step)
                offered = [offer.text for offer in found if not offer.is_blank]
                failure = (
                    PortalChanged(f"{' or '.join(texts)} is not offered.") if missing is None else missing(offered)
                )
                failure.step, failure.selector = self.trail.step, self.trail.selector
                raise failure
        raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)

    async def pick_in(
        self,
        holders: Selectors,
        wanted: str,
        *,
        buttons: Selectors | None = None,
        missing: Callable[[list[str]], Failure] | None = None,
        match: Match = same,
    ) -> str:
        """
        Choose a text in the drop-down that an element is or holds, for example with its label, and read it back; see `pick`.

        It may be a real one, a drawn one with a role, or a drawn one without any: a button that says what is chosen, and opens
        a list. buttons: those that may be such a one; by default any that the holders hold.
        """
        if told := await self._drop_downs(holders):
            return await self.pick(told, wanted, missing=missing, match=match)
        openers, items = _inside(holders, BUTTONS) if buttons is None else buttons, _inside(holders, ITEMS)
        for last in (False, True):
            await self.find(openers)
            if any(match(wanted, text) for text in await self._said(openers)):
                return wanted
            if last:
                break
            if not await self.shown(items):
                await self._press(await self.find(openers))
            await self.pick(items, wanted, missing=missing, match=match)
            await self.is_at_rest(crawl_settings().page_wait)
        raise PortalChanged("The choice did not stay.", step=self.trail.step, selector=self.trail.selector)

    async def chosen_in(self, holders: Selectors, buttons: Selectors | None = None) -> list[str]:
        """Return what the drop-down that an element is or holds says is chosen; a button says it by its text. See `pick_in`."""
        for selector in _parts(holders):
            offered = await self._read_offers((selector,))
            if offered and all(each.kind in ("option", "opener") for each in offered):
                return [each.text for each in offered if each.kind == "opener" or each.is_chosen]
        return await self._said(_inside(holders, BUTTONS) if buttons is None else buttons)

    async def offered_in(self, holders: Selectors) -> list[str]:
        """Return the texts that the drop-down that an element is or holds offers; a drawn one is closed again."""
        told = await self._drop_downs(holders)
        if told and not any(each.kind == "opener" for each in await self._read_offers(told)):
            return await self.options(told)
        openers, lists = (told, (LISTS,)) if told else (_inside(holders, BUTTONS), _inside(holders, ITEMS))

        async def count() -> int:
            return sum([await self.locate(each).count() for each in lists])

        async def is_closed() -> bool:
            return await count() <= before

        before, elsewhere = await count(), await self._said(lists)  # a menu may have entries, too
        if not told:
            await self._press(await self.find(openers))
        found = await self.options(told or lists)
        if not await is_closed():
            await self.raw.keyboard.press("Escape")
            if not await until(is_closed, 0.5):
                await self._press(await self.find(openers))
        return [text for text in found if text not in elsewhere]

    async def _drop_downs(self, holders: Selectors) -> Selectors:
        """Return the selectors of drop-downs that are told by element or role; none once the page is at rest without one."""
        told: list[str] = []

        async def are_told() -> bool:
            told[:] = [each for each in _parts(holders) if await self._tells(each)]
            return bool(told)

        await self.rests(are_told)
        return tuple(told)

    async def _tells(self, selector: str) -> bool:
        offered = await self._read_offers((selector,))
        return bool(offered) and all(each.kind in ("option", "opener") for each in offered)

    async def _said(self, selectors: Selectors) -> list[str]:
        matched = await self.shown(selectors)
        return (
            [] if matched is None else [" ".join(text.split()) for text in await self.locate(matched).all_inner_texts()]
        )

    async def _offered(
        self,
        selectors: Selectors,
        is_enough: Callable[[list[Offer]], Any],
        within: float | None = None,
        by_value: bool = False,
    ) -> None:
        """Read a list until *is_enough* says so, or it has come to rest, or the time is over. Drawn drop-downs are opened."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (crawl_settings().page_wait if within is None else within)
        since, before, opened = loop.time(), [""], False
        while True:
            found = await self._read_offers(selectors, opened, by_value)
            if is_enough(found):
                return
            if not opened and (
                opener := next((each for each in found if each.kind == "opener" and not each.is_off), None)
            ):
                await self._press(opener.found.nth(opener.place))
                opened, since = True, loop.time()
            now = [offer.text for offer in found]
            if now != before or self.trail.is_busy() or not is_filled(found):
                since, before = loop.time(), now
            elif loop.time() - since >= REST and not await self.shown(("[aria-busy=true]",)):
                return
            if loop.time() >= deadline:
                return
            if await self.retry_failed_page():
                deadline = loop.time() + (crawl_settings().page_wait if within is None else within)
            await asyncio.sleep(0.1)  # between two polls

    async def _read_offers(self, selectors: Selectors, opened: bool = False, by_value: bool = False) -> list[Offer]:
        """Return what the elements of all selectors offer; of one element only what the first selector says."""
        found: list[Offer] = []
        for selector in selectors:
            for rank in candidates(self.scope, selector):
                if not found or all(offer.kind == "opener" for offer in found):
                    try:
                        found += await offers(rank, by_value)
                    except PlaywrightError as error:  # the choice has led to another page
                        if not navigated(error):
                            raise
                        return []
        if opened:
            found += await offers(self.raw.locator(LISTS).filter(visible=True))
        return found

    async def _has_stayed(self, choice: Choice) -> bool:
        """Return whether a text is chosen, also after the answers to what was asked since the choice."""
        selectors, text, match = choice.selectors, choice.text, choice.match

        async def is_chosen() -> bool:
            found = await self._read_offers(selectors, by_value=choice.by_value)
            if openers := [each for each in found if each.kind == "opener"]:
                if any(match(text, opener.text) for opener in openers):
                    return True
                found = await self._read_offers(selectors, opened=True)
            if fits := fitting(found, text, match):
                return any(fit.is_chosen is not False for fit in fits)
            return await self.shown(selectors) is None  # the page has moved on

        async def is_quiet() -> bool:
            return not self.trail.is_busy(choice.at)

        if not await until(is_chosen, 1.0):
            return False
        await until(is_quiet, IN_FLIGHT)
        return await until(is_chosen, 0.3)

    async def _hold_choices(self) -> None:
        """Pick again what the page has lost since it was picked: lists may be filled anew after each choice."""
        choices, self._choices = self._choices, []
        for _ in range(3):
            lost = [each for each in choices if not await self._has_stayed(each)]
            if not lost:
                return
            for each in lost:
                await self._pick(each.selectors, (each.text,), None, each.match, None, each.by_value)
        raise PortalChanged("The choices do not stay together.", step=self.trail.step)

    async def month(
        self,
        selectors: Selectors,
        day: date,
        form: str,
        today: date,
        *,
        search: Selectors = (),
        by_value: bool = False,
    ) -> None:
        """
        Pick the billing month of *day*, written in the strftime format *form* or in another notation of the same month.

        search: a field that narrows the list, which may be shown in parts: the month is typed into it before it counts as
        missing. by_value: see `pick`. Raises NotYetPublished or NoLongerAvailable when it is not offered, depending on the
        months that are, and PortalChanged when none was read.
        """
        wanted = f"{day:{form}}"

        async def pick() -> None:
            await self.pick(
                selectors,
                wanted,
                match=lambda _wanted, offered: names_month(offered, day),
                missing=lambda offered: month_missing(day, offered, today),
                by_value=by_value,
            )

        try:
            await pick()
        except (NotYetPublished, NoLongerAvailable, PortalChanged):
            if not search:
                raise
            await self.type(search, wanted)
            if (
                await self.arrives(tuple(f"{selector}:has-text({json.dumps(wanted)})" for selector in selectors))
                is None
            ):
                raise
            await pick()

        def others(found: list[Offer]) -> list[Offer]:
            boxes = [each for each in found if each.kind == "box" and each.is_chosen]
            return [each for each in boxes if months_in(each.text) and not names_month(each.text, day)]

        for other in others(await self._read_offers(selectors)):  # check boxes that are ticked when the page opens
            await self._act(partial(other.take, crawl_settings().page_wait * 1000))
        if others(await self._read_offers(selectors)):
            raise PortalChanged("Another month stays chosen, too.", step=self.trail.step, selector=self.trail.selector)


def _inside(holders: Selectors, kinds: tuple[str, ...]) -> Selectors:
    return tuple(f"{holder} >> {kind}" for holder in holders for kind in kinds)


def _parts(holders: Selectors) -> Selectors:
    """Return selectors of some elements themselves, and of the drop-downs that they hold."""
    return tuple(each for holder in holders for each in (holder, *_inside((holder,), DROP_DOWNS)))
