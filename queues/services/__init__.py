"""Everything that can happen in a line."""

from queues.services.allocations import (
    check_allocation,
    correct_allocation,
    hold_allocation,
    read_availability,
    release_allocation,
    set_allocation,
    swap_allocation,
)
from queues.services.allowances import (
    add_to_allowance,
    check_allowance,
    correct_allowance,
    has_allowance_left,
    open_allowance,
    open_allowances,
    open_allowances_of,
    take_from_allowance,
)
from queues.services.boards import board_json, publish_board, read_board
from queues.services.captchas import new_challenge, remove_expired_solutions
from queues.services.codes import CodeState, change_max_uses, explain_code, make_access_codes
from queues.services.endings import (
    free_fans,
    free_next_fans,
    mark_next_sold_out_queue,
    mark_sold_out,
    reopen_next_restocked_queue,
)
from queues.services.entry import Entry, Needs, asks_for_card, change_guests, find_needs, get_ready
from queues.services.fans import forget_fan
from queues.services.line import (
    claim_admission,
    correct_hold,
    end_admission,
    find_standing,
    join_queue,
    leave_queue,
    lock_turn,
)
from queues.services.notices import (
    Progress,
    change_message,
    measure_progress,
    notify_waiting,
    stop_notice,
    tell_fans,
    tell_next_fans,
)
from queues.services.sale import change_pace, close_queue, open_queue, pause_queue, publish_queue, resume_queue
from queues.services.ticks import admit_due_fans, expire_lapsed_admissions, tick_queue
from queues.services.visitors import find_needs_of_visitor, join_as_visitor, take_place_along

__all__ = [
    "CodeState",
    "Entry",
    "Needs",
    "Progress",
    "add_to_allowance",
    "admit_due_fans",
    "asks_for_card",
    "board_json",
    "change_guests",
    "change_max_uses",
    "change_message",
    "change_pace",
    "check_allocation",
    "check_allowance",
    "claim_admission",
    "close_queue",
    "correct_allocation",
    "correct_allowance",
    "correct_hold",
    "end_admission",
    "expire_lapsed_admissions",
    "explain_code",
    "find_needs",
    "find_needs_of_visitor",
    "find_standing",
    "forget_fan",
    "free_fans",
    "free_next_fans",
    "get_ready",
    "has_allowance_left",
    "hold_allocation",
    "join_as_visitor",
    "join_queue",
    "leave_queue",
    "lock_turn",
    "make_access_codes",
    "mark_next_sold_out_queue",
    "mark_sold_out",
    "measure_progress",
    "new_challenge",
    "notify_waiting",
    "open_allowance",
    "open_allowances",
    "open_allowances_of",
    "open_queue",
    "pause_queue",
    "publish_board",
    "publish_queue",
    "read_availability",
    "read_board",
    "release_allocation",
    "remove_expired_solutions",
    "reopen_next_restocked_queue",
    "resume_queue",
    "set_allocation",
    "stop_notice",
    "swap_allocation",
    "take_from_allowance",
    "take_place_along",
    "tell_fans",
    "tell_next_fans",
    "tick_queue",
]
