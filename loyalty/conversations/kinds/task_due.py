"""A member of staff is reminded of a task of theirs.

Not among KINDS: customers never get it, and the shop has nothing to decide about it.
"""

from loyalty.conversations.kinds.base import Kind

KIND = Kind(
    "task_due",
    frozenset({"title", "due", "customer", "link", "task"}),
    {
        "en": "Task: {title}\nDue: {due}\nCustomer: {customer}\n{link}",
        "ru": "Задача: {title}\nСрок: {due}\nКлиент: {customer}\n{link}",
        "uk": "Завдання: {title}\nТермін: {due}\nКлієнт: {customer}\n{link}",
    },
    {
        "en": (("Done", "task:done.{task}:0"),),
        "ru": (("Готово", "task:done.{task}:0"),),
        "uk": (("Готово", "task:done.{task}:0"),),
    },
)
