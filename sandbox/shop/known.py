"""What is known of structured data: schema.org's and OpenGraph's public vocabularies."""

from __future__ import annotations

from sandbox.known import Known, facts

KNOWN = Known(
    [
        *facts("attribute", "schema.org", "itemscope", "itemtype", "itemprop=offers", "itemprop=price"),
        *facts("attribute", "schema.org", "itemprop=priceCurrency", "itemprop=availability", "itemprop=sku"),
        *facts("key", "schema.org", "@context", "@type", "@graph", "offers", "price", "priceCurrency", "availability"),
        *facts("key", "schema.org", "lowPrice", "highPrice", "hasVariant", "priceSpecification", "priceType", "sku"),
        *facts("attribute", "ogp.me", "property=og:type", "property=product:price:amount"),
        *facts("attribute", "ogp.me", "property=product:price:currency", "property=product:availability"),
        *facts(
            "format", "schema.org", "amounts have a point and no groups; availability is an address or its last part"
        ),
    ]
)
