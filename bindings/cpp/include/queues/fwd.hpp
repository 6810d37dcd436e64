// SPDX-License-Identifier: MIT OR Apache-2.0
/// \file
/// Declarations of the public names, for headers that only mention a queue. Cheap to include: it
/// includes `<stdint.h>` and nothing else of the standard library.
#ifndef QUEUES_FWD_HPP
#define QUEUES_FWD_HPP

#include "detail/begin.hpp"

#ifdef QUEUES_CPP17

#include <stdint.h> // not <cstdint>, which undefines the macros min and max

namespace queues {

template <class T> class mpmc;
template <class T> class spsc;
template <class T> class priority;
template <class T> class deque;
template <class T> class batcher;
template <class T> class shared_mpmc;
template <class T> class shared_spsc;

class mpmc_bytes;
class spsc_bytes;
class priority_bytes;
class deque_bytes;
class batcher_bytes;

template <class T, class E> class expected;
template <class E> class unexpected;
template <class E> class bad_expected_access;
template <class T> struct prioritized;

enum class conqueue_status : int32_t;
class misuse;
class corrupt;
struct bulk_result;
struct weight;
struct batch_limits;
struct shared_options;
class bytes_view;
class bytes_batch;
class event;
class poll_entry;
class reactor;

} // namespace queues

#endif

#include "detail/end.hpp"

#endif
