// SPDX-License-Identifier: MIT OR Apache-2.0
// Declarations of what the members pop_async, async_pop and the like return. Their definitions are
// in queues/async.hpp and queues/sender.hpp: only programs that use them pay for the includes.
#ifndef QUEUES_DETAIL_DEFERRED_HPP
#define QUEUES_DETAIL_DEFERRED_HPP

#include "begin.hpp"

#ifdef QUEUES_CPP17

#include "../fwd.hpp"
#include "stop.hpp"

#include <type_traits>

namespace queues {

namespace detail {

// The executor of a coroutine that is resumed on the thread of the reactor.
struct on_reactor {
    template <class Coroutine> void operator()(Coroutine coroutine) const { coroutine.resume(); }
};

// A priority or weight in the place of an executor belongs to another overload.
template <class Executor>
using if_executor =
    std::enable_if_t<!std::is_arithmetic_v<Executor> && !std::is_same_v<Executor, weight>>;

// queues/async.hpp
template <class Operation, class Executor, class Token> class awaiter;
template <class Queue> class pop_operation;
template <class Queue> class pop_batch_operation;
template <class Queue, class Value, class... With> class push_operation;
template <class Event> class event_operation;

// queues/sender.hpp
template <class Queue> class pop_sender;
template <class Queue, class Value, class... With> class push_sender;

} // namespace detail

} // namespace queues

#endif

#include "end.hpp"

#endif
