"""The demo's WhatsApp has the templates that its panel shows."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from loyalty.conversations.queries.templates import all_templates
from loyalty.conversations.templating import TemplateDraft, check_template
from loyalty.settings import Settings
from regulars.demo import NUMBER_ID, demo_settings, simulator_beside
from regulars.seed.ready import TEMPLATES
from tests.bot.simulator.conftest import serve
from tests.regulars.test_seed import stands


@pytest.fixture
def demo(tmp_path, free_port) -> Settings:
    return demo_settings(Settings(home=tmp_path, port=free_port))


@pytest.fixture
async def graph(demo) -> AsyncIterator[Any]:
    """Speaks to the demo's Graph API: `await graph("GET", path)`."""
    root = web.Application()
    for prefix, app in simulator_beside(demo).apps.items():
        root.add_subapp(prefix, app)
    runner, _ = await serve(root, demo.port)
    headers = {"Authorization": f"Bearer {demo.whatsapp_access_token.get_secret_value()}"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def call(method: str, path: str, body: Any = None) -> Any:
            async with http.request(method, f"{demo.whatsapp_api_url}/{path}", json=body) as answer:
                return await answer.json()

        yield call
    await runner.cleanup()


async def test_every_approved_template_of_the_demo_is_sent_and_no_other_is(graph):
    for name, _, _, variables, (status, _, _) in TEMPLATES:
        parameters = [{"type": "text", "text": "x"} for _ in variables]
        template = {
            "name": name,
            "language": {"code": "ru"},
            "components": [{"type": "body", "parameters": parameters}],
        }
        body = {"messaging_product": "whatsapp", "to": "79165550101", "type": "template", "template": template}
        answer = await graph("POST", f"{NUMBER_ID}/messages", body)
        if status == "approved":
            assert answer["messages"], name
        else:
            assert answer["error"]["code"] == 132001, name


async def test_the_panel_and_whatsapp_say_the_same_of_every_template(opened_database, graph):
    await stands(opened_database, 20)
    there = (await graph("GET", "2000000/message_templates"))["data"]
    assert sorted((one["name"], one["status"], one["components"][0]["text"]) for one in there) == [
        (one.name, one.status.upper(), one.body) for one in await all_templates()
    ]


async def test_the_panel_would_take_every_template_of_the_demo(opened_database):
    await stands(opened_database, 20)
    for one in await all_templates():
        check_template(TemplateDraft(one.name, one.language, one.category, one.body, one.variables, one.kind))
