"""The shop takes back what it did: each undo once, only where there is something to undo, and seen in the books."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.surface.shop_running import REFUND, Answer, Shop, as_seeded, is_, parcel, running_shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop")) as started:
        yield started


@pytest.fixture
def shop(running: Shop) -> Shop:
    return as_seeded(running)


UNDO = {"reason": "it was a mistake"}


def test_a_void_takes_the_money_in_once_and_stands_in_the_ledger_beside_the_refund(shop: Shop) -> None:
    home = shop.order(is_("delivered"))
    made = shop.post(shop.refund_path(), REFUND, Idempotency_Key="k1").body["id"]
    before = shop.get("/ledger")
    first = shop.post(f"/refunds/{made}/void", UNDO, Idempotency_Key="k1.undo")
    again = shop.post(f"/refunds/{made}/void", UNDO, Idempotency_Key="k1.undo")
    other = shop.post(f"/refunds/{made}/void", UNDO, Idempotency_Key="k2")
    assert (first.status, again.body, again.headers["Idempotency-Replayed"]) == (200, first.body, "true")
    assert (other.status, other.body["error"]) == (409, "already_void")
    after = shop.get("/ledger")
    assert (before["voided_cents"], after["voided_cents"]) == (0, 100)
    assert after["refunds"] == before["refunds"]
    assert [(void["id"], void["refund_id"], void["key"]) for void in after["voids"]] == [("V-00001", made, "k1.undo")]
    assert shop.get(f"/payments/{home['payment_id']}")["refunded_cents"] == 0
    assert [void["refund_id"] for void in shop.get("/voids", payment_id=home["payment_id"])["voids"]] == [made]


def test_what_was_voided_can_be_given_back_again_and_no_more(shop: Shop) -> None:
    home = shop.order(is_("delivered"))
    everything = {"amount_cents": home["total_cents"], "reason": "broken"}
    made = shop.post(shop.refund_path(), everything).body["id"]
    assert shop.post(shop.refund_path(), REFUND).body["error"] == "over_refund"
    shop.post(f"/refunds/{made}/void", UNDO)
    assert shop.post(shop.refund_path(), everything).status == 200
    assert shop.post(shop.refund_path(), REFUND).body["error"] == "over_refund"


def test_a_label_is_withdrawn_once(shop: Shop) -> None:
    home = shop.order(is_("delivered"))
    body = {"skus": [home["items"][0]["sku"]], "reason": "x"}
    made = shop.post(f"/orders/{home['id']}/returns", body).body["id"]
    assert shop.post(f"/returns/{made}/withdraw", UNDO).status == 200
    assert shop.post(f"/returns/{made}/withdraw", UNDO).body["error"] == "already_withdrawn"
    assert [one["status"] for one in shop.get("/returns", order_id=home["id"])["returns"]] == ["withdrawn"]


def test_an_exchange_that_is_recalled_is_on_the_shelf_again(shop: Shop) -> None:
    home = shop.order(is_("delivered"))
    sku = home["items"][0]["sku"]
    before = shop.get(f"/stock/{sku}")
    body = {"sku": sku, "wanted_size": None, "reason": "x"}
    made = shop.post(f"/orders/{home['id']}/exchanges", body).body["id"]
    assert shop.get(f"/stock/{sku}") != before
    assert shop.post(f"/exchanges/{made}/recall", UNDO).status == 200
    assert shop.post(f"/exchanges/{made}/recall", UNDO).body["error"] == "already_recalled"
    assert shop.get(f"/stock/{sku}") == before


@pytest.mark.parametrize("status", ["placed", "packed"])
def test_a_reopened_order_stands_where_it_stood_with_its_parcel(shop: Shop, status: str) -> None:
    order = shop.order(is_(status))
    path, parcel_id = f"/orders/{order['id']}", order["shipment_id"]

    def seen() -> list[dict[str, Any]]:
        return [shop.get(path), *([shop.get(f"/shipments/{parcel_id}")] if parcel_id else [])]

    before = seen()
    assert shop.post(f"{path}/reopen", UNDO).body["error"] == "not_cancelled"
    shop.post(f"{path}/cancel", {"reason": "x"})
    assert seen() != before
    assert shop.post(f"{path}/reopen", UNDO).body["status"] == status
    assert seen() == before


def test_an_order_is_reopened_only_once_the_money_for_it_is_back(shop: Shop) -> None:
    order = shop.order(is_("placed"))
    shop.post(f"/orders/{order['id']}/cancel", {"reason": "x"})
    made = shop.post(f"/payments/{order['payment_id']}/refunds", REFUND).body["id"]
    assert shop.post(f"/orders/{order['id']}/reopen", UNDO).body["error"] == "paid_back"
    shop.post(f"/refunds/{made}/void", UNDO)
    assert shop.post(f"/orders/{order['id']}/reopen", UNDO).status == 200


def test_an_address_is_set_back_unless_it_was_changed_once_more(shop: Shop) -> None:
    moving = shop.order(lambda o: o["status"] == "shipped" and parcel(shop, o)["status"] == "in_transit")
    for path in (f"/shipments/{moving['shipment_id']}/address", f"/customers/{moving['customer_id']}/account"):
        record = path.rpartition("/")[0]
        before = shop.get(record)["address"]
        is_account = path.endswith("account")

        def back(now: str, path: str = path, before: str = before, *, is_account: bool = is_account) -> Answer:
            return shop.post(path, {"address": before, "replaces": {"address": now} if is_account else now})

        answer = shop.post(path, {"address": "1 New Road"}).body
        assert (answer["before"]["address"] if is_account else answer["address_before"]) == before
        shop.post(path, {"address": "2 Newer Road"})
        assert back("1 New Road").body["error"] == "changed_since"
        assert shop.get(record)["address"] == "2 Newer Road"
        assert back("2 Newer Road").status == 200
        assert shop.get(record)["address"] == before


@pytest.mark.parametrize("path", ["/refunds/F-99999/void", "/returns/R-00001/withdraw", "/exchanges/F-00001/recall"])
def test_what_was_never_done_is_not_taken_back(shop: Shop, path: str) -> None:
    assert shop.post(path, UNDO).status == 404
    assert shop.get("/audit")["effects"] == []


def test_lists_begin_with_the_shops_day_unless_told(shop: Shop) -> None:
    shop.post(shop.refund_path(), REFUND, Idempotency_Key="k1")
    assert [refund["key"] for refund in shop.get("/refunds")["refunds"]] == ["k1"]
    assert len(shop.get("/refunds", since="0")["refunds"]) == shop.refunds()
