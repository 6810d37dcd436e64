/// \file
/// Declarations of the names of queues.hpp, for headers that only mention a queue: cheap to
/// include.
#ifndef QUEUES_FWD_HPP
#define QUEUES_FWD_HPP

#include <stdint.h> // not <cstdint>, which takes the macros min and max away

// Macros of these names are set aside, as in queues.hpp.
#pragma push_macro("expected")
#undef expected
#pragma push_macro("unexpected")
#undef unexpected
#pragma push_macro("weight")
#undef weight

namespace queues {

template <class T> class mpmc;
template <class T> class spsc;
template <class T> class priority;
template <class T> class batcher;
template <class T> class deque;

class mpmc_bytes;
class spsc_bytes;
class priority_bytes;
class batcher_bytes;
class deque_bytes;

template <class T, class E> class expected;
template <class E> class unexpected;
template <class E> class bad_expected_access;
template <class T> struct prioritized;

enum class conqueue_status : int32_t;
class misuse;
struct bulk_result;
struct weight;
struct batch_limits;
class bytes_view;
class bytes_batch;

} // namespace queues

#pragma pop_macro("expected")
#pragma pop_macro("unexpected")
#pragma pop_macro("weight")

#endif
