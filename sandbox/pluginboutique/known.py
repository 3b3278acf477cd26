"""What the fact sheet knows of Plugin Boutique; the keys of the analytics event and of JSON-LD are public standards."""

from __future__ import annotations

from sandbox.known import Known, facts

KNOWN = Known(
    [
        # Addresses
        *facts("address", "1.1", "/product/{group}/{category}/{product}", "/products/{product}"),
        *facts("address", "1.1", "/deals", "/deals-2", "/deals/{digits}", "/search", "/free", "/articles.rss"),
        *facts("address", "1.1", "/categories/{category}", "/manufacturers/{maker}"),
        *facts("format", "1.1", "the number before the last slug is the product id", "a_aid names an affiliate"),
        *facts("format", "1.1", "about 15 cards on a page of /deals-2", "a free product costs 0.00"),
        *facts("address", "1.1", "/", dated="2026"),  # what an old address can answer with
        *facts("sent", "1.3", "chosen_country"),
        *facts("format", "1.3", "the country is in the session's cookie; the home page alone sets it", dated="2026"),
        # The analytics block
        *facts("contained", "1.4-1", "view_item", dated="2026"),
        *facts("id", "1.4-1", "data-layer", dated="2026", guess=True),
        *facts("class", "1.4-1", "data-layer", dated="2026", guess=True),
        *facts("key", "1.4-1", "event", "ecommerce", "currency", "items", "item_id", "price", guess=True),
        # Tiles
        *facts("attribute", "1.4-2", "data-controller=product-tile", "data-testid*=product-name-", dated="2026"),
        *facts("attribute", "1.4-2", "data-product-tile-target=mainLink", dated="2026"),
        *facts("attribute", "1.4-2", "data-product-tile-target=manufacturerLink", dated="2026"),
        *facts("attribute", "1.4-2", "data-product-tile-target=categoryLink", dated="2026"),
        *facts("class", "1.4-2", "line-through", "font-semibold", dated="2026"),
        *facts("format", "1.4-2", "the discount is a span: (84% off); its parent holds the price", dated="2026"),
        *facts("test id", "1.4-2", "search-load-more-btn", dated="2026"),
        *facts("id", "1.4-2", "search-load-more", dated="2026"),
        # The React component
        *facts("attribute", "1.4-3", "data-react-class=BuyBox", "data-react-props", dated="2024"),
        *facts("key", "1.4-3", "sell_price", "regular_price", "on_sale", dated="2024"),
        # The recommendation block
        *facts("class", "1.4-4", "nosto_product", "product_id", "image_url", "availability", "brand", dated="2024"),
        *facts("class", "1.4-4", "description", "category", "rating_value", "review_count", "price", dated="2024"),
        *facts("format", "1.4-4", "its price is a bare number in pounds", dated="2024"),
        *facts("contained", "2", "Add to cart"),
    ]
)
