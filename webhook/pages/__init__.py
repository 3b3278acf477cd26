"""Pages for people: HTML made by Jinja, with htmx where something changes while one looks."""
