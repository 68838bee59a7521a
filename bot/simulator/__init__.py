"""Stand-ins for messengers, with a chat page for people: for the demo and for end-to-end tests.

One folder a messenger or inbox; what lies beside them, the page before all, is shared. Nothing of ours is imported,
so what the simulator proves about the bot is not proven by the bot's own code. Nothing leaves the machine: webhooks
go to loopback addresses only, and mail is taken on loopback.
"""

from bot.simulator.email.account import MailAccount
from bot.simulator.faults import Faults
from bot.simulator.simulator import Simulator
from bot.simulator.sms.gateway import Gateway
from bot.simulator.telegram.people import Person
from bot.simulator.whatsapp.business import Business

__all__ = ["Business", "Faults", "Gateway", "MailAccount", "Person", "Simulator"]
