"""A level will be lost unless more is bought."""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "tier_falling",
    frozenset({"tier", "to", "until", "sum", "visits"}),
    {
        "en": "Your level {tier} lasts until {until}, then it becomes {to}.\nTo keep it, buy for {sum} more by then.\n"
        "To keep it, make {visits} more by then.",
        "ru": "Ваш уровень {tier} действует до {until}, потом станет {to}.\n"
        "Чтобы сохранить его, купите до этого дня ещё на {sum}.\nЧтобы сохранить его, нужно ещё {visits}.",
        "uk": "Ваш рівень {tier} діє до {until}, потім стане {to}.\n"
        "Щоб зберегти його, купіть до цього дня ще на {sum}.\nЩоб зберегти його, потрібно ще {visits}.",
    },
    is_patient=True,
)
