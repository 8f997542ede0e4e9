"""What a program does about each code of refusal: for the page that explains them."""

from django.utils.translation import gettext_lazy as _

ADVICE = {
    # What one sends
    "malformed": _("Send JSON that can be read."),
    "invalid": _("See errors: it has each field and what is wrong with it. Change that, and send it again."),
    "nothing_chosen": _("Ask for one ticket or more."),
    "request_too_large": _("Send less."),
    "unsupported_media_type": _("Send application/json, and say so in Content-Type."),
    "not_acceptable": _("Take application/json: leave Accept out, or name it there."),
    "method_not_allowed": _("Use one of the methods in Allow."),
    "not_found": _("Check the address. What is a draft, or somebody else's, is not there for you."),
    "idempotency_key_invalid": _("Make the Idempotency-Key of 1 to 255 printable ASCII characters; a UUID does well."),
    "idempotency_mismatch": _("Take a new Idempotency-Key for each new thing to do, the old one only to repeat it."),
    "request_in_progress": _("Wait as Retry-After says, and send the same with the same key."),
    # Who one is
    "sign_in_required": _("Sign in, and send the token in X-Session-Token. The token may have run out, too."),
    "csrf_failed": _("With a session's cookie send its token in X-CSRFToken. Without a browser use X-Session-Token."),
    "email_not_verified": _("Have the fan follow the link, or enter the code, that was sent by mail. Then try again."),
    "identity_not_verified": _("Have the fan verify their identity, on the page under Account. Then try again."),
    "account_closed": _("The account is gone for good."),
    "email_taken": _("Sign in with this address, or take another one."),
    # The line
    "queue_not_open": _("Wait until opens_at. Get ready until then: POST …/ready/ says what is missing."),
    "queue_closed": _("Nothing helps here. See the event for another queue."),
    "queue_sold_out": _("Nothing helps here. See the event for another queue."),
    "queue_full": _("Wait as Retry-After says, and join again."),
    "access_code_required": _("Ask the fan for the presale code, and send it as access_code."),
    "access_code_invalid": _("Ask the fan to check the presale code. Few wrong ones are allowed."),
    "card_not_eligible": _("Ask the fan for the first digits of another card, and send them as card_prefix."),
    "not_in_audience": _("Nothing helps: the sale is for invited guests. Was it another address that was invited?"),
    "captcha_required": _("Fetch …/captcha/, solve it, and send the solution as captcha."),
    "captcha_failed": _("Fetch a new challenge, solve it, and send that: each serves once, and for some minutes."),
    "not_in_line": _("Join first."),
    # Holding
    "admittance_invalid": _("Take the admittance_token of the fan's own journey, and only while it is their turn."),
    "admittance_expired": _("The turn is over. Join again for another one."),
    "order_too_large": _("Ask for maximum tickets at most."),
    "order_limit_reached": _("Nothing helps: it is as many orders as one person may have for the event."),
    "ticket_limit_reached": _("Ask for fewer tickets; what the fan has already counts, too."),
    "tier_not_found": _("Name tiers by the short names that the event or its queue has."),
    "tier_not_released": _("Ask for another tier, or later."),
    "sold_out": _("Ask for available tickets at most, or for another tier. Nothing was held."),
    "event_cancelled": _("Nothing helps: the event does not take place."),
    # Paying
    "order_not_found": _("Check the code. An order of somebody else is not there for you."),
    "order_not_payable": _("See the order's status: it is paid, over, or given back."),
    "hold_lapsed": _("The tickets have gone back on sale. If the turn is not over, hold tickets again."),
    "order_not_held": _("See the order's status: it is paid, or has ended. What is paid cannot be given back."),
    "payment_in_progress": _("Let the fan finish at redirect_url, or cancel the payment first."),
    "payment_declined": _("Let the fan try again, or with another card. The tickets are held until hold_ends_at."),
    "payment_unavailable": _("Try again in a moment. The tickets are held until hold_ends_at."),
    # Owning
    "ticket_not_found": _("Check the id. A ticket of somebody else is not there for you."),
    # Passing trouble
    "throttled": _("Wait as Retry-After says. Poll boards rather than journeys, with If-None-Match."),
    "busy": _("Wait as Retry-After says, and send the same again. Nothing was done."),
    "internal_error": _("This is our mistake, and we are told of it. Try again later."),
}
