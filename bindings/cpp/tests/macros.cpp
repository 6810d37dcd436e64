// The headers are included after macros that other headers leave behind.

// windows.h, old C headers
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define near
#define far
#define small char
#define interface struct
#define IN
#define OUT
#define OPTIONAL
#define ERROR 0
#define CONST const
#define VOID void
#define DELETE (0x00010000L)
// X11
#define None 0L
#define Status int
#define Success 0
#define Bool int
#define True 1
#define False 0
#define Always 2
#define Unsorted 0
#define KeyPress 2
#define CursorShape 0
// Qt
#define emit
#define signals public
#define slots
#define foreach(a, b) for (a : b)
#define forever for (;;)
// AssertMacros.h, Objective-C, Linux, Unreal, R, curses, assorted
#define check(assertion) do_check(assertion) @
#define verify(assertion) do_verify(assertion) @
#define require(assertion, label) goto label @
#define likely(x) __builtin_expect(x, 1) @
#define unlikely(x) __builtin_expect(x, 0) @
#define debug(...) log_debug(__VA_ARGS__) @
#define error Rf_error @
#define length Rf_length @
#define timeout(delay) wtimeout(stdscr, delay) @
#define clear() wclear(stdscr) @
#define raw() @
#define move(y, x) wmove(stdscr, y, x) @
#define refresh() wrefresh(stdscr) @
#define erase() werase(stdscr) @
#define test @
#define close @
#define end }
#define size @
#define data @
#define count @
#define all @
#define box(a, b, c) @
#define cell @
#define text @
#define assign @
#define call @
#define none @
#define begin {
#define byte unsigned char @
#define word unsigned short @
#define push @
#define pop @
#define put @
#define get @
#define copy @
#define send @
#define take @
#define until @
#define weight @
#define place @
#define item @
#define raise @
#define flag @
#define full @
#define empty @
#define success @
#define retry @
#define status @
#define token @
#define stop @
#define view @
#define visit @
#define left @
#define result @
#define expected @
#define unexpected @
#define args @
#define bytes @
#define deadline @
#define front @
#define handle @
#define release @
#define restore @
#define storage @
#define wait @

#include <queues_fwd.hpp>

#include <queues.hpp>

// The macros are unchanged.
#if !defined(min) || !defined(max) || !defined(check) || !defined(likely) || !defined(emit) ||     \
    !defined(text) || !defined(timeout) || !defined(expected) || !defined(None)
#error "queues.hpp has undefined a macro of the program"
#endif
static_assert(min(1, 2) == 1 && max(1, 2) == 2);
#ifdef QUEUES_CPP17
#error "queues.hpp has left a macro behind"
#endif

#undef min
#undef max
#undef Always
#undef Bool
#undef CONST
#undef CursorShape
#undef DELETE
#undef ERROR
#undef False
#undef IN
#undef KeyPress
#undef None
#undef OPTIONAL
#undef OUT
#undef Status
#undef Success
#undef True
#undef Unsorted
#undef VOID
#undef assign
#undef begin
#undef box
#undef byte
#undef call
#undef cell
#undef check
#undef clear
#undef copy
#undef debug
#undef emit
#undef empty
#undef error
#undef expected
#undef far
#undef flag
#undef foreach
#undef forever
#undef full
#undef get
#undef interface
#undef item
#undef left
#undef length
#undef likely
#undef near
#undef none
#undef place
#undef pop
#undef push
#undef put
#undef raise
#undef raw
#undef move
#undef refresh
#undef erase
#undef test
#undef close
#undef end
#undef size
#undef data
#undef count
#undef all
#undef require
#undef result
#undef retry
#undef send
#undef signals
#undef slots
#undef small
#undef status
#undef stop
#undef success
#undef take
#undef text
#undef timeout
#undef token
#undef unexpected
#undef unlikely
#undef until
#undef verify
#undef view
#undef visit
#undef weight
#undef word
#undef args
#undef bytes
#undef deadline
#undef front
#undef handle
#undef release
#undef restore
#undef storage
#undef wait

#include "check.hpp"

#include <string>

TEST(macros_of_other_headers_do_not_disturb) {
    queues::mpmc<std::string> queue(2);
    CHECK(queue.push("a") && *queue.pop() == "a");
    CHECK(queue.try_pop().error() == queues::conqueue_status::empty);
}
