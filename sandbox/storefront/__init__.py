"""What imitations of shops share: money, offers that follow a history, and a portal without a sign-in."""
