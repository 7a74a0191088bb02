"""The shop's service as a process of its own: keys, money, faults, look-ups, restarts, and the generated shop."""

import http.client
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from examples.returns_desk.shop.seeding import seed_shop
from tests.surface.shop_running import REFUND, Shop, as_seeded, is_, parcel, running_shop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("shop")) as started:
        yield started


@pytest.fixture
def shop(running: Shop) -> Shop:
    return as_seeded(running)


# --- keys --------------------------------------------------------------------------------------------------------


def test_the_same_request_under_the_same_key_is_done_once_and_answered_again(shop: Shop) -> None:
    path, before = shop.refund_path(), shop.refunds()
    first = shop.post(path, REFUND, Idempotency_Key="k1")
    second = shop.post(path, REFUND, Idempotency_Key="k1")
    assert (first.status, second.status, second.body) == (200, 200, first.body)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert shop.refunds() == before + 1


def test_another_request_under_the_same_key_is_turned_down(shop: Shop) -> None:
    path = shop.refund_path()
    shop.post(path, REFUND, Idempotency_Key="k1")
    other = shop.post(path, {**REFUND, "amount_cents": 101}, Idempotency_Key="k1")
    assert (other.status, other.body["error"]) == (422, "key_reused")


def test_of_two_requests_at_once_under_one_key_the_second_hears_that_the_first_is_at_work(shop: Shop) -> None:
    path, before = shop.refund_path(), shop.refunds()
    shop.post("/admin/faults", {"delay_ms": 700})
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: shop.post(path, REFUND, Idempotency_Key="k1"), range(2)))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert [answer.body["error"] for answer in answers if answer.status == 409] == ["in_progress"]
    assert shop.refunds() == before + 1


def test_a_request_that_was_turned_down_may_be_tried_again_under_its_key(shop: Shop) -> None:
    order = shop.order(is_("delivered"))
    path = f"/payments/{order['payment_id']}/refunds"
    too_much = {"amount_cents": order["total_cents"] + 1, "reason": "greed"}
    assert shop.post(path, too_much, Idempotency_Key="k1").status == 409
    assert shop.post(path, REFUND, Idempotency_Key="k1").status == 200


def test_mail_ignores_the_key_but_can_be_looked_up_by_it(shop: Shop) -> None:
    mail = {"to": "a@post.example", "subject": "hello", "text": "there"}
    for _ in range(2):
        assert shop.post("/mail", mail, Idempotency_Key="k1", Kernos_Run="r1").status == 200
    shop.post("/mail", {**mail, "to": "b@post.example"}, Idempotency_Key="k2")
    found = shop.get("/mail", key="k1")["mail"]
    assert [(one["to"], one["key"], one["run"]) for one in found] == [("a@post.example", "k1", "r1")] * 2
    assert len(shop.get("/mail", to="b@post.example")["mail"]) == 1
    assert len(shop.get("/mail", since=str(found[1]["at"]))["mail"]) == 2
    assert shop.get("/mail", key="none")["mail"] == []


def test_notes_are_listed_by_key_and_case(shop: Shop) -> None:
    for case, key in (("T1", "k1"), ("T2", "k2")):
        shop.post("/notes", {"case": case, "text": "seen"}, Idempotency_Key=key)
    assert [note["case"] for note in shop.get("/notes", key="k2")["notes"]] == ["T2"]
    assert [note["key"] for note in shop.get("/notes", case="T1")["notes"]] == ["k1"]


# --- what may be done --------------------------------------------------------------------------------------------


def test_no_more_is_given_back_than_was_paid(shop: Shop) -> None:
    order = shop.order(is_("delivered"))
    path, total = f"/payments/{order['payment_id']}/refunds", order["total_cents"]
    assert shop.post(path, {"amount_cents": total - 1, "reason": "broken"}).status == 200
    over = shop.post(path, {"amount_cents": 2, "reason": "more"})
    assert (over.status, over.body["error"]) == (409, "over_refund")
    assert shop.get(f"/payments/{order['payment_id']}")["refunded_cents"] == total - 1


@pytest.mark.parametrize("amount", [0, -5, 1.5, "10", True, None])
def test_only_whole_cents_above_zero_are_given_back(shop: Shop, amount: object) -> None:
    assert shop.post(shop.refund_path(), {"amount_cents": amount, "reason": "x"}).status == 422


def test_an_order_is_cancelled_only_before_it_leaves(shop: Shop) -> None:
    placed, sent = shop.order(is_("placed")), shop.order(is_("shipped"))
    assert shop.post(f"/orders/{placed['id']}/cancel", {"reason": "x"}).body["status"] == "cancelled"
    assert shop.get(f"/orders/{placed['id']}")["status"] == "cancelled"
    assert shop.post(f"/orders/{sent['id']}/cancel", {"reason": "x"}).body["error"] == "already_shipped"
    assert shop.get(f"/payments/{placed['payment_id']}")["refunded_cents"] == 0


def test_a_parcel_is_sent_elsewhere_only_before_it_arrives(shop: Shop) -> None:
    moving = shop.order(lambda o: o["status"] == "shipped" and parcel(shop, o)["status"] == "in_transit")
    home = shop.order(is_("delivered"))
    assert shop.post(f"/shipments/{moving['shipment_id']}/address", {"address": "1 New Road"}).status == 200
    assert shop.get(f"/shipments/{moving['shipment_id']}")["address"] == "1 New Road"
    late = shop.post(f"/shipments/{home['shipment_id']}/address", {"address": "1 New Road"})
    assert late.body["error"] == "already_delivered"


def test_an_exchange_takes_from_stock_until_there_is_none(shop: Shop) -> None:
    order = shop.order(lambda o: o["status"] == "delivered" and o["items"][0]["size"] is not None)
    sku, path = order["items"][0]["sku"], f"/orders/{order['id']}/exchanges"
    size, left = next((s, n) for s, n in shop.get(f"/stock/{sku}")["sizes"].items() if n)
    wish = {"sku": sku, "wanted_size": size, "reason": "fit"}
    assert {shop.post(path, wish).status for _ in range(left)} == {200}
    assert shop.post(path, wish).body["error"] == "out_of_stock"
    assert shop.get(f"/stock/{sku}")["sizes"][size] == 0
    assert len(shop.get("/exchanges", order_id=order["id"])["exchanges"]) == left


def test_a_label_is_made_for_items_of_a_delivered_order_only(shop: Shop) -> None:
    home, placed = shop.order(is_("delivered")), shop.order(is_("placed"))
    sku = home["items"][0]["sku"]
    made = shop.post(f"/orders/{home['id']}/returns", {"skus": [sku], "reason": "x"})
    assert made.body["label"]
    assert shop.get("/returns", order_id=home["id"])["returns"][0]["skus"] == [sku]
    for path, skus in ((home, ["NOTHING"]), (placed, [placed["items"][0]["sku"]])):
        assert shop.post(f"/orders/{path['id']}/returns", {"skus": skus, "reason": "x"}).status == 409


def test_an_account_keeps_an_address_of_its_own(shop: Shop) -> None:
    one, two = shop.get("/customers", limit="2")["customers"]
    assert shop.post(f"/customers/{one['id']}/account", {"email": two["email"]}).body["error"] == "email_taken"
    assert shop.post(f"/customers/{one['id']}/account", {"email": "new@post.example"}).body["address"] == one["address"]
    assert shop.get("/customers", email="new@post.example")["customers"][0]["id"] == one["id"]


def test_an_order_is_found_however_its_number_is_spelt(shop: Shop) -> None:
    name = shop.order(is_("delivered"))["id"]
    digits = name.removeprefix("A-")
    for spelt in (digits, f"a{digits}", f"A {digits}", f"#{digits}"):
        assert shop.get(f"/orders/{spelt.replace(' ', '%20').replace('#', '%23')}")["id"] == name
    assert shop.ask("GET", "/orders/A-99999").status == 404


# --- books -------------------------------------------------------------------------------------------------------


def test_every_write_stands_in_the_audit_with_its_cause(shop: Shop) -> None:
    home, placed, sent = (shop.order(is_(status)) for status in ("delivered", "placed", "packed"))
    owner, sku = home["customer_id"], home["items"][0]["sku"]
    writes: tuple[tuple[str, dict[str, Any]], ...] = (
        (f"/payments/{home['payment_id']}/refunds", REFUND),
        (f"/orders/{home['id']}/returns", {"skus": [sku], "reason": "x"}),
        (f"/orders/{home['id']}/exchanges", {"sku": sku, "wanted_size": None, "reason": "x"}),
        (f"/orders/{placed['id']}/cancel", {"reason": "x"}),
        (f"/shipments/{sent['shipment_id']}/address", {"address": "1 New Road"}),
        (f"/customers/{owner}/account", {"address": "1 New Road"}),
        ("/mail", {"to": "a@post.example", "subject": "s", "text": "t"}),
        ("/notes", {"case": "T1", "text": "t"}),
        (f"/refunds/F-{shop.refunds() + 1:05}/void", {"reason": "x"}),
        ("/returns/R-00001/withdraw", {"reason": "x"}),
        ("/exchanges/X-00001/recall", {"reason": "x"}),
        (f"/orders/{placed['id']}/reopen", {"reason": "x"}),
    )
    for place, (path, body) in enumerate(writes):
        tags = {"Kernos_Agent": "desk", "Kernos_Run": "r1", "Kernos_Intent": "i1", "Kernos_Checkpoint": "c1"}
        assert shop.post(path, body, Idempotency_Key=f"k{place}", **tags).status == 200, path
    effects = shop.get("/audit")["effects"]
    names = ["refund", "return", "exchange", "cancel", "reroute", "account", "mail", "note"]
    names += ["void", "withdraw", "recall", "reopen"]
    assert [e["effect"] for e in effects] == names
    assert [e["key"] for e in effects] == [f"k{place}" for place in range(len(writes))]
    assert {(e["agent"], e["run"], e["intent"], e["checkpoint"]) for e in effects} == {("desk", "r1", "i1", "c1")}
    assert (effects[0]["target"], effects[0]["amount_cents"]) == (home["payment_id"], 100)


def test_the_ledger_adds_up(shop: Shop) -> None:
    before = shop.get("/ledger")
    shop.post(shop.refund_path(), REFUND, Idempotency_Key="k1")
    after = shop.get("/ledger")
    assert after["refunded_cents"] == before["refunded_cents"] + 100 == sum(r["amount_cents"] for r in after["refunds"])
    assert after["captured_cents"] == before["captured_cents"]
    assert after["refunds"][-1]["key"] == "k1"


# --- faults ------------------------------------------------------------------------------------------------------


def test_a_fault_before_the_write_writes_nothing(shop: Shop) -> None:
    path, before = shop.refund_path(), shop.refunds()
    shop.fail(error_500_before=1)
    assert shop.post(path, REFUND, Idempotency_Key="k1").status == 500
    shop.fail(throttle=1)
    throttled = shop.post(path, REFUND, Idempotency_Key="k1")
    assert (throttled.status, throttled.headers["Retry-After"]) == (429, "1")
    assert shop.refunds() == before


@pytest.mark.parametrize("kind", ["error_500_after", "reset_after", "timeout_after"])
def test_a_fault_after_the_write_loses_the_answer_and_not_the_write(shop: Shop, kind: str) -> None:
    path, before = shop.refund_path(), shop.refunds()
    shop.fail(**{kind: 1})
    try:
        assert shop.ask("POST", path, REFUND, timeout=0.5, Idempotency_Key="k1").status == 500
    except (OSError, http.client.HTTPException):
        assert kind != "error_500_after"
    assert shop.refunds() == before + 1
    shop.fail()
    assert shop.post(path, REFUND, Idempotency_Key="k1").headers["Idempotency-Replayed"] == "true"
    assert shop.refunds() == before + 1


def test_the_same_seed_strikes_the_same_requests(shop: Shop) -> None:
    path = shop.refund_path()

    def struck(seed: int) -> list[int]:
        rates = {"error_500_before": 0.3, "error_500_after": 0.2, "throttle": 0.2}
        shop.post("/admin/faults", {"seed": seed, "rates": rates})
        return [
            shop.post(path, {"amount_cents": 1, "reason": "x"}, Idempotency_Key=f"k{n % 15}").status for n in range(30)
        ]

    first = struck(1)
    assert {200, 429, 500} == set(first)
    assert struck(1) == first
    assert struck(2) != first


def test_the_state_counts_what_was_struck(shop: Shop) -> None:
    shop.fail(throttle=1)
    for _ in range(2):
        shop.post(shop.refund_path(), REFUND, Idempotency_Key="k1")
    faults = shop.get("/admin/state")["faults"]
    assert (faults["requests"], faults["struck"]) == (2, {"throttle": 2})


def test_an_order_that_sells_out_loses_what_it_could_be_exchanged_for_once_its_label_is_made(shop: Shop) -> None:
    home = shop.order(is_("delivered"))
    sku = home["items"][0]["sku"]
    label, wish = {"skus": [sku], "reason": "x"}, {"sku": sku, "wanted_size": None, "reason": "x"}
    shop.post("/admin/faults", {"sells_out": [home["id"]]})
    assert any(shop.get(f"/stock/{sku}")["sizes"].values())
    assert shop.post(f"/orders/{home['id']}/returns", label).status == 200
    assert not any(shop.get(f"/stock/{sku}")["sizes"].values())
    assert shop.post(f"/orders/{home['id']}/exchanges", wish).body["error"] == "out_of_stock"
    assert shop.post("/admin/faults", {"sells_out": home["id"]}).status == 422


def test_a_fault_that_does_not_exist_is_turned_down(shop: Shop) -> None:
    assert shop.post("/admin/faults", {"rates": {"meteor": 1}}).status == 422


# --- life --------------------------------------------------------------------------------------------------------


def test_a_killed_service_starts_again_with_all_it_answered_and_all_its_keys(shop: Shop) -> None:
    path, before = shop.refund_path(), shop.refunds()
    first = shop.post(path, REFUND, Idempotency_Key="k1")
    shop.end(signal.SIGKILL)
    shop.start()
    again = shop.post(path, REFUND, Idempotency_Key="k1")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (first.body, "true")
    assert shop.refunds() == before + 1


def test_an_old_file_keeps_the_seed_it_was_made_from(tmp_path: Path) -> None:
    for seed in (3, 4):
        shop = Shop(tmp_path / "shop.sqlite", seed)
        shop.start()
        shop.post("/admin/reset", {})
        state = shop.get("/admin/state")
        shop.end()
        assert state["seed"] == 3


def test_the_audit_can_only_grow(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.sqlite")
    shop.start()
    shop.post("/notes", {"case": "T1", "text": "seen"})
    shop.end()
    db = sqlite3.connect(tmp_path / "shop.sqlite")
    for change in ("UPDATE audit SET key = 'k'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            db.execute(change)
    db.close()


def test_a_sigterm_ends_it_cleanly_though_a_request_is_held(shop: Shop) -> None:
    path = shop.refund_path()
    shop.fail(timeout_after=1)
    with pytest.raises(OSError, match="timed out"):
        shop.ask("POST", path, REFUND, timeout=0.3)
    assert shop.end() == 0


def test_a_reset_puts_the_seeded_shop_back(shop: Shop) -> None:
    before = shop.get("/ledger")
    shop.post(shop.refund_path(), REFUND)
    shop.fail(throttle=1)
    shop.post("/admin/reset", {})
    assert shop.get("/ledger") == before
    assert shop.get("/audit")["effects"] == []
    assert shop.get("/admin/state")["faults"]["rates"] == {}


def test_what_is_no_request_is_answered_with_a_sentence(shop: Shop) -> None:
    answers = [shop.ask("GET", "/nothing"), shop.post("/mail", ["no object"]), shop.post("/mail", {"to": "a"})]
    assert [answer.status for answer in answers] == [404, 422, 422]
    assert all(answer.body["error"] and answer.body["message"] for answer in answers)


# --- the generated shop ------------------------------------------------------------------------------------------


def test_a_seed_always_makes_the_same_shop_and_another_seed_another() -> None:
    assert seed_shop(7) == seed_shop(7)
    assert seed_shop(7) != seed_shop(8)


@pytest.mark.parametrize("seed", [1, 7, 99])
def test_a_generated_shop_is_large_and_sound(seed: int) -> None:
    made = seed_shop(seed)
    customers, orders = {c["id"]: c for c in made.customers}, {o["id"]: o for o in made.orders}
    assert len(customers) >= 300
    assert len(orders) >= 600
    assert len({c["email"] for c in customers.values()}) == len(customers) == len(made.customers)
    assert len({c["language"] for c in customers.values()}) == 7
    assert {o["status"] for o in orders.values()} == {"placed", "packed", "shipped", "delivered", "cancelled"}
    for order in orders.values():
        assert order["customer_id"] in customers
        assert order["total_cents"] == sum(i["quantity"] * i["unit_cents"] for i in order["items"])
        assert (order["delivered_on"] is not None) == (order["status"] == "delivered")
        assert order["placed_on"] <= (order["delivered_on"] or "2026-11-02") <= "2026-11-02"
    assert all(0 < r["amount_cents"] <= orders[r["order_id"]]["total_cents"] for r in made.refunds)
