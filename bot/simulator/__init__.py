"""A stand-in for the Telegram Bot API, with a chat page for people: for the demo and for end-to-end tests.

It imports nothing of ours, so what it proves about the bot is not proven by the bot's own code. Nothing leaves
the machine: webhooks go to loopback addresses only.
"""

from bot.simulator.faults import Faults
from bot.simulator.people import Person
from bot.simulator.simulator import Simulator

__all__ = ["Faults", "Person", "Simulator"]
