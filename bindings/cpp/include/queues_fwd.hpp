/// \file
/// Declarations of the names of queues.hpp, for headers that only mention a queue: cheap to
/// include.
#ifndef QUEUES_FWD_HPP
#define QUEUES_FWD_HPP

#include <cstdint>

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

enum class conqueue_status : std::int32_t;
class misuse;
struct bulk_result;
struct weight;
struct batch_limits;
class bytes_view;
class bytes_batch;

} // namespace queues

#endif
