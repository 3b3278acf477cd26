"""The way from Premier Care to its billing."""

BILLING = ("#primaryNav >> says=BILLING", "xpath=//*[@id='primaryNav']/li[3]/a")
