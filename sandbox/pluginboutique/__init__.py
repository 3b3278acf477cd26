"""An imitation of the shop Plugin Boutique, whose product pages are of several years: see README.md beside this file."""

from sandbox.pluginboutique.catalogue import address, product_id

__all__ = ["address", "product_id"]
