"""The shop's service: a small shop with an HTTP interface and a database of its own, for a desk to work on.

It is a separate program and knows nothing of kernos. Bodies are JSON, money is in integer cents, `at` is in epoch
milliseconds; its day is always 2026-11-02 and its clock goes on by one second with each write.

| route | what it does |
| --- | --- |
| GET /customers?email=&name=&limit= | customers by exact e-mail or part of the name |
| GET /customers/{id}, /customers/{id}/orders | one customer; their orders, newest first |
| GET /orders/{id}, /payments/{id}, /shipments/{id}, /stock/{sku} | one record each |
| GET /refunds?payment_id=, /voids?payment_id= | money given back, and taken in again |
| GET /returns?order_id=, /exchanges?order_id= | labels made, and what was sent in exchange |
| GET /mail?to=, /notes?case= | what was sent or noted |
| POST /payments/{id}/refunds {amount_cents, reason} | gives money back; 409 `over_refund` |
| POST /orders/{id}/returns {skus, reason} | makes a return label; 409 `not_delivered` |
| POST /orders/{id}/exchanges {sku, wanted_size, reason} | sends another one; 409 `out_of_stock` |
| POST /orders/{id}/cancel {reason} | cancels before it leaves; 409 `already_shipped` |
| POST /shipments/{id}/address {address, replaces} | sends a parcel elsewhere; 409 `already_delivered` |
| POST /customers/{id}/account {email, address, replaces} | changes an account |
| POST /refunds/{id}/void {reason} | takes the money in again, as a row of its own; 409 `already_void` |
| POST /returns/{id}/withdraw {reason} | makes a label worthless; 409 `already_withdrawn` |
| POST /exchanges/{id}/recall {reason} | holds the parcel back, restocks; 409 `already_recalled` |
| POST /orders/{id}/reopen {reason} | undoes a cancellation; 409 `not_cancelled`, `paid_back` |
| POST /mail {to, subject, text}, /notes {case, text} | one more mail or note, each time |
| GET /audit, /ledger | every effect with its key and causal tags; the money |
| POST /admin/faults {seed, rates, delay_ms, sells_out} | faults on purpose |
| POST /admin/reset; GET /admin/state | start again; counts |

Lists also take `key`, and begin with the shop's day unless `since` says otherwise. `replaces` names what was there:
if something else is there by now, the change is a 409 `changed_since`. An order in `sells_out` loses what it could be
exchanged for to other customers as soon as a label for it is made.

All POST routes but mail and notes honour `Idempotency-Key`: the same key and body get the stored answer again, with
the header `Idempotency-Replayed: true`; another body under the same key is a 422, a request still at work a 409
`in_progress`. Only successes are stored: a write that was turned down changed nothing. Mail and notes keep the key
they were sent with, so that they can be looked up by it.
"""
