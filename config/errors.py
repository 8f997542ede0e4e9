"""What each refusal looks like over HTTP: one line each, for pages and API alike."""

from typing import NamedTuple

from rest_framework import exceptions

from accounts import closing, idempotency, photos, vault
from accounts import services as accounts
from accounts.headless.views import AppExists
from accounts.patience import Busy
from accounts.refusals import Refusal, RequestNotReadable, RequestTooLarge, TooManyAttempts
from accounts.services import EmailTaken
from accounts.tokens import TokenEnded
from events import services as events
from orders import refusals as orders
from queues import refusals as queues


class Answer(NamedTuple):
    status: int
    code: str


ANSWERS: dict[type[Refusal], Answer] = {
    Busy: Answer(503, "busy"),
    RequestTooLarge: Answer(413, "request_too_large"),
    RequestNotReadable: Answer(400, "malformed"),
    TooManyAttempts: Answer(429, "throttled"),
    TokenEnded: Answer(401, "sign_in_required"),
    EmailTaken: Answer(409, "email_taken"),
    AppExists: Answer(409, "app_exists"),
    accounts.IdentityAlreadyVerified: Answer(409, "identity_already_verified"),
    accounts.IdentityCheckPending: Answer(409, "identity_check_pending"),
    accounts.IdentityCheckDecided: Answer(409, "identity_check_decided"),
    accounts.TooManyPhotos: Answer(429, "throttled"),
    accounts.LetterErased: Answer(409, "letter_erased"),
    accounts.NotPlatformStaff: Answer(403, "not_platform_staff"),
    vault.SecretLost: Answer(503, "secret_lost"),
    idempotency.IdempotencyKeyInvalid: Answer(400, "idempotency_key_invalid"),
    idempotency.IdempotencyMismatch: Answer(422, "idempotency_mismatch"),
    idempotency.RequestInProgress: Answer(409, "request_in_progress"),
    closing.AccountClosed: Answer(403, "account_closed"),
    closing.AccountOfStaff: Answer(409, "account_of_staff"),
    photos.PhotoTooLarge: Answer(413, "photo_too_large"),
    photos.PhotoNotReadable: Answer(422, "photo_not_readable"),
    events.TierNotFound: Answer(404, "tier_not_found"),
    events.SoldOut: Answer(409, "sold_out"),
    events.NotEnoughTickets: Answer(409, "sold_out"),
    events.InUse: Answer(409, "in_use"),
    events.EventCancelled: Answer(409, "event_cancelled"),
    events.QuantityBelowFloor: Answer(409, "quantity_below_floor"),
    events.StockAboveQuantity: Answer(409, "stock_above_quantity"),
    queues.QueueNotOpen: Answer(423, "queue_not_open"),
    queues.QueueClosed: Answer(409, "queue_closed"),
    queues.QueueSoldOut: Answer(409, "queue_sold_out"),
    queues.AccountRequired: Answer(401, "sign_in_required"),
    queues.EmailNotVerified: Answer(403, "email_not_verified"),
    queues.IdentityNotVerified: Answer(403, "identity_not_verified"),
    queues.NotInAudience: Answer(403, "not_in_audience"),
    queues.CardNotEligible: Answer(403, "card_not_eligible"),
    queues.QueueFull: Answer(429, "queue_full"),
    queues.AccessCodeRequired: Answer(403, "access_code_required"),
    queues.AccessCodeInvalid: Answer(403, "access_code_invalid"),
    queues.CaptchaRequired: Answer(403, "captcha_required"),
    queues.CaptchaFailed: Answer(403, "captcha_failed"),
    queues.Throttled: Answer(429, "throttled"),
    queues.CodesTooLong: Answer(400, "codes_too_long"),
    queues.MaxUsesBelowUsed: Answer(409, "max_uses_below_used"),
    queues.OrderLimitReached: Answer(409, "order_limit_reached"),
    queues.TicketLimitReached: Answer(409, "ticket_limit_reached"),
    queues.NoneLeftInQueue: Answer(409, "sold_out"),
    queues.TooFewLeftInQueue: Answer(409, "sold_out"),
    queues.AllocationBelowUsed: Answer(409, "allocation_below_used"),
    queues.UsedAboveAllocation: Answer(409, "used_above_allocation"),
    queues.AdmittanceInvalid: Answer(403, "admittance_invalid"),
    queues.AdmittanceExpired: Answer(409, "admittance_expired"),
    queues.NotInLine: Answer(409, "not_in_line"),
    queues.NobodyWaiting: Answer(409, "nobody_waiting"),
    queues.NoticeOut: Answer(409, "notice_out"),
    queues.NobodyInside: Answer(409, "nobody_inside"),
    queues.QueueNotPublished: Answer(409, "queue_not_published"),
    queues.QueueNotPublishable: Answer(409, "queue_not_publishable"),
    orders.NothingChosen: Answer(400, "nothing_chosen"),
    orders.OrderTooLarge: Answer(409, "order_too_large"),
    orders.TierNotReleased: Answer(409, "tier_not_released"),
    orders.HoldLapsed: Answer(409, "hold_lapsed"),
    orders.OrderNotHeld: Answer(409, "order_not_held"),
    orders.PaymentInProgress: Answer(409, "payment_in_progress"),
    orders.PaymentDeclined: Answer(402, "payment_declined"),
    orders.PaymentUnavailable: Answer(503, "payment_unavailable"),
    orders.OrderNotPayable: Answer(409, "order_not_payable"),
    orders.OrderNotFound: Answer(404, "order_not_found"),
    orders.TicketNotFound: Answer(404, "ticket_not_found"),
    orders.NotPaid: Answer(409, "not_paid"),
    orders.StillInLine: Answer(409, "still_in_line"),
    orders.StillPaying: Answer(409, "still_paying"),
    orders.StillHasTickets: Answer(409, "still_has_tickets"),
}

# What the REST framework refuses by itself, before anything of ours is asked.
LIBRARY: dict[type[exceptions.APIException], Answer] = {
    exceptions.ParseError: Answer(400, "malformed"),
    exceptions.ValidationError: Answer(400, "invalid"),
    exceptions.NotAuthenticated: Answer(401, "sign_in_required"),
    exceptions.AuthenticationFailed: Answer(401, "sign_in_required"),
    # The session's cookie without the token against forgery.
    exceptions.PermissionDenied: Answer(403, "csrf_failed"),
    exceptions.NotFound: Answer(404, "not_found"),
    exceptions.MethodNotAllowed: Answer(405, "method_not_allowed"),
    exceptions.NotAcceptable: Answer(406, "not_acceptable"),
    exceptions.UnsupportedMediaType: Answer(415, "unsupported_media_type"),
    exceptions.Throttled: Answer(429, "throttled"),
    exceptions.APIException: Answer(500, "internal_error"),
}
MALFORMED = LIBRARY[exceptions.ParseError]
NOT_FOUND = LIBRARY[exceptions.NotFound]
FAILED = LIBRARY[exceptions.APIException]


def answer_to(refusal: Refusal) -> Answer:
    """Return status and code of a refusal. One that is missing in the table is a defect, and a KeyError."""
    return ANSWERS[type(refusal)]
