"""What a buyer is told by mail."""

from datetime import UTC, datetime
from decimal import Decimal

from payments import PaymentStatus

from accounts.models import Letter, User
from events.models import Event, Tier
from orders.models import Order, Payment, Ticket
from orders.services import settlement
from queues.models import Admission, Queue
from tests.factories import LineFactory, OrderFactory, PaymentFactory


def hold(admission: Admission, tier: Tier, *, of: int = 2, **fields) -> Order:
    order = OrderFactory(
        admission=admission,
        subtotal=tier.price * of,
        service_fee=tier.price * of / 10,
        total=tier.price * of * 11 / 10,
        holders=["Ben Okafor", "Cleo <b>Lang</b>"][:of],
        **fields,
    )
    LineFactory(order=order, tier=tier, quantity=of, unit_price=tier.price, unit_fee=tier.price / 10)
    Tier.objects.filter(pk=tier.pk).update(reserved_count=of if order.is_held else 0)
    Admission.objects.filter(pk=admission.pk).update(has_hold=order.is_held, order_code=order.code)
    return order


def arrive(order: Order, **fields) -> Payment:
    paid = {"total": order.total, **fields}
    return PaymentFactory(order=order, status=PaymentStatus.CONFIRMED, captured_amount=paid["total"], **paid)


def to_new_york(event: Event, **rules) -> None:
    Event.objects.filter(pk=event.pk).update(
        doors_at=datetime(2030, 11, 16, 0, 0, tzinfo=UTC),
        starts_at=datetime(2030, 11, 16, 1, 0, tzinfo=UTC),
        time_zone="America/New_York",
        **rules,
    )


def settle(order: Order) -> Letter:
    settlement.settle_order(Order.objects.get(pk=order.pk))
    return Letter.objects.latest("pk")


def test_receipt_says_what_when_where_how_much_and_what_is_next(
    admission: Admission, event: Event, floor: Tier, ben: User, transactional_db: None
):
    to_new_york(event, require_identification=True, require_buyer_attendance=True, tickets_released_hours_before=36)
    order = hold(admission, floor)
    arrive(order)

    letter = settle(order)

    assert (letter.to, letter.kind) == (ben.email, Letter.Kind.RECEIPT)
    assert letter.subject == f"Tickets secured: Fall Tour ({order.code})"
    assert letter.text == (
        f"Hello Ben,\n\nTickets secured! Your confirmation number is {order.code}.\n\n"
        "Fall Tour\nFriday, November 15, 2030\nDoors: 7:00 PM | Show: 8:00 PM (America/New_York)\n"
        "Madison Square Garden, New York, NY\n\n"
        "Your tickets\n2x Floor: $300.00\nService fees: $30.00\nTotal: $330.00\n"
        "Names on the tickets: Ben Okafor, Cleo <b>Lang</b>\n\n"
        "What's next\n- Tickets will be available in your account 36 hours before the event.\n"
        "- Bring valid photo ID matching the name on the ticket.\n- The purchaser must be present at the door.\n"
        "- Put the event into your calendar: http://127.0.0.1:8000/events/fall-tour.ics\n\n"
        "View my tickets:\nhttp://127.0.0.1:8000/tickets/\n\n"
        "-- \nFairline: tickets, sold fairly\nhttp://127.0.0.1:8000"
    )


def test_receipt_asks_for_an_identity_only_where_the_event_does(
    admission: Admission, event: Event, floor: Tier, transactional_db: None
):
    order = hold(admission, floor)
    arrive(order)

    letter = settle(order)

    assert "photo ID" not in letter.text + letter.html
    assert "purchaser" not in letter.text + letter.html


def test_receipt_in_html_escapes_what_people_typed_and_says_the_same(
    admission: Admission, event: Event, floor: Tier, transactional_db: None
):
    to_new_york(event)
    order = hold(admission, floor)
    arrive(order)

    html = settle(order).html

    assert "Cleo &lt;b&gt;Lang&lt;/b&gt;" in html
    for fact in (order.code, "Friday, November 15, 2030", "$300.00", "$30.00", "$330.00", "/tickets/", "fall-tour.ics"):
        assert fact in html
    assert "<img" not in html


def test_refund_says_what_came_and_that_no_tickets_were_issued_when_they_are_sold_out(
    admission: Admission, event: Event, vip: Tier, transactional_db: None
):
    to_new_york(event)
    order = hold(admission, vip, of=1, status=Order.Status.LAPSED)
    Tier.objects.filter(pk=vip.pk).update(sold_count=vip.quantity)
    arrive(order)

    letter = settle(order)

    assert letter.subject == f"Your money goes back: $549.99 for Fall Tour ({order.code})"
    assert letter.text == (
        f"Hello Ben,\n\nYour payment of $549.99 for order {order.code} could not be turned into tickets. "
        "All of it goes back to the account or card it came from; you need do nothing.\n\n"
        "Fall Tour\nFri, Nov 15, 8:00 PM EST\nMadison Square Garden, New York, NY\n1x VIP\n\n"
        "No tickets were issued for this payment. It arrived when the tickets could no longer be kept for you.\n\n"
        f"See the order:\nhttp://127.0.0.1:8000/orders/{order.code}/\n\n"
        "-- \nFairline: tickets, sold fairly\nhttp://127.0.0.1:8000"
    )
    assert Ticket.objects.count() == 0


def test_refund_of_a_wrong_amount_names_the_money_that_came(
    admission: Admission, floor: Tier, queue: Queue, transactional_db: None
):
    order = hold(admission, floor, of=1)
    arrive(order, total=Decimal("12.50"))

    assert settle(order).subject == f"Your money goes back: $12.50 for Fall Tour ({order.code})"


def test_refund_of_a_second_payment_leaves_the_tickets_of_the_first(
    admission: Admission, floor: Tier, transactional_db: None
):
    order = hold(admission, floor, of=1)
    arrive(order)
    settle(order)
    arrive(order)

    letter = settle(order)

    assert "had been paid before. Its tickets are yours as they were." in letter.text
    assert "had been paid before. Its tickets are yours as they were." in letter.html
    assert Ticket.objects.count() == 1
