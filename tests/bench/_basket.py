"""What the tills of the benchmark sell, and the programme they sell it by: three lines, every rule switched on."""

from dataclasses import replace

from loyalty.shop.rules import Effect, Programme, RuleSettings, Stacking

LINES = [
    {"total": 220_00, "name": "Flat white", "sku": "CF-2", "category": "coffee"},
    {"total": 90_00, "name": "Croissant", "sku": "BK-7", "category": "bakery"},
    {"total": 40_00, "name": "Delivery", "sku": "DL-1", "category": "delivery"},
]
TOTAL = 350_00


def with_all_rules(programme: Programme) -> Programme:
    """The programme with a rule of each kind that these receipts meet, caps, and excluded goods."""
    day = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "from_time": 0, "until_time": 1440}
    code = {"code": "SPRING", "from_day": None, "until_day": None, "customer_limit": 1, "total_limit": 0}
    rules = (
        RuleSettings(1, "category", "Coffee", Effect.ADD, 200, params={"categories": ["coffee"], "skus": []}),
        RuleSettings(2, "location", "Opening", Effect.ADD, 100, params={"locations": [1]}),
        RuleSettings(3, "weekday_hours", "Every day", Effect.MULTIPLY, 15_000, params=day),
        RuleSettings(4, "birthday", "Birthday", Effect.MULTIPLY, 20_000, params={"days_before": 3, "days_after": 3}),
        RuleSettings(5, "first_purchase", "Hello", Effect.FIXED, 100_00),
        RuleSettings(6, "promo_code", "Spring", Effect.FIXED, 50_00, params=code),
    )
    return replace(
        programme,
        rules=rules,
        stacking=Stacking.SUM,
        excluded_categories=("delivery",),
        earn_cap_receipt=10_000_00,
        earn_cap_day=10_000_000_00,
        earn_cap_month=10_000_000_00,
        burn_cap_day=10_000_00,
    )
