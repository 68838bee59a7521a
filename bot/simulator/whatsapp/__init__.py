"""The stand-in for the WhatsApp Cloud API: one number of a business, its app's webhook, and its people."""
