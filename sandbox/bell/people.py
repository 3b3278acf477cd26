"""Who a user name stands for at Bell."""

from sandbox.scripted.people import People

PEOPLE = People(lowest=500_000_000, below=99_999_999)  # nine digits
accounts = PEOPLE.accounts
