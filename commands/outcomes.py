"""`scrapy outcomes`: every way a run can end, who must act, and when to try again."""

from __future__ import annotations

import argparse

from scrapy.commands import ScrapyCommand

from commands._terminal import Everyday, show

PAGE = """# How a run can end

<!-- Made by `scrapy outcomes --markdown > docs/outcomes.md`; change scrapers/core/outcomes.py, not this page. -->

Every run of every job ends with one of these codes. `scrapy runs ID` shows a run's code, its sentence, what was seen, and
what to do next; `scrapy runs --outcome CODE` lists the runs that ended so. The exit code of `scrapy crawl` is that of the
worst of its runs: 0 when everything is stored, else by who must act. 2 means that an argument or setting is wrong, and
130 that the crawl was interrupted. What becomes of the job in the queue (`scrapy jobs`) is in the last column: it follows from
the code alone, never from words.
"""


class Command(Everyday, ScrapyCommand):
    """Show the table of outcomes."""

    word = "outcomes"

    def short_desc(self) -> str:
        """Return the line of the command list."""
        return "Show every way a run can end: who must act, and when to try again"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the forms."""
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--markdown", action="store_true", help="as the page docs/outcomes.md")
        form.add_argument("--json", action="store_true", help="as JSON")

    def do(self, opts: argparse.Namespace) -> None:
        """Print the table."""
        from scrapers.core.outcomes import OUTCOMES

        if opts.markdown:
            print(page(), end="")
            return
        columns = ("code", "exit code", "who must act", "again", "its job", "uses a try", "sentence")
        rows = [
            (o.code, o.exit_code, o.actor.value, o.retry.value, o.then.value, o.then.uses_try, o.sentence)
            for o in OUTCOMES.values()
        ]
        show(columns, rows, as_json=opts.json)


def page() -> str:
    """Return the page docs/outcomes.md."""
    from scrapers.core.outcomes import EXIT_CODES, NEXT, OUTCOMES, WHO

    parts = [PAGE]
    for actor, exit_code in EXIT_CODES.items():
        ends = f"Exit code {exit_code}" + (", or 0 after `success`." if actor == OUTCOMES["success"].actor else ".")
        parts.append(f"\n## {WHO[actor]}\n\n{ends}\n\n| code | what it means | then its job |\n|---|---|---|\n")
        for outcome in OUTCOMES.values():
            if outcome.actor == actor:
                sentence = outcome.sentence.replace("|", "\\|")
                parts.append(f"| `{outcome.code}` | {sentence} | {NEXT[outcome.then]} |\n")
    return "".join(parts)
